"""The table of the people who answered, as text."""

from collections.abc import Mapping, Sequence
from typing import Any

from budgetal.report.numbers import count, duration, percent

PEOPLE_COLUMNS = (
    "Person",
    "Answers",
    "Right (expected)",
    "Known images right",
    "Images shared",
    "Agree with the outcome",
    "Pace",
)


def people_cells(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """One row a person of `annotators` in report.json; what is not known is a dash."""
    return [
        (
            row["annotator"],
            count(row["n_answers"]),
            _accuracy(row),
            _on_known(row),
            count(row["n_shared"]),
            _share(row["agreement"]),
            _pace(row.get("seconds_per_answer")),
        )
        for row in rows
    ]


def people_line(row: Mapping[str, Any]) -> str:
    """One person in a line of `budgetal status`."""
    parts = [f"{count(row['n_answers'])} answers"]
    if row["accuracy"] is not None:
        parts.append(f"right in {_accuracy(row)}")
    if row.get("n_known"):
        parts.append(f"known images right: {_on_known(row)}")
    if row["agreement"] is not None:
        parts.append(f"agrees on {_share(row['agreement'])} of {count(row['n_shared'])} shared images")
    if row.get("seconds_per_answer") is not None:
        parts.append(_pace(row["seconds_per_answer"]))
    return f"{row['annotator']}: {', '.join(parts)}"


def _accuracy(row: Mapping[str, Any]) -> str:
    if row["accuracy"] is None:
        return "–"
    return f"{percent(row['accuracy'])} ({percent(row['low'])} to {percent(row['high'])})"


def _on_known(row: Mapping[str, Any]) -> str:
    if not row.get("n_known"):
        return "–"
    right = f"{count(row['n_known_right'])} of {count(row['n_known'])}"
    return f"{right} ({percent(row['known_low'])} to {percent(row['known_high'])})"


def _share(share: float | None) -> str:
    return "–" if share is None else percent(share)


def _pace(seconds: float | None) -> str:
    return "–" if seconds is None else f"{duration(seconds)} an answer"
