"""The table of what is known of every class, as text."""

from collections.abc import Mapping, Sequence
from typing import Any

from budgetal.report.numbers import count, percent_at_most

CLASS_COLUMNS = ("Class", "Trained on", "In the audit", "Predicted", "Automatic", "Certified")


def class_cells(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """One row a class of `class_coverage` in report.json."""
    names = ("n_training", "n_audit_true", "n_predicted", "n_auto")
    return [(row["class"], *(count(row[name]) for name in names), certified_cell(row)) for row in rows]


def certified_cell(row: Mapping[str, Any]) -> str:
    """Whether the class is certified, what it lacks, and where nobody has seen it."""
    unseen = [where for name, where in (("n_training", "training"), ("n_audit_true", "the audit")) if not row[name]]
    never = f"; never seen in {' or '.join(unseen)}" if unseen else ""
    return _certified(row) + never


def _certified(row: Mapping[str, Any]) -> str:
    if row["certified"]:
        return f"at most {percent_at_most(row['upper_bound'])} wrong"
    if row["more_audit"] is None:
        nothing_seen = row.get("n_audit_predicted") == 0
        return "not certified: " + ("no random audit of it" if nothing_seen else "the audit shows too many errors")
    n = row["more_audit"]
    return f"not certified: {count(n)} more audit image{'' if n == 1 else 's'} of it needed"
