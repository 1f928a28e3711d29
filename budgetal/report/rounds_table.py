"""All rounds as one table."""

from budgetal.report.data import RoundRow
from budgetal.report.numbers import count, decimal, duration, money, percent, percent_at_most

ROUND_COLUMNS = (
    "Round",
    "By people",
    "Automatic",
    "Taken back",
    "Coverage",
    "Audit accuracy",
    "Test accuracy",
    "Certified error",
    "Training loss",
    "Cost",
    "Time",
)


def round_cells(row: RoundRow) -> tuple[str, ...]:
    """One round as text, in the order of ROUND_COLUMNS."""
    return (
        str(row.round),
        count(row.n_human),
        count(row.n_auto),
        count(row.n_taken_back),
        percent(row.coverage),
        percent(row.audit_accuracy),
        percent(row.test_accuracy),
        "none" if row.upper_bound is None else f"≤ {percent_at_most(row.upper_bound)}",
        decimal(row.train_loss),
        money(row.spent),
        duration(row.seconds),
    )
