"""Images, encoded afresh and named by sample id."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Response

from budgetal.web.access import OfAnnotator
from budgetal.web.site import OfSite

router = APIRouter(prefix="/api/v1", tags=["images"])

SIDES = {"small": 240, "large": 1280}
HEADERS = {
    "cache-control": "private, max-age=31536000, immutable",
    "content-security-policy": "sandbox; default-src 'none'",
}


@router.get("/images/{sample_id}", response_class=Response, responses={200: {"content": {"image/webp": {}}}})
def image(
    sample_id: Annotated[str, Path(pattern=r"^[0-9a-f]{8,64}$")],
    site: OfSite,
    _session: OfAnnotator,
    size: Literal["small", "large"] = "large",
) -> Response:
    """One image as WebP. It never changes: its id is the hash of its content."""
    return Response(site.pictures.webp(sample_id, SIDES[size]), media_type="image/webp", headers=HEADERS)
