import base64
import io

import numpy as np
import pytest
from PIL import Image

from budgetal.report.pictures import picture, thumbnail


def noise(height, width):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def decoded(shown):
    return Image.open(io.BytesIO(shown.png_or_webp))


def test_a_small_image_keeps_every_pixel():
    pixels = noise(8, 12)
    shown = picture(pixels, "tiny")
    assert np.array_equal(np.asarray(decoded(shown)), pixels)
    assert thumbnail(shown).sharp


def test_a_large_image_becomes_a_thumbnail_of_the_same_shape():
    shown = picture(noise(200, 400), "large")
    assert decoded(shown).size == (64, 32)
    assert decoded(shown).format == "WEBP"
    assert len(shown.png_or_webp) < 4000


@pytest.mark.parametrize(("side", "kind"), [(8, "png"), (100, "webp")])
def test_a_thumbnail_holds_the_image_itself(side, kind):
    shown = picture(noise(side, side), "a caption")
    ready = thumbnail(shown)
    head, content = ready.source.split(",")
    assert head == f"data:image/{kind};base64"
    assert base64.b64decode(content) == shown.png_or_webp
    assert (ready.width, ready.height) == decoded(shown).size
    assert ready.caption == "a caption"
