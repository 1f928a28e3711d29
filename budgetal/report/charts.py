"""Line and bar charts as inline SVG: no script, colours from the page's CSS, values on hover."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from budgetal.report.scale import Scale, thinned

WIDTH, HEIGHT = 380, 250
LEFT, RIGHT, TOP, BOTTOM = 54, 22, 12, 44
MAX_POINTS = 240
N_STYLES = 12
MAX_MARKERS = 150


@dataclass(frozen=True)
class Frame:
    """Size of a chart in its own units: text has the same size in a wide one."""

    width: float = WIDTH
    height: float = HEIGHT

    @property
    def right(self) -> float:
        """Right end of the plotting area."""
        return self.width - RIGHT

    @property
    def floor(self) -> float:
        """Lower end of the plotting area."""
        return self.height - BOTTOM


SMALL, WIDE = Frame(), Frame(760, 400)


@dataclass(frozen=True)
class Axis:
    """Name, ticks and how a value is written. ends: where it runs, if not first to last tick."""

    name: str
    ticks: tuple[float, ...]
    write: Callable[[float], str]
    ends: tuple[float, float] | None = None


@dataclass(frozen=True)
class Series:
    """One line. ys: None leaves a gap. band: (low, high) a point. style: 1 to N_STYLES, colour and marker."""

    name: str
    xs: Sequence[float]
    ys: Sequence[float | None]
    style: int = 1
    band: Sequence[tuple[float, float] | None] = ()
    filled: bool = False


@dataclass(frozen=True)
class Guide:
    """A level to compare with, such as the tolerance."""

    name: str
    y: float


def line_chart(
    series: Sequence[Series],
    x_axis: Axis,
    y_axis: Axis,
    alt: str,
    guides: Sequence[Guide] = (),
    frame: Frame = SMALL,
) -> Markup:
    """SVG of lines over common axes. alt: the chart in one sentence, for those who cannot see it."""
    x, y = scales(x_axis, y_axis, frame)
    lines = [mark for line in series for mark in _line(line, x, y, frame)]
    parts = [*_grid(x, y, x_axis, y_axis, frame), *_guides(guides, y, frame), *lines]
    # A wide chart has room for twice as many.
    if sum(len(line.xs) for line in series) <= MAX_MARKERS * frame.width / WIDTH:
        parts += [mark for line in series for mark in _markers(line, x, y, x_axis, y_axis)]
    return svg(frame.width, frame.height, alt, parts)


def stacked_bars(
    names: Sequence[str],
    xs: Sequence[float],
    heights: Sequence[Sequence[float]],
    x_axis: Axis,
    y_axis: Axis,
    alt: str,
) -> Markup:
    """SVG of one bar for every x, its parts on top of one another. heights: for every x, one a name."""
    x, y = scales(x_axis, y_axis)
    width = max(2.0, min(34.0, 0.72 * (x.end - x.start) / (x.high - x.low)))
    bars = [bar for place, parts in zip(xs, heights, strict=True) for bar in _bar(names, x(place), width, parts, y)]
    return svg(WIDTH, HEIGHT, alt, [*_grid(x, y, x_axis, y_axis), *bars])


def svg(width: float, height: float, alt: str, parts: Sequence[Markup]) -> Markup:
    """The picture's frame: it scales with its card, and reads as one image with a text."""
    opening = Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">')
    return opening.format(f"{width:g}", f"{height:g}", alt) + Markup("").join(parts) + Markup("</svg>")


def scales(x_axis: Axis, y_axis: Axis, frame: Frame = SMALL) -> tuple[Scale, Scale]:
    """Maps of both axes to the chart's plotting area."""
    return (
        Scale(*(x_axis.ends or (x_axis.ticks[0], x_axis.ticks[-1])), LEFT, frame.right),
        Scale(*(y_axis.ends or (y_axis.ticks[0], y_axis.ticks[-1])), frame.floor, TOP),
    )


def _grid(x: Scale, y: Scale, x_axis: Axis, y_axis: Axis, frame: Frame = SMALL) -> Iterator[Markup]:
    for tick in y_axis.ticks:
        line = Markup('<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>')
        yield line.format(LEFT, f"{frame.right:g}", y(tick), y(tick))
        label = Markup('<text class="tick" x="{}" y="{}" text-anchor="end">{}</text>')
        yield label.format(LEFT - 8, y(tick) + 4, y_axis.write(tick))
    for tick in x_axis.ticks:
        label = Markup('<text class="tick" x="{}" y="{}" text-anchor="middle">{}</text>')
        yield label.format(x(tick), f"{frame.floor + 18:g}", x_axis.write(tick))
    name = Markup('<text class="axis" x="{}" y="{}" text-anchor="end">{}</text>')
    yield name.format(f"{frame.right:g}", f"{frame.height - 6:g}", x_axis.name)


