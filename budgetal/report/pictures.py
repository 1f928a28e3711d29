"""Thumbnails: encoding them for the page, and placing them in it."""

import base64
import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from budgetal.errors import DataError
from budgetal.report.data import Picture

SIDE = 64
FORMATS = {"PNG": "image/png", "WEBP": "image/webp"}
ENLARGED_BELOW = 48
"""Images smaller than this, in pixels, are shown with sharp pixels, not blurred."""


@dataclass(frozen=True)
class Thumbnail:
    """What an <img> needs. source: a data URI, so that nothing is loaded from anywhere."""

    source: str
    width: int
    height: int
    caption: str
    sharp: bool


def picture(pixels: NDArray[np.uint8], caption: str, side: int = SIDE) -> Picture:
    """Encode (height, width, 3) uint8 as a WebP or PNG thumbnail of at most `side` pixels a side."""
    image = Image.fromarray(pixels)
    small = max(image.size) < ENLARGED_BELOW
    image.thumbnail((side, side))
    content = io.BytesIO()
    # Lossy coding smears tiny images, whose lossless ones are smaller anyway.
    image.save(content, "PNG" if small else "WEBP", **({"optimize": True} if small else {"quality": 70}))
    return Picture(content.getvalue(), caption)


def thumbnail(shown: Picture) -> Thumbnail:
    """A picture ready for the page. Raises DataError unless it is PNG or WebP."""
    try:
        with Image.open(io.BytesIO(shown.png_or_webp), formats=tuple(FORMATS)) as image:
            (width, height), kind = image.size, FORMATS[str(image.format)]
    except UnidentifiedImageError:
        raise DataError(f"Cannot show the picture {shown.caption!r}: it is neither PNG nor WebP") from None
    content = base64.b64encode(shown.png_or_webp).decode()
    sharp = max(width, height) < ENLARGED_BELOW
    return Thumbnail(f"data:{kind};base64,{content}", width, height, shown.caption, sharp)
