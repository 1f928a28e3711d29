"""Damaged files: decode gives a square or a DataError, and nothing else."""

import io
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from budgetal.data.images import FORMATS, decode
from budgetal.errors import DataError

SIDE = 12


def _seed_file(kind: str, mode: str) -> bytes:
    noise = np.random.default_rng(0).integers(0, 256, (20, 24, 4), dtype=np.uint8)
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    options = {} if kind in ("BMP", "GIF") else {"exif": exif}
    Image.fromarray(noise).convert(mode).save(buffer, kind, **options)
    return buffer.getvalue()


SEEDS = [_seed_file(kind, mode) for kind in FORMATS for mode in ("RGB", "L")] + [
    _seed_file(kind, "RGBA") for kind in ("PNG", "WEBP", "TIFF")
]


def _survives(content: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            square = decode(content, SIDE)
        except DataError as error:
            assert str(error)
            assert "\n" not in str(error)
        else:
            assert square.shape == (SIDE, SIDE, 3)
            assert square.dtype == np.uint8


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.sampled_from(SEEDS),
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=8),
    keep=st.floats(0, 1),
)
def test_flipped_and_truncated_bytes(seed: bytes, changes: list[tuple[float, int]], keep: float) -> None:
    content = bytearray(seed)
    for place, value in changes:
        content[int(place * len(content))] = value
    _survives(bytes(content[: round(keep * len(content))] if keep < 0.5 else content))


@settings(max_examples=150, deadline=None)
@given(seed=st.sampled_from(SEEDS), place=st.integers(0, 200), value=st.integers(0, 255))
def test_changed_headers(seed: bytes, place: int, value: int) -> None:
    content = bytearray(seed)
    content[place % len(content)] = value
    _survives(bytes(content))


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([seed[:8] for seed in SEEDS]), st.binary(max_size=300))
def test_random_bytes_behind_a_valid_signature(signature: bytes, rest: bytes) -> None:
    _survives(signature + rest)


@pytest.mark.parametrize("seed", SEEDS)
def test_seed_files_themselves_decode(seed: bytes) -> None:
    assert decode(seed, SIDE).std() > 1