def _guides(guides: Sequence[Guide], y: Scale, frame: Frame) -> Iterator[Markup]:
    for guide in guides:
        line = Markup('<line class="guide" x1="{}" x2="{}" y1="{}" y2="{}"/>')
        yield line.format(LEFT, f"{frame.right:g}", y(guide.y), y(guide.y))
        label = Markup('<text class="guide-name" x="{}" y="{}">{}</text>')
        yield label.format(LEFT + 4, y(guide.y) - 5, guide.name)


def _line(line: Series, x: Scale, y: Scale, frame: Frame) -> Iterator[Markup]:
    shown = thinned(len(line.xs), MAX_POINTS)
    for run in _runs(line.ys, shown):
        yield from _band(line, run, x, y)
        places = [(x(line.xs[i]), y(value)) for i in run if (value := line.ys[i]) is not None]
        if line.filled:
            yield _path([(places[0][0], frame.floor), *places, (places[-1][0], frame.floor)], f"area-{line.style}")
        yield _path(places, f"line line-{line.style}")


def _runs(ys: Sequence[float | None], shown: Sequence[int]) -> Iterator[list[int]]:
    """Stretches of points without a gap."""
    run: list[int] = []
    for i in shown:
        if ys[i] is not None:
            run.append(i)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _band(line: Series, run: Sequence[int], x: Scale, y: Scale) -> Iterator[Markup]:
    bounds = [(line.xs[i], line.band[i]) for i in run] if line.band else []
    inside = [(x(place), y(bound[0]), y(bound[1])) for place, bound in bounds if bound is not None]
    if inside:
        outline = [(place, low) for place, low, _ in inside]
        outline += [(place, high) for place, _, high in reversed(inside)]
        yield _path(outline, f"area-{line.style}")


def _path(places: Sequence[tuple[float, float]], css_class: str) -> Markup:
    points = "L".join(f"{across:g} {down:g}" for across, down in places)
    return Markup('<path class="{}" d="M{}"/>').format(css_class, points)


def _markers(line: Series, x: Scale, y: Scale, x_axis: Axis, y_axis: Axis) -> Iterator[Markup]:
    mark = Markup('<g class="mark mark-{}"><circle class="reach" cx="{}" cy="{}" r="11"/>{}<title>{}</title></g>')
    for place, value in zip(line.xs, line.ys, strict=True):
        if value is not None:
            text = f"{line.name}: {y_axis.write(value)} at {x_axis.write(place)} {x_axis.name}"
            yield mark.format(line.style, x(place), y(value), _shape(line.style, x(place), y(value)), text)


def _shape(style: int, across: float, down: float) -> Markup:
    """A circle, a square, a diamond or a triangle by turns, so that lines differ without colour too."""
    kind = (style - 1) % 4
    if kind == 0:
        return Markup('<circle cx="{}" cy="{}" r="3.6"/>').format(across, down)
    if kind == 3:
        corners = ((across, down - 4.4), (across + 4.2, down + 3.2), (across - 4.2, down + 3.2))
        points = " ".join(f"{round(x, 1)},{round(y, 1)}" for x, y in corners)
        return Markup('<polygon points="{}"/>').format(points)
    turn = Markup(' transform="rotate(45 {} {})"').format(across, down) if kind == 2 else ""
    square = Markup('<rect x="{}" y="{}" width="6.4" height="6.4"{}/>')
    return square.format(round(across - 3.2, 1), round(down - 3.2, 1), turn)


def _bar(names: Sequence[str], centre: float, width: float, parts: Sequence[float], y: Scale) -> Iterator[Markup]:
    bar = Markup('<rect class="bar-{}" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>')
    below = 0.0
    for style, (name, part) in enumerate(zip(names, parts, strict=True), start=1):
        top, bottom = y(below + part), y(below)
        if part > 0:
            text = f"{name}: {part:,.0f}"
            yield bar.format(style, f"{centre - width / 2:g}", top, f"{width:g}", round(bottom - top, 1), text)
        below += part
