"""Charts and tables of one collection."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from budgetal.compare.figures import METRICS
from budgetal.report.axes import labels_axis, share_axis
from budgetal.report.charts import N_STYLES, WIDE, Series, line_chart
from budgetal.report.figure import Figure, Key
from budgetal.report.numbers import MISSING, count, duration, percent

HEADINGS = {
    "accuracy": "True accuracy of all labels",
    "coverage": "Share labelled by people or automatically",
    "test_accuracy": "Accuracy on test images",
}
NOTES = {
    "accuracy": "Of the whole collection: people's labels, automatic ones, and the model's guess for the rest.",
    "coverage": "What is left has only the model's guess.",
    "test_accuracy": "Images that nobody labels and nothing is trained on.",
}
BANDS = "Lines are means, bands 95 % intervals (Student's t over seeds). Labels by people include the audit."


def curve_figures(entry: Mapping[str, Any]) -> Iterator[Figure]:
    """One chart a measure. entry: a collection's part of the figures."""
    for metric in METRICS:
        found = entry["metrics"][metric]
        if found:
            yield _curve_figure(metric, found["curves"])


def _curve_figure(metric: str, curves: Mapping[str, Sequence[Mapping[str, Any]]]) -> Figure:
    """Lines in the order of the arms, the legend in that of their ends."""
    styles = {name: 1 + i % N_STYLES for i, name in enumerate(curves)}
    y_axis = share_axis([point["mean"] for points in curves.values() for point in points])
    lines = [_series(name, points, styles[name], y_axis.ticks[0]) for name, points in curves.items()]
    labels = [point["n_human"] for points in curves.values() for point in points]
    highest = sorted(curves, key=lambda name: -curves[name][-1]["mean"])
    note = f"{NOTES[metric]} {BANDS}"
    alt = f"{HEADINGS[metric]} by labels by people, {len(curves)} curves; highest at its end: {highest[0]}"
    drawing = line_chart(lines, labels_axis(labels), y_axis, alt, frame=WIDE)
    keys = tuple(Key(f"line-{styles[name]}", name) for name in highest)
    columns = ("Arm", "Labels by people", "Mean", "Low", "High", "Seeds")
    rows = tuple(_row(name, point) for name, points in curves.items() for point in points)
    return Figure(HEADINGS[metric], note, drawing, keys, columns, rows)


def _series(name: str, points: Sequence[Mapping[str, Any]], style: int, floor: float) -> Series:
    band = [None if point["low"] is None else _ends(point, floor) for point in points]
    return Series(name, [point["n_human"] for point in points], [point["mean"] for point in points], style, band)


def _ends(point: Mapping[str, Any], floor: float) -> tuple[float, float]:
    """Both ends of a band, no lower than the chart reaches and no higher than a share can be."""
    return max(floor, point["low"]), min(1.0, point["high"])


def _row(name: str, point: Mapping[str, Any]) -> tuple[str, ...]:
    ends = (percent(point[end]) for end in ("mean", "low", "high"))
    return name, count(point["n_human"]), *ends, count(point["n"])


def tables(entry: Mapping[str, Any], baseline: str | None) -> Iterator[Figure]:
    """What the charts cannot say: labels to each target, the ends of the runs, areas, leads."""
    if any(found["labels_to"]["accuracy"] for found in entry["arms"].values()):
        yield _labels_table(entry)
    yield _end_table(entry)
    accuracy = entry["metrics"]["accuracy"]
    if accuracy and accuracy["lead"]:
        yield _lead_table(accuracy["lead"], str(baseline))


def _labels_table(entry: Mapping[str, Any]) -> Figure:
    arms = entry["arms"]
    targets = [reached["target"] for reached in next(iter(arms.values()))["labels_to"]["accuracy"]]
    columns = ("Arm", *(f"{percent(target)} right" for target in targets))
    rows = tuple(
        (name, *(labels_to_target(reached, _from_to) for reached in found["labels_to"]["accuracy"]))
        for name, found in arms.items()
    )
    note = (
        "Labels by people, the audit included, at the first round after which at least that share of all labels is "
        "right. Mean with its 95 % interval where every seed got there."
    )
    return Figure("Labels to a target", note, columns=columns, rows=rows)


