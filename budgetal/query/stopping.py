"""When to stop asking: pure functions of numbers that the journal has."""

from collections.abc import Sequence


def budget_spent(spent: float, budget: float, next_query: float = 1) -> bool:
    """True when the next query, of cost `next_query`, no longer fits: spent + next_query > budget.

    All in one unit, labels or money. Raises ValueError for negative amounts.
    """
    if min(spent, budget, next_query) < 0:
        raise ValueError(f"Amounts cannot be negative: {spent=}, {budget=}, {next_query=}")
    return spent + next_query > budget


def target_reached(coverage: float | None, target: float | None) -> bool:
    """True when the certified share of the pool is at least `target`; False while either is None.

    Both are fractions in [0, 1]. Raises ValueError when one is not.
    """
    if coverage is None or target is None:
        return False
    if not (0 <= coverage <= 1 and 0 <= target <= 1):
        raise ValueError(f"Coverage and target are fractions in [0, 1], got {coverage} and {target}")
    return coverage >= target


def plateau(curve: Sequence[float], rounds: int, min_gain: float = 0.0) -> bool:
    """True when the last `rounds` values bring no gain: their best ≤ the best before them + `min_gain`.

    `curve` has one value a round, higher is better (accuracy, coverage). Best against best, so that
    one noisy round neither stops a run nor keeps it going; False until there are more than `rounds`
    values. Raises ValueError for rounds < 1, a negative gain or NaN in the curve.
    """
    if rounds < 1 or min_gain < 0 or any(value != value for value in curve):
        raise ValueError(f"Need rounds ≥ 1, min_gain ≥ 0 and no NaN, got {rounds=}, {min_gain=}, {curve=}")
    if len(curve) <= rounds:
        return False
    return max(curve[-rounds:]) <= max(curve[:-rounds]) + min_gain


def stable(agreements: Sequence[float], rounds: int, threshold: float = 0.99) -> bool:
    """True when each of the last `rounds` models gave at least `threshold` of the pool the same class as
    the model before it.

    Stabilizing predictions (Bloodgood & Vijay-Shanker, CoNLL 2009). It looks at no label, so stopping
    by it costs a certificate nothing. Raises ValueError for rounds < 1.
    """
    if rounds < 1:
        raise ValueError(f"Need rounds ≥ 1, got {rounds}")
    return len(agreements) >= rounds and min(agreements[-rounds:]) >= threshold
