"""The test of forecasts: fitted to a run's first rounds, compared with what its later rounds measured."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from budgetal.budget.advice import band
from budgetal.budget.forecast import FEWEST_ROUNDS, History, forecast
from budgetal.seeding import generator
from forecasting.curves import Curve


@dataclass(frozen=True)
class Outcome:
    """A forecast from `n_fitted` rounds for a later one: the band, and whether what was measured lies in it.

    what: test accuracy, audit accuracy or coverage.
    """

    run: str
    what: str
    n_fitted: int
    n_ahead: int
    low: float
    high: float
    measured: float

    @property
    def holds(self) -> bool:
        """Whether the band holds what was measured."""
        return self.low <= self.measured <= self.high


def outcomes(curve: Curve) -> Iterator[Outcome]:
    """Of every number of first rounds and every round after them."""
    for n_fitted in range(FEWEST_ROUNDS, len(curve.n_training)):
        yield from _ahead(curve, n_fitted)


def _ahead(curve: Curve, n_fitted: int) -> Iterator[Outcome]:
    found = forecast(_history(curve, n_fitted), generator(0, n_fitted, "forecast"))
    at = curve.n_training[n_fitted:].astype(np.float64)
    audit = curve.right.mean(axis=1)
    of = {
        "test accuracy": (found.accuracies(at), curve.test_accuracy),
        "audit accuracy": (found.accuracies(at), audit),
        "coverage": (found.coverages(at), curve.coverage),
    }
    for what, (draws, measured) in of.items():
        for i, value in enumerate(measured[n_fitted:]):
            ends = band(draws[:, i])
            yield Outcome(curve.name, what, n_fitted, i + 1, ends.low or 0.0, ends.high or 0.0, float(value))


def _history(curve: Curve, n_rounds: int) -> History:
    n_audit = curve.right.shape[1]
    return History(
        curve.n_training[:n_rounds],
        (~curve.right[:n_rounds]).astype(np.float64),
        curve.coverage[:n_rounds],
        curve.n_samples,
        n_audit,
        n_audit,
    )


def table(found: Sequence[Outcome]) -> list[dict[str, object]]:
    """One row a collection and quantity."""
    rows = []
    for collection in sorted({outcome.run.split("-")[0] for outcome in found}):
        for what in ("test accuracy", "audit accuracy", "coverage"):
            some = [one for one in found if one.run.startswith(f"{collection}-") and one.what == what]
            rows.append({"collection": collection, "what": what, **_row(some)})
    return rows


def _row(some: Sequence[Outcome]) -> dict[str, object]:
    holds = np.array([one.holds for one in some])
    fewest = np.array([one.n_fitted == FEWEST_ROUNDS for one in some])
    width = np.array([one.high - one.low for one in some])
    by_run = [holds[[one.run == run for one in some]].mean() for run in sorted({one.run for one in some})]
    return {
        "runs": len(by_run),
        "forecasts": len(some),
        "holds": _rounded(holds),
        "holds_from_three_rounds": _rounded(holds[fewest]),
        "lowest_of_a_run": round(float(min(by_run)), 3),
        "below": _rounded(np.array([one.measured < one.low for one in some])),
        "above": _rounded(np.array([one.measured > one.high for one in some])),
        "width": _rounded(width),
    }


def _rounded(values: NDArray[np.generic]) -> float:
    return round(float(np.mean(values)), 3)
