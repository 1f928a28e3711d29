"""The forecast of a project: what its rounds say of the labels to come, and what these would cost.

It reads audit answers, so it is for people only: nothing here may reach a query, a training set or a certificate.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from budgetal.answers import classed, targets_of
from budgetal.budget import advice
from budgetal.budget.advice import Costs
from budgetal.budget.cost import cost_of_a_mistake
from budgetal.budget.curves import Floats
from budgetal.budget.forecast import LEVEL, Forecast, History, forecast, why_not
from budgetal.data.pool import Pool
from budgetal.errors import ConfigError, StorageError
from budgetal.metrics import confusion_matrix
from budgetal.seeding import generator
from budgetal.state import RoundRecord, State
from budgetal.store.arrays import ArrayStore
from budgetal.types import Json, RowArray

PURCHASES = (100, 500, 1_000)
N_CURVE_POINTS = 25
NOTE = (
    "A forecast reads audit answers. It steers no query and no training. Whoever ends the run because of it has "
    "chosen the end: the last certificate then has its round's share of the risk only, far less than a planned end's."
)


class Planner:
    """Forecasts for one state of a project. batch: the size of its later queries."""

    def __init__(self, state: State, pool: Pool, arrays: ArrayStore, batch: int) -> None:
        self.state = state
        self.config = state.settings
        self.pool = pool
        self.arrays = arrays
        self.batch = batch
        # The error that is forecast is that of images of the classes.
        self._audit = classed(state, state.first_audit)
        self._n_held_out = sum(sample_id in state.labels for sample_id in state.audit)
        self._targets = targets_of(state, self._audit)

    def forecast(self, coverage: float | None = None, accuracy: float | None = None) -> dict[str, Json]:
        """The content of `forecast` in report.json; `reason` says why there is none.

        coverage, accuracy: targets in (0, 1]; coverage is the project's when left out. Raises ConfigError.
        """
        targets = _targets(self.config.target_coverage if coverage is None else coverage, accuracy)
        history = self._history()
        reason = why_not(history)
        fields: dict[str, Json] = {"reason": reason, "spent": self._spent(), "note": NOTE}
        if reason:
            return fields
        found = forecast(history, generator(self.config.seed, len(self.state.rounds), "forecast"))
        return {**fields, **self._advice(found, targets)}

    def _advice(self, found: Forecast, targets: Sequence[tuple[str, float]]) -> dict[str, Json]:
        costs, history = self._costs(), found.history
        next_batch = advice.next_batch(found, costs, self.batch)
        return {
            "level": LEVEL,
            "n_rounds": len(history.n_training),
            "n_training": int(history.n_training[-1]),
            "n_audit": history.n_audit,
            "cost_per_label": costs.label,
            "laws": {"error": dict(found.error_law.law), "uncovered": dict(found.uncovered_law.law)},
            "curves": _curves(found),
            "next": [asdict(advice.purchase(found, costs, n)) for n in PURCHASES],
            "targets": [asdict(advice.route(found, costs, *target)) for target in targets],
            "cheapest": asdict(advice.cheapest(found, costs)),
            "next_batch": {**asdict(next_batch), "pays": next_batch.pays},
        }

    def _history(self) -> History:
        rounds = self.state.rounds
        return History(
            n_training=np.array([max(1, record.n_human - self._n_held_out) for record in rounds], dtype=np.int64),
            wrong=self._wrong(rounds),
            coverage=np.array([record.coverage for record in rounds]),
            n_samples=self.state.n_samples,
            n_audit=len(self._audit),
            n_fixed=self._n_held_out,
            n_waiting=max(0, len(self.state.labels) - rounds[-1].n_human) if rounds else 0,
        )

    def _wrong(self, rounds: Sequence[RoundRecord]) -> Floats:
        """(r, a) by audit image, or (r,) in all where the probabilities of a round are gone."""
        if any(record.round not in self.state.probs_refs for record in rounds):
            return np.array([1 - (record.audit_accuracy or 0.0) for record in rounds])
        try:
            wrong = [self._predicted(record.round) != self._targets for record in rounds]
        except StorageError:
            return np.array([1 - (record.audit_accuracy or 0.0) for record in rounds])
        return np.array(wrong, dtype=np.float64).reshape(len(rounds), len(self._audit))

    def _predicted(self, round: int) -> RowArray:
        probs: NDArray[np.float32] = self.arrays.get(self.state.probs_refs[round])
        return np.asarray(probs[self.pool.rows(self._audit)].argmax(axis=1), dtype=np.int64)

    def _spent(self) -> dict[str, Json]:
        hours = sum(record.seconds for record in self.state.rounds) / 3600
        ledger = self.state.ledger
        return {
            "n_labels": ledger.spent,
            "money": ledger.spent_money,
            "compute_hours": hours,
            "compute_money": hours * self.config.cost_per_compute_hour,
            # Those that wait for an answer are left to be given; that of a skipped image never will be.
            "n_labels_left": ledger.available + len(self.state.open_items),
        }

    def _costs(self) -> Costs:
        return Costs(
            self._cost_per_label(), self.config.cost_per_compute_hour, self._hours_per_label(), *self._mistakes()
        )

    def _cost_per_label(self) -> float:
        """The mean price of the labels trained on so far; the plain price before there is one that was paid for."""
        paid = {kind: n for kind, n in self.state.paid.items() if not kind.is_audit}
        n = sum(paid.values())
        return self.state.ledger.prices.total(paid) / n if n else self.config.cost_per_label

    def _hours_per_label(self) -> float:
        """Of computing, over all rounds but the first, which also embeds the images."""
        first, *later = self.state.rounds
        n_labels = later[-1].n_human - first.n_human
        return sum(record.seconds for record in later) / 3600 / n_labels if n_labels > 0 else 0.0

    def _mistakes(self) -> tuple[float | None, float]:
        """What a wrong label costs, and how many of the automatic ones are wrong by the last certificate's counts."""
        seen = self.state.certificate
        auto_error = (seen.errors + 0.5) / (seen.n_audit + 1) if seen else self.config.tolerance
        cost = self.config.cost_per_wrong_label
        if cost is None:
            return None, min(auto_error, self.config.tolerance)
        given = cost if isinstance(cost, float) else np.array(cost)
        return cost_of_a_mistake(given, self._confusion()), min(auto_error, self.config.tolerance)

    def _confusion(self) -> NDArray[np.int64]:
        n_classes = len(self.config.classes)
        try:
            predicted = self._predicted(self.state.rounds[-1].round)
        except StorageError:
            return np.zeros((n_classes, n_classes), dtype=np.int64)
        return confusion_matrix(self._targets, predicted, n_classes)


def _targets(coverage: float | None, accuracy: float | None) -> list[tuple[str, float]]:
    given = {"coverage": coverage, "accuracy": accuracy}
    for name, value in given.items():
        if value is not None and not 0 < value <= 1:
            raise ConfigError(f"Target {name} cannot be {value}: it is a share above 0 and at most 1")
    return [(name, value) for name, value in given.items() if value is not None]


def _curves(found: Forecast) -> list[Json]:
    """Bands from the first round on, to a thousand labels or half as many again beyond the last."""
    first, last = int(found.history.n_training[0]), int(found.history.n_training[-1])
    end = found.history.n_to_train_on + min(advice.n_left(found), max(PURCHASES[-1], last // 2))
    places = np.unique(np.linspace(first, end, N_CURVE_POINTS).round().astype(np.int64))
    at = places.astype(np.float64)
    accuracy, coverage = found.accuracies(at), found.coverages(at)
    return [
        {
            "n_human": int(n) + found.history.n_fixed,
            "accuracy": _as_json(advice.band(accuracy[:, i])),
            "coverage": _as_json(advice.band(coverage[:, i])),
        }
        for i, n in enumerate(places)
    ]


def _as_json(band: advice.Band) -> dict[str, Any]:
    return asdict(band)
