"""A chart with what stands around it: heading, one sentence, legend, and its numbers as a table."""

from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True)
class Key:
    """One entry of a legend. mark: the CSS class of its swatch."""

    mark: str
    name: str


@dataclass(frozen=True)
class Figure:
    """heading: what is drawn; note: what it says; drawing: None when there is nothing to draw yet.

    columns, rows: the numbers of the chart as text, for reading, copying and screen readers.
    """

    heading: str
    note: str
    drawing: Markup | None = None
    keys: tuple[Key, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
