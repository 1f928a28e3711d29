"""What a forecast says: in lines of text, as a table, and as two charts with their bands."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from budgetal.report.axes import labels_axis, share_axis
from budgetal.report.charts import Series, line_chart
from budgetal.report.data import RoundRow
from budgetal.report.figure import Figure, Key
from budgetal.report.numbers import count, decimal, duration, money, percent, percent_at_least

PURCHASE_COLUMNS = ("Labels more", "Cost", "Accuracy", "Coverage", "Accuracy gained", "Coverage gained")


def forecast_lines(forecast: Mapping[str, Any]) -> Iterator[str]:
    """All of it as lines of text. forecast: the content of `forecast` in report.json."""
    yield spent_line(forecast["spent"])
    if forecast["reason"]:
        yield forecast["reason"]
        return
    yield basis_line(forecast)
    for row in purchase_rows(forecast):
        labels, cost, accuracy, coverage, *_gained = row
        yield f"  {labels} labels more for {cost}: accuracy {accuracy}, coverage {coverage}"
    yield from advice_lines(forecast)
    yield forecast["note"]


def spent_line(spent: Mapping[str, Any]) -> str:
    """Labels, money and computing so far."""
    labels = count(spent["n_labels"]) + " labels" + _price(spent["money"])
    compute = duration(3600 * spent["compute_hours"]) + " of computing" + _price(spent["compute_money"])
    return f"Spent: {labels}, {compute}; {count(spent['n_labels_left'])} labels are left."


def basis_line(forecast: Mapping[str, Any]) -> str:
    """What was fitted."""
    return (
        f"Fitted to {forecast['n_rounds']} rounds, up to {count(forecast['n_training'])} labels trained on, judged by "
        f"{count(forecast['n_audit'])} audit labels. Ranges are {percent_at_least(forecast['level'])} bands."
    )


def purchase_rows(forecast: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """What the next labels buy, in the order of PURCHASE_COLUMNS."""
    shares = ("accuracy", "coverage", "accuracy_gain", "coverage_gain")
    return [
        (count(row["n_labels"]), _money(row["money"]), *(_range(row[name], percent) for name in shares))
        for row in forecast["next"]
    ]


def advice_lines(forecast: Mapping[str, Any]) -> Iterator[str]:
    """The way to each target, the cheapest end, and whether the next batch pays."""
    for target in forecast["targets"]:
        yield _route(target)
    yield _cheapest(forecast["cheapest"])
    yield _next_batch(forecast["next_batch"])


def accuracy_outlook(forecast: Mapping[str, Any], rounds: Sequence[RoundRow]) -> Figure:
    """Fitted accuracy with its band, over the rounds' audit accuracies."""
    return _figure("Accuracy to come", "accuracy", forecast, [(row.n_human, row.audit_accuracy) for row in rounds])


def coverage_outlook(forecast: Mapping[str, Any], rounds: Sequence[RoundRow]) -> Figure:
    """Fitted coverage with its band, over the rounds' coverages."""
    return _figure("Coverage to come", "coverage", forecast, [(row.n_human, row.coverage) for row in rounds])


def _figure(heading: str, name: str, forecast: Mapping[str, Any], seen: Sequence[tuple[int, float | None]]) -> Figure:
    points = forecast["curves"]
    labels = [point["n_human"] for point in points]
    bands = [point[name] for point in points]
    last = f"With {count(labels[-1])} labels by people, {_range(bands[-1], percent)}."
    fitted = Series(
        "Fitted", labels, [band["middle"] for band in bands], 1, [(band["low"], band["high"]) for band in bands]
    )
    measured = Series("Measured", [n for n, _ in seen], [value for _, value in seen], 2)
    values = [band["low"] for band in bands] + [value for _, value in seen if value is not None]
    drawing = line_chart([fitted, measured], labels_axis(labels), share_axis(values), f"{heading}. {last}")
    keys = (
        Key("line-1", "Fitted"),
        Key("band-1", f"{percent_at_least(forecast['level'])} band"),
        Key("line-2", "Measured"),
    )
    rows = tuple(
        (count(n), *(percent(band[end]) for end in ("low", "middle", "high")))
        for n, band in zip(labels, bands, strict=True)
    )
    return Figure(heading, last, drawing, keys, ("Labels by people", "Low", "Middle", "High"), rows)


def _route(route: Mapping[str, Any]) -> str:
    goal = f"{route['what'].capitalize()} of {percent(route['target'])}"
    if route["n_labels"]["low"] is None:
        return f"{goal}: not in sight before people have labelled all images (chance {percent(route['chance'])})."
    if route["n_labels"]["high"] == 0:
        return f"{goal}: reached."
    labels, cost = _range(route["n_labels"], count), _range(route["money"], _money)
    return f"{goal}: {labels} labels more, cost {cost}."


def _cheapest(split: Mapping[str, Any]) -> str:
    more = f"{count(split['n_more'])} labels more to train on" if split["n_more"] else "no label more to train on"
    left = f", {count(split['n_predicted'])} left to the model" if split["n_predicted"] else ""
    return (
        f"Cheapest way to label every image: {more}; in the end {count(split['n_human'])} by people, "
        f"{count(split['n_automatic'])} automatically{left}; cost from now {_range(split['money'], _money)}."
    )


def _next_batch(batch: Mapping[str, Any]) -> str:
    if not batch["n_labels"]:
        return "No image is left to label."
    verdict = "it pays" if batch["pays"] else "another label does not pay: stop"
    saving = f"are expected to save {_money(batch['expected_saving'])} ({_ends(batch['saving'], _money)})"
    return f"The next {count(batch['n_labels'])} labels cost {_money(batch['cost'])} and {saving}: {verdict}."


def _range(band: Mapping[str, Any], write: Any) -> str:
    """ "82.1 % (79.0 % to 85.2 %)"; what lies beyond the collection is "all images"."""
    middle = write(band["middle"]) if band["middle"] is not None else "all"
    return f"{middle} ({_ends(band, write)})"


def _ends(band: Mapping[str, Any], write: Any) -> str:
    return f"{write(band['low'])} to {write(band['high']) if band['high'] is not None else 'all images'}"


def _price(value: float) -> str:
    """ " for 75.50"; nothing of what is free."""
    return f" for {_money(value)}" if value else ""


def _money(value: float) -> str:
    return money(value) if abs(value) >= 1 or value == 0 else decimal(value)