def labels_to_target(reached: Mapping[str, Any], interval: Callable[[Mapping[str, Any]], str]) -> str:
    """The mean with its interval as that is written, or how many seeds got there."""
    found = reached["labels"]
    if found is None:
        return f"{reached['n_reached']} of {reached['n_seeds']} seeds" if reached["n_reached"] else "not reached"
    return f"{count(found['mean'])}{'' if found['low'] is None else interval(found)}"


def _from_to(labels: Mapping[str, Any]) -> str:
    return f" ({count(max(0.0, labels['low']))} to {count(labels['high'])})"


def _end_table(entry: Mapping[str, Any]) -> Figure:
    columns = (
        *("Arm", "Seeds", "Labels", "Audit", "All labels right", "Area under it", "Test", "Covered"),
        *("Automatic labels wrong", "Bound", "Computing"),
    )
    accuracy = entry["metrics"]["accuracy"]
    areas = accuracy["area"] if accuracy else {}
    rows = tuple(_end_row(name, found, areas.get(name)) for name, found in entry["arms"].items())
    note = "Means over seeds with half the width of the 95 % interval. The area is the mean height of the curve above."
    return Figure("At the end", note, columns=columns, rows=rows)


def _end_row(name: str, found: Mapping[str, Any], area: Mapping[str, Any] | None) -> tuple[str, ...]:
    end = found["final"]
    return (
        *(name, count(found["n_seeds"]), _mean(end["n_human"], count), _mean(end["n_audit"], count)),
        *(_with_half(end["accuracy"]), _with_half(area), _with_half(end["test_accuracy"])),
        *(_with_half(end["coverage"]), _with_half(end["auto_error"]), _mean(end["upper_bound"], percent)),
        _mean(found["seconds"], duration),
    )


def _mean(found: Mapping[str, Any] | None, write: Any) -> str:
    return MISSING if found is None else str(write(found["mean"]))


def _with_half(found: Mapping[str, Any] | None) -> str:
    if found is None or found["low"] is None:
        return _mean(found, percent)
    return f"{percent(found['mean'])} ± {100 * (found['high'] - found['mean']):.1f}"


def _lead_table(lead: Mapping[str, Any], baseline: str) -> Figure:
    rows = tuple(
        (name, points(found["mean"]), _ends_in_points(found), count(found["n_human"])) for name, found in lead.items()
    )
    columns = ("Arm", "Least lead, points", "95 % interval", "at labels")
    note = f"Where an arm stands worst against {baseline}, over the budgets that all runs have."
    return Figure(f"Never below {baseline}?", note, columns=columns, rows=rows)


def points(share: float) -> str:
    """0.0123 → "+1.23": a difference of shares in percentage points."""
    return f"{100 * share:+.2f}"


def _ends_in_points(found: Mapping[str, Any]) -> str:
    return MISSING if found["low"] is None else f"{points(found['low'])} to {points(found['high'])}"


def standalone(figure: Figure, css: str) -> str:
    """A chart as an SVG file of its own: with its colours, and its legend below."""
    width, height = WIDE.width, WIDE.height
    legend, depth = _legend(figure.keys, width)
    text = str(figure.drawing).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    text = text.replace(f'viewBox="0 0 {width:g} {height:g}"', f'viewBox="0 0 {width:g} {height + depth:g}"', 1)
    style = f'<style>{css}</style><rect class="paper" width="100%" height="100%"/>'
    return text.replace(">", f">{style}", 1).replace("</svg>", f"{legend}</svg>") + "\n"


def _legend(keys: Sequence[Key], width: float) -> tuple[Markup, float]:
    entry = Markup('<rect class="{}" x="{}" y="{}" width="10" height="10" rx="2"/><text x="{}" y="{}">{}</text>')
    columns, parts = 3, []
    for i, key in enumerate(keys):
        x, y = 20 + (i % columns) * (width - 30) / columns, WIDE.height + 8 + 20 * (i // columns)
        mark = key.mark.replace("line", "mark")
        parts.append(entry.format(mark, f"{x:g}", f"{y:g}", f"{x + 16:g}", f"{y + 9.5:g}", key.name))
    return Markup("").join(parts), 20 * (1 + (len(keys) - 1) // columns) + 8
