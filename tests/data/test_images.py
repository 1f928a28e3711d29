"""Decoding one file: every mode and format, orientation, caps, refusals, thumbnails."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from budgetal.data import images
from budgetal.data.images import content_id, decode, thumbnail
from budgetal.errors import DataError

COLOUR = (200, 100, 50)
SAVABLE = {
    "JPEG": ("1", "L", "RGB", "CMYK"),
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA"),
    "WEBP": ("L", "RGB", "RGBA"),
    "BMP": ("1", "L", "P", "RGB", "RGBA"),
    "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr"),
    "GIF": ("1", "L", "P", "RGB", "RGBA"),
}
CASES = [(kind, mode) for kind, modes in SAVABLE.items() for mode in modes]


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def plain(mode: str = "RGB", size: tuple[int, int] = (40, 24)) -> Image.Image:
    colour = Image.new("RGB", size, COLOUR)
    if mode == "1":
        return Image.new("1", size, 1)
    return colour.quantize(4) if mode == "P" else colour.convert(mode)


def expected(mode: str) -> tuple[int, int, int]:
    grey = plain("L").getpixel((0, 0))
    return {"1": (255,) * 3, "L": (grey,) * 3, "LA": (grey,) * 3}.get(mode, COLOUR)


@pytest.mark.parametrize(("kind", "mode"), CASES)
def test_every_mode_of_every_format_becomes_the_same_rgb_square(kind: str, mode: str) -> None:
    square = decode(encode(plain(mode), kind), 16)
    assert square.shape == (16, 16, 3)
    assert square.dtype == np.uint8
    # Lossy coding and palettes move a value by a few levels.
    assert np.abs(square.astype(int) - expected(mode)).max() <= 6


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize(("value", "grey"), [(0, 0), (257 * 90, 90), (40_000, 156), (65_535, 255)])
def test_sixteen_bits_are_scaled_and_not_clipped(kind: str, value: int, grey: int) -> None:
    content = encode(Image.fromarray(np.full((20, 20), value, np.uint16)), kind)
    assert (decode(content, 8) == grey).all()


def test_sixteen_bit_big_endian_tiff_is_scaled_too() -> None:
    pixels = np.full((20, 20), 40_000, ">u2").tobytes()
    assert (decode(encode(Image.frombytes("I;16B", (20, 20), pixels), "TIFF"), 8) == 156).all()


def test_sixteen_bit_rgb_png_is_scaled() -> None:
    # Written by hand: Pillow cannot.
    row = b"\0" + struct.pack(">3H", 65_535, 32_896, 0) * 4
    header = struct.pack(">IIBBBBB", 4, 4, 16, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(row * 4)), (b"IEND", b"")]
    content = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    assert (decode(content, 4) == (255, 128, 0)).all()


@pytest.mark.parametrize("mode", ["I", "F"])
def test_pixels_without_a_range_are_refused(mode: str) -> None:
    with pytest.raises(DataError, match="8 or 16 bits"):
        decode(encode(plain("L").convert(mode), "TIFF"), 8)


def test_transparency_shows_white_whatever_colour_lies_under_it() -> None:
    hidden = Image.new("RGBA", (20, 20), (*COLOUR, 0))
    assert (decode(encode(hidden, "PNG"), 10) == 255).all()
    half = decode(encode(Image.new("RGBA", (20, 20), (0, 0, 0, 128)), "PNG"), 10)
    assert np.abs(half.astype(int) - 127).max() <= 1


def test_palette_transparency_shows_white() -> None:
    image = plain("P")
    assert (decode(encode(image, "PNG", transparency=image.getpixel((0, 0))), 10) == 255).all()


def test_transparent_neighbours_do_not_bleed_into_opaque_pixels() -> None:
    pixels = np.zeros((2, 2, 4), np.uint8)
    pixels[:, 0] = (255, 0, 0, 255)
    # Left opaque red, right invisible black: in between red on white, so red stays full.
    square = decode(encode(Image.fromarray(pixels), "PNG"), 1)
    assert square[0, 0, 0] >= 253
    assert np.abs(square[0, 0, 1:].astype(int) - 128).max() <= 2


def quadrants() -> Image.Image:
    """Four different corners, so that each of the eight orientations looks different."""
    pixels = np.zeros((32, 32, 3), np.uint8)
    pixels[:16, :16], pixels[:16, 16:], pixels[16:, :16] = (250, 0, 0), (0, 250, 0), (0, 0, 250)
    return Image.fromarray(pixels)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(kind: str, orientation: int) -> None:
    stored = quadrants()
    exif = Image.Exif()
    exif[0x0112] = orientation
    lossless = {"lossless": True} if kind == "WEBP" else {}
    square = decode(encode(stored, kind, exif=exif, **lossless), 32).astype(int)
    turned = {  # How the EXIF standard says the stored rows and columns are to be seen.
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, -1),
        7: lambda a: a.transpose(1, 0, 2)[::-1, ::-1],
        8: lambda a: np.rot90(a),
    }[orientation](np.asarray(stored).astype(int))
    for y in (5, 26):
        for x in (5, 26):
            assert np.abs(square[y, x] - turned[y, x]).max() <= 12


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "WEBP", "PNG"])
def test_first_frame_stands_for_an_animation(kind: str) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue", "green")]
    options = {"lossless": True} if kind == "WEBP" else {}
    content = encode(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    assert (decode(content, 4) == (255, 0, 0)).all()


def test_whole_image_is_kept_with_its_border() -> None:
    pixels = np.full((10, 100, 3), 255, np.uint8)
    pixels[:, :20] = 0
    square = decode(encode(Image.fromarray(pixels), "PNG"), 10)
    assert (square[:, :1] == 0).all()
    assert (square[:, 4:] == 255).all()


def test_reduction_is_antialiased() -> None:
    checks = (np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8)
    grey = decode(encode(Image.fromarray(checks), "PNG"), 8).astype(int)
    assert np.abs(grey - 127).max() <= 3


def test_large_jpeg_decoded_at_a_fraction_looks_like_the_whole_one() -> None:
    ramp = np.linspace(0, 255, 1024).astype(np.uint8)
    image = Image.fromarray(np.repeat(np.tile(ramp, (1024, 1))[..., None], 3, 2))
    content = encode(image, "JPEG", quality=95)
    full = np.asarray(image.resize((32, 32), Image.Resampling.BILINEAR)).astype(int)
    assert np.abs(decode(content, 32) - full).max() <= 4


@pytest.mark.parametrize("kind", list(SAVABLE))
@pytest.mark.parametrize("fraction", [0.05, 0.3, 0.6, 0.9])
def test_truncated_files_are_refused(kind: str, fraction: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    content = encode(Image.fromarray(noise), kind)
    with pytest.raises(DataError):
        decode(content[: int(len(content) * fraction)], 16)


def test_reasons_name_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="empty"):
        decode(b"", 8)
    with pytest.raises(DataError, match="no image of a known format"):
        decode(b"<svg xmlns='http://www.w3.org/2000/svg'/>", 8)
    content = encode(plain(), "PNG")
    monkeypatch.setattr(images, "MAX_PIXELS", 40 * 24 - 1)
    with pytest.raises(DataError, match="40 x 24 pixels"):
        decode(content, 8)
    monkeypatch.setattr(images, "MAX_BYTES", len(content) - 1)
    with pytest.raises(DataError, match="bytes, more than"):
        decode(content, 8)


def test_formats_outside_the_six_are_refused_even_under_another_name() -> None:
    for kind in ("ICO", "PPM", "TGA", "PCX"):
        with pytest.raises(DataError):
            decode(encode(plain(), kind), 8)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [10_000, 60_000])
def test_decompression_bomb_is_refused_by_its_header(side: int) -> None:
    content = bytearray(encode(Image.new("1", (8, 8)), "PNG"))
    content[16:24] = struct.pack(">II", side, side)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    with pytest.raises(DataError, match="pixels"):
        decode(bytes(content), 8)


def test_content_id_is_the_hash_of_the_bytes() -> None:
    assert content_id(b"") == "cae66941d9efbd404e4d88758ea67670"
    assert content_id(b"a") != content_id(b"b")


def test_thumbnail_of_a_tiny_image_has_sharp_equal_pixels() -> None:
    tiny = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    shown = Image.open(io.BytesIO(thumbnail(tiny, 100)))
    assert shown.format == "WEBP"
    assert shown.size == (96, 96)
    assert (np.asarray(shown) == tiny.repeat(12, 0).repeat(12, 1)).all()


def test_thumbnail_of_a_large_image_fits_and_keeps_its_proportions() -> None:
    large = np.full((300, 600, 3), COLOUR, np.uint8)
    shown = Image.open(io.BytesIO(thumbnail(large, 128)))
    assert shown.size == (128, 64)
    assert np.abs(np.asarray(shown).astype(int) - COLOUR).max() <= 6
