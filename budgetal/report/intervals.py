"""One row a class: a share and how sure it is, as SVG."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from budgetal.report.charts import svg
from budgetal.report.matrix import shortened
from budgetal.report.numbers import percent
from budgetal.report.scale import Scale

WIDTH, ROW, TOP, BOTTOM = 400, 24, 8, 30
COUNT_WIDTH = 70
LONGEST_NAME = 20


@dataclass(frozen=True)
class Interval:
    """A share with its confidence interval, all in [0, 1], and the counts behind it in words."""

    name: str
    share: float
    low: float
    high: float
    counts: str


def interval_chart(intervals: Sequence[Interval], alt: str) -> Markup:
    """SVG of a dot and its interval for every entry, from 0 to 100 %."""
    longest = min(LONGEST_NAME, max((len(item.name) for item in intervals), default=0))
    height = TOP + ROW * len(intervals) + BOTTOM
    x = Scale(0.0, 1.0, 16.0 + 7.5 * longest, WIDTH - COUNT_WIDTH)
    grid = [_grid_line(x, tick / 4, height) for tick in range(5)]
    rows = [_row(item, x, TOP + ROW * (i + 0.5)) for i, item in enumerate(intervals)]
    return svg(WIDTH, height, alt, grid + rows)


def _grid_line(x: Scale, tick: float, height: float) -> Markup:
    line = Markup('<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(x(tick), x(tick), TOP, height - BOTTOM)
    label = Markup('<text class="tick" x="{}" y="{}" text-anchor="middle">{}</text>').format(
        x(tick), height - BOTTOM + 18, f"{100 * tick:.0f} %"
    )
    return line + label


def _row(item: Interval, x: Scale, middle: float) -> Markup:
    name = Markup('<text class="tick" x="{}" y="{}" text-anchor="end">{}</text>')
    whisker = Markup('<line class="whisker" x1="{}" x2="{}" y1="{}" y2="{}"/>')
    dot = Markup('<circle class="dot" cx="{}" cy="{}" r="4.5"/>')
    counts = Markup('<text class="tick" x="{}" y="{}">{}</text>')
    title = Markup("<title>{}: {}, 95 % interval {} to {}</title>")
    return Markup("<g>{}{}{}{}{}</g>").format(
        name.format(x(0) - 9, middle + 4, shortened(item.name, LONGEST_NAME)),
        whisker.format(x(item.low), x(item.high), middle, middle),
        dot.format(x(item.share), middle),
        counts.format(WIDTH - COUNT_WIDTH + 12, middle + 4, item.counts),
        title.format(item.name, item.counts, percent(item.low), percent(item.high)),
    )
