"""One image file's bytes → one square of RGB pixels, its id, and the small copy that people see."""

import hashlib
import io
import threading
from contextlib import AbstractContextManager, nullcontext

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from budgetal.errors import DataError

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
# Larger than any photograph in these formats; what is above is a scan of a plan, a slide, or an attack.
MAX_BYTES = 256 * 2**20
# Where Pillow begins to warn of decompression bombs: 358 MB as RGBA, held by one thread for a moment.
MAX_PIXELS = 89_478_485
THUMBNAIL_TYPE = "image/webp"

_LARGE_PIXELS = 12_000_000
# Images above _LARGE_PIXELS are decoded one at a time, so that memory does not grow with the threads.
_large = threading.Lock()


def content_id(content: bytes) -> str:
    """Sample id of a file: BLAKE2b of its bytes, 32 hexadecimal digits."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def decode(content: bytes, side: int) -> NDArray[np.uint8]:
    """Decode an image file to RGB, shape (side, side, 3).

    The whole image is squeezed into the square, antialiased. A centre crop would keep the proportions,
    but cut off the border, and the label may depend on what is there; people see the same square.
    The first frame of an animation or multi-page file stands for all; EXIF orientation is applied.
    Raises DataError, and nothing else, with the reason why the file is unusable.
    """
    if not content:
        raise DataError("the file is empty")
    if len(content) > MAX_BYTES:
        raise DataError(f"the file has {len(content):,} bytes, more than {MAX_BYTES:,}")
    try:
        return _decode(content, side)
    except DataError:
        raise
    except UnidentifiedImageError:
        raise DataError("no image of a known format, or its header is damaged") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DataError(f"the image has more than {MAX_PIXELS:,} pixels") from None
    # Decoders of hostile bytes raise anything: SyntaxError, struct.error, OverflowError, MemoryError …
    except Exception as error:
        raise DataError(f"cannot be decoded: {_one_line(error)}") from None


def thumbnail(image: NDArray[np.uint8], side: int) -> bytes:
    """Re-encode an RGB image (height, width, 3) as WebP that fits a square of `side` pixels.

    Small images are enlarged by a whole factor without smoothing and stored without loss, so that an
    8 × 8 digit has sharp, equal pixels. Re-encoding also drops whatever else the file carried.
    """
    picture = Image.fromarray(image)
    factor = side // max(picture.size)
    if factor >= 1:
        size = (picture.width * factor, picture.height * factor)
        return _webp(picture.resize(size, Image.Resampling.NEAREST), lossless=True)
    return _webp(ImageOps.contain(picture, (side, side), Image.Resampling.BICUBIC), lossless=False)


def _decode(content: bytes, side: int) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(content), formats=FORMATS) as image:
        _check_size(image)
        with _turn(image):
            # Lets JPEG decode at 1/2, 1/4 or 1/8: several times faster; 2 × side keeps the quality.
            image.draft(None, (2 * side, 2 * side))
            ImageOps.exif_transpose(image, in_place=True)
            return _to_square(image, side)


def _check_size(image: Image.Image) -> None:
    """Judge by the header, before any pixel takes memory."""
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise DataError(f"the image has {width} x {height} pixels, more than {MAX_PIXELS:,}")


def _turn(image: Image.Image) -> AbstractContextManager[object]:
    return _large if image.width * image.height > _LARGE_PIXELS else nullcontext()


def _to_square(image: Image.Image, side: int) -> NDArray[np.uint8]:
    if image.mode.startswith("I;16"):
        return _from_16_bits(image, side)
    if image.mode in ("I", "F"):
        raise DataError("32-bit pixels have no agreed range; save the image with 8 or 16 bits")
    if image.has_transparency_data:
        return np.array(_over_white(_resize(image.convert("RGBA"), side)))
    return np.array(_resize(image.convert("RGB"), side))


def _from_16_bits(image: Image.Image, side: int) -> NDArray[np.uint8]:
    """Scale 0..65535 to 0..255. Pillow's own conversion clips at 255, which leaves a white square."""
    grey = _resize(Image.fromarray(np.asarray(image).astype(np.float32)), side)
    values = np.rint(np.asarray(grey) / 257).clip(0, 255).astype(np.uint8)
    return np.repeat(values[:, :, None], 3, axis=2)


def _over_white(image: Image.Image) -> Image.Image:
    """What a web page would show. The colour stored under full transparency is any, often black."""
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")


def _resize(image: Image.Image, side: int) -> Image.Image:
    # Pillow's filter widens with the reduction, so BILINEAR is antialiased; networks were trained on it.
    return image.resize((side, side), Image.Resampling.BILINEAR)


def _webp(picture: Image.Image, lossless: bool) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", lossless=lossless, quality=80)
    return buffer.getvalue()


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
