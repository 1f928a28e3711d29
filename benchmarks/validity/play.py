"""One run: queries, an audit that they pass over, and every look that the library would take."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from budgetal.annotators.budget_annotator import Audit, AutoLabels, auto_label
from budgetal.annotators.per_class import AuditedPool, certify_per_class
from budgetal.annotators.proposals import from_probabilities
from budgetal.annotators.risk import final_risk, round_risk
from budgetal.budget.plan import plan_budget
from budgetal.config import make_config
from budgetal.types import RowArray
from validity.methods import ALTERNATIVES, CERTIFIED, PER_CLASS
from validity.worlds import World

ROUNDS, ROUNDS_AFTER_EXTENSION = 4, 2


@dataclass(frozen=True)
class Setting:
    """target: coverage at which the run ends; None: it goes on to its planned end, twice, with a larger budget."""

    tolerance: float
    risk: float
    budget: int
    target: float | None = None


@dataclass(frozen=True)
class Outcome:
    """Of one method in one run: whether a promise was broken, and the share of the pool labelled at the end."""

    broken: bool
    coverage: float


class Run:
    """The state of one run. Audit answers reach looks only, queries see who is open and never who is audited."""

    def __init__(self, world: World, setting: Setting, rng: np.random.Generator) -> None:
        self.world, self.setting, self.rng = world, setting, rng
        self.n, self.looks = len(world.truth), list[bool]()
        names = tuple(str(target) for target in np.unique(world.truth))
        config = make_config(
            images="none", classes=names, budget=setting.budget, tolerance=setting.tolerance, risk=setting.risk
        )
        self.plan = plan_budget(config, self.n)
        self.batch = max(1, (setting.budget - self.plan.audit) // (ROUNDS + 1))
        self.is_open, self.is_labelled = np.ones(self.n, bool), np.zeros(self.n, bool)
        self._ask(rng.permutation(self.n), np.empty(0, np.int64))
        self.audit = np.sort(rng.choice(np.flatnonzero(self.is_open), self.plan.audit, replace=False))

    def play(self) -> dict[str, Outcome]:
        """Every method's outcome: the certificate's over all looks that spend risk, the others' at the end."""
        has_target = self.setting.target is not None
        for round in range(ROUNDS):
            self.predict(round)
            if has_target:
                labels = self._look(round_risk(self.setting.risk, round, has_target=True))
                if self._covered(labels) >= self.setting.target:
                    return self._outcomes(round, labels, round_risk(self.setting.risk, round, has_target=True))
            self.query()
        return self._end(ROUNDS, has_target)

    def _end(self, round: int, has_target: bool) -> dict[str, Outcome]:
        """The planned end, then a larger budget and the end of that."""
        for n_earlier in range(2):
            self.predict(round)
            risk = final_risk(self.setting.risk, n_earlier, has_target=has_target)
            labels = self._look(risk)
            if n_earlier == 0:
                first = self._outcomes(round, labels, risk)
            for _ in range(ROUNDS_AFTER_EXTENSION):
                self.query()
        return {**first, CERTIFIED: Outcome(any(self.looks), first[CERTIFIED].coverage)}

    def predict(self, round: int) -> None:
        """What the model says of every image after this round."""
        self.probs = self.world.predict(round, np.flatnonzero(self.is_labelled), self.rng)

    def query(self) -> None:
        """Margin sampling over all open images, the audit among them."""
        two = np.partition(self.probs, -2, axis=1)[:, -2:]
        margin = two.max(axis=1) - two.min(axis=1)
        self._ask(np.argsort(margin, kind="stable"), self.audit)

    def _ask(self, ranking: RowArray, audit: RowArray) -> None:
        """Walk the ranking until a batch outside the audit is found; audit images met on the way are passed over."""
        ranking = ranking[self.is_open[ranking]]
        others = np.flatnonzero(~np.isin(ranking, audit))
        end = others[self.batch - 1] + 1 if len(others) >= self.batch else len(ranking)
        self.is_open[ranking[:end]] = False
        self.is_labelled[ranking[others[: self.batch]]] = True

    def open_audit(self) -> RowArray:
        """What is left of the audit."""
        return self.audit[self.is_open[self.audit]]

    def _look(self, risk: float) -> AutoLabels:
        audit = self.open_audit()
        open_rows = np.flatnonzero(self.is_open)
        seen = Audit(audit, self.world.truth[audit])
        labels = auto_label(from_probabilities(self.probs), open_rows, seen, self.setting.tolerance, risk)
        if labels.certificate is not None:
            wrong = (labels.targets != self.world.truth[labels.rows]).mean()
            self.looks.append(bool(wrong > labels.certificate.upper_bound))
        return labels

    def _covered(self, labels: AutoLabels) -> float:
        return (len(labels.rows) + int(self.is_labelled.sum()) + len(self.audit)) / self.n

    def _outcomes(self, round: int, labels: AutoLabels, risk: float) -> dict[str, Outcome]:
        certified = Outcome(any(self.looks), len(labels.rows) / self.n)
        return {CERTIFIED: certified, PER_CLASS: self._per_class(risk), **dict(self._others(round))}

    def _per_class(self, risk: float) -> Outcome:
        """All classes' promises of one look; at its own risk that is a family by itself."""
        rows, audit = np.flatnonzero(self.is_open), self.open_audit()
        scores, predicted = self.probs[rows].max(axis=1), self.probs[rows].argmax(axis=1)
        wrong, at = predicted != self.world.truth[rows], np.searchsorted(rows, audit)
        tolerance, n_classes = self.setting.tolerance, self.probs.shape[1]
        broken, n_auto = False, 0
        pool = AuditedPool(scores, predicted, at, wrong[at])
        for part in certify_per_class(pool, tolerance, risk, n_classes):
            if part.certificate is not None:
                chosen = (predicted == part.target) & (scores >= part.certificate.threshold)
                chosen[at] = False
                broken |= bool(wrong[chosen].mean() > part.certificate.upper_bound)
                n_auto += int(chosen.sum())
        return Outcome(broken, n_auto / self.n)

    def _others(self, round: int) -> Iterator[tuple[str, Outcome]]:
        audit = self.open_audit()
        is_free = self.is_open.copy()
        is_free[audit] = False
        wrong = self.probs.argmax(axis=1) != self.world.truth
        for name, choose in ALTERNATIVES.items():
            chosen = is_free & choose(self.probs, audit, self.world.truth[audit], self.setting.tolerance, round)
            broken = chosen.any() and wrong[chosen].mean() > self.setting.tolerance
            yield name, Outcome(bool(broken), chosen.mean())
