"""The map of the images: where their points lie, and what is known of each."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from budgetal.web.access import OfAnnotator
from budgetal.web.site import OfSite
from budgetal.web.watching_records import MapInfo

router = APIRouter(prefix="/api/v1", tags=["watching"])

Name = Annotated[str, Query(pattern=r"^points-[0-9a-f]{32}\.npy$", description="which map, as /api/v1/map names it")]
BYTES = "application/octet-stream"
BINARY: dict[int | str, dict[str, Any]] = {200: {"content": {BYTES: {}}}}
UNCHANGING = {"cache-control": "private, max-age=31536000, immutable"}


@router.get("/map")
def info(site: OfSite, session: OfAnnotator) -> MapInfo:
    """Which map there is and how far the next one is. Asking is looking: maps are drawn while somebody does."""
    return site.maps.info(session)


@router.get("/map/points", response_class=Response, responses=BINARY)
def points(site: OfSite, _session: OfAnnotator, name: Name) -> Response:
    """Little-endian: x and y of each point as float32, then the `id_bytes` bytes of each image's id."""
    return Response(site.maps.points(name), media_type=BYTES, headers=UNCHANGING)


@router.get("/map/marks", response_class=Response, responses=BINARY)
def marks(site: OfSite, session: OfAnnotator, name: Name) -> Response:
    """Labels (uint16; 65535: none, 65534: none of the classes), who gave them, and uncertainty (uint8 each).

    Given by: 0 nobody, 1 people, 2 the model. Uncertainty: 0 to 254, 255: not told. Whoever only annotates is told
    the own answers alone.
    """
    return Response(site.maps.marks(name, session), media_type=BYTES)
