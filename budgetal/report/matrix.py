"""The confusion matrix as SVG: blue on the diagonal is right, orange beside it is wrong."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from budgetal.report.charts import svg

MAX_NAMED = 30
"""With more classes than this, names would be too small to read."""
MAX_NUMBERED = 14
SIDE = 300.0
SMALLEST_CELL = 3.0
LONGEST_NAME = 12
LETTER = 7.5
"""Width of a letter, generously: fonts differ from one machine to the next."""


@dataclass(frozen=True)
class Grid:
    """Where the cells lie: `margin` from the top left corner, `step` apart, `cell` wide."""

    margin: float
    step: float
    cell: float

    def start(self, i: int) -> float:
        """Left or upper edge of the i-th row or column, its cell centred in it."""
        return self.margin + (i + 0.5) * self.step - self.cell / 2

    def middle(self, i: int) -> float:
        """Centre line of the i-th row or column."""
        return self.margin + (i + 0.5) * self.step


def matrix_chart(confusion: NDArray[np.int64], classes: Sequence[str], alt: str) -> Markup:
    """SVG of counts, rows true, columns predicted; a cell is as dark as its share of the row."""
    grid = _grid(classes)
    size = grid.margin + SIDE + 10
    frame = Markup('<rect class="frame" x="{0}" y="{0}" width="{1}" height="{1}"/>')
    parts = [frame.format(grid.margin, SIDE), *_axis_names(grid), *_cells(confusion, classes, grid)]
    parts += _names(classes, grid) if len(classes) <= MAX_NAMED else []
    return svg(size, size, alt, parts)


def shortened(name: str, longest: int = LONGEST_NAME) -> str:
    """A name that fits its margin; the whole of it is in the hover text and the table.

    Both ends stay, because names of one kind often differ only in the last letters.
    """
    if len(name) <= longest:
        return name
    tail = longest // 3
    return f"{name[: longest - tail - 1]}…{name[-tail:]}"


def _grid(classes: Sequence[str]) -> Grid:
    longest = max(map(len, classes), default=0) if len(classes) <= MAX_NAMED else 0
    step = SIDE / max(1, len(classes))
    return Grid(30.0 + LETTER * min(LONGEST_NAME, longest), step, max(SMALLEST_CELL, step - 1))


def _cells(confusion: NDArray[np.int64], classes: Sequence[str], grid: Grid) -> Iterator[Markup]:
    shares = confusion / np.maximum(1, confusion.sum(axis=1, keepdims=True))
    numbered = len(classes) <= MAX_NUMBERED
    for true, predicted in np.argwhere(confusion).tolist():
        n = int(confusion[true, predicted])
        if true == predicted:
            kind, text = "right", f"{classes[true]} recognised: {n}"
        else:
            kind, text = "wrong", f"{classes[true]} taken for {classes[predicted]}: {n}"
        parts = [_box(kind, grid, true, predicted, float(shares[true, predicted]))]
        parts += [_number(grid, true, predicted, n)] if numbered else []
        yield Markup("<g>{}<title>{}</title></g>").format(Markup("").join(parts), text)


def _box(kind: str, grid: Grid, true: int, predicted: int, share: float) -> Markup:
    box = Markup('<rect class="cell-{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" {}/>')
    # Never so dark that the number on it is hard to read, unless the cell is too small for a number.
    opacity = 0.12 + 0.48 * share if grid.step > SMALLEST_CELL else 1.0
    shade = Markup('fill-opacity="{:.2f}"').format(opacity)
    return box.format(kind, grid.start(predicted), grid.start(true), grid.cell, grid.cell, shade)


def _number(grid: Grid, true: int, predicted: int, n: int) -> Markup:
    text = Markup('<text class="cell-n" x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>')
    return text.format(grid.middle(predicted), grid.middle(true) + 4, n)


def _names(classes: Sequence[str], grid: Grid) -> Iterator[Markup]:
    text = Markup('<text class="tick" {}>{}<title>{}</title></text>')
    row = Markup('x="{:.1f}" y="{:.1f}" text-anchor="end"')
    level = Markup('x="{1:.1f}" y="{0:.1f}" text-anchor="middle"')
    upright = Markup('transform="translate({1:.1f} {0:.1f}) rotate(-90)"')
    column, shift = (level, 0) if max(map(len, classes), default=0) <= 2 else (upright, 4)
    edge = grid.margin - 7
    for i, name in enumerate(classes):
        yield text.format(row.format(edge, grid.middle(i) + 4), shortened(name), name)
        yield text.format(column.format(edge, grid.middle(i) + shift), shortened(name), name)


def _axis_names(grid: Grid) -> Iterator[Markup]:
    yield Markup('<text class="axis" x="{}" y="14">predicted →</text>').format(grid.margin)
    text = Markup('<text class="axis" transform="translate(14 {}) rotate(-90)" text-anchor="end">{}</text>')
    yield text.format(grid.margin, "← true")
