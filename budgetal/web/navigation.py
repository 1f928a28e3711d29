"""The pages that can be reached from every other, in the order in which they are shown."""

from dataclasses import dataclass

from budgetal.web.roles import Role


@dataclass(frozen=True)
class Page:
    """A page: its path without the slash, its name, and the least role that sees it. The route itself decides."""

    path: str
    name: str
    least: Role


PAGES = (
    Page("annotate", "Annotate", Role.ANNOTATOR),
    # What labels buy is told to those who give them; the counts say nothing of single images.
    Page("live", "Live", Role.ANNOTATOR),
    Page("map", "Map", Role.ANNOTATOR),
    Page("review", "Review", Role.REVIEWER),
    Page("settings", "Settings", Role.OWNER),
    Page("people", "People", Role.OWNER),
)


def pages_for(role: Role) -> list[Page]:
    """Those that `role` may open."""
    return [page for page in PAGES if page.least <= role]
