"""The machine's part of a round: choose a query, fit, predict, label automatically, measure.

Nothing here writes to the journal. Each step reads a State and returns the events that it would add, so
that Project can write a step whole or not at all, and a killed step leaves no trace.

Information flows one way: audit answers reach certificates and metrics, never the training set or the choice
of a query. Which images are in the audit is likewise hidden from both. The audit therefore stays a uniform
sample of the images that no query has touched, whatever the strategy does, and its bound is exact. The one
thing that audit answers may decide, whether queries become random, has its share of the risk (annotators.risk). How
long an audit by weight goes on they may decide for nothing: its bound holds after every answer at once.
"""

from collections.abc import Callable

import numpy as np

from budgetal import journal
from budgetal.annotators.budget_annotator import MOST_PSEUDO_LABELS_PER_HUMAN
from budgetal.annotators.outliers import Outliers, without_outliers
from budgetal.annotators.proposals import Proposals
from budgetal.annotators.risk import final_risk, risk_after_guard, round_risk, weighted_audit_risk
from budgetal.budget.plan import BudgetPlan
from budgetal.choosing import Chooser, Pick
from budgetal.data.pool import Pool
from budgetal.evidence import proposals_of
from budgetal.guarding import judge_strategy
from budgetal.labelling import Labelling, or_most_probable
from budgetal.measuring import Measuring
from budgetal.ruling_out import apart, find_outliers, outliers_of
from budgetal.scoring import Scorer
from budgetal.state import State
from budgetal.store.events import NewEvent
from budgetal.types import EpochRecord, Json, Prediction, Purpose, RowArray, TrainingSet
from budgetal.views import Views
from budgetal.workspace import Workspace


class Learner:
    """Trains and predicts for one project. Holds pixels and arrays; all decisions come from a State."""

    def __init__(self, space: Workspace, pool: Pool, plan: BudgetPlan) -> None:
        self.space = space
        self.config = space.config
        self.pool = pool
        self.plan = plan
        self.views = Views(space, pool)
        self.labelling = Labelling(Scorer(self.views), pool, space.arrays)
        self.chooser = Chooser(self.config, pool, space.arrays, self.views)
        self.measuring = Measuring(space, pool)

    # -- choosing ------------------------------------------------------------------------------

    def pick(self, state: State, purpose: Purpose, n: int, round: int) -> Pick:
        """The next `n` images to label, fewer where no more are left."""
        return self.chooser.pick(state, purpose, n, round)

    def pick_last(self, state: State, n: int) -> Pick:
        """Up to `n` images for the last audit."""
        return self.chooser.pick_last(state, n)

    def open_rows(self, state: State) -> RowArray:
        """Rows that no query has touched: automatic labels, and the hidden audit, come from these."""
        return self.chooser.open_rows(state)

    # -- training ------------------------------------------------------------------------------

    def fit(self, state: State, round: int, on_epoch: Callable[[EpochRecord], None]) -> NewEvent:
        """Fit the classifier on human labels and weighted automatic ones."""
        # Noted first: labels that come while training runs are not in this fit.
        up_to_seq, training_set = state.seq, self.training_set(state)
        return journal.fitted(round, self.space.engine.fit(training_set, round, on_epoch, state.model), up_to_seq)

    def training_set(self, state: State) -> TrainingSet:
        """Human labels outside the audit, then confident predictions of the last model."""
        rows = self.views.training_rows(state)
        targets = self.views.targets(state, rows)
        weights = np.ones(len(rows), dtype=np.float32)
        n_classes = len(self.config.classes)
        most = MOST_PSEUDO_LABELS_PER_HUMAN * len(rows)
        pseudo = self.labelling.training_labels(state, self._rows_of_classes(state), most)
        if pseudo is None:
            return TrainingSet(rows, targets, weights, len(rows), n_classes)
        return TrainingSet(
            np.concatenate([rows, pseudo.rows]),
            np.concatenate([targets, pseudo.targets]),
            np.concatenate([weights, pseudo.weights]),
            len(rows),
            n_classes,
        )

    def _rows_of_classes(self, state: State) -> RowArray:
        """Open rows without the possible outliers: no class is learnt from these."""
        return apart(self.open_rows(state), outliers_of(state, self.space.arrays))[0]

    # -- judging -------------------------------------------------------------------------------

    def assess(self, state: State, round: int, seconds: Callable[[], float]) -> list[NewEvent]:
        """Predict the pool, label automatically, and measure: the events that end a round.

        seconds: asked at the end for the machine's time in this round.
        """
        if state.model is None:
            raise ValueError("assess needs a fitted model: call fit first")
        prediction = self.space.engine.predict(state.model)
        risk = self._round_risk(state, round) if self._has_target else self._all_risk(state)
        outliers = find_outliers(self.views, state, round)
        own = self.labelling.proposals(state, round, prediction)
        proposals = without_outliers(or_most_probable(own, prediction), outliers)
        to_store = None if own is None and outliers is None else proposals
        labels = self.labelling.label(state, proposals, risk)
        measured = self.measuring.figures(state, state.model, prediction, labels)
        verdict = judge_strategy(self.views, state, round)
        return [
            journal.predicted(round, *self._stored(state, prediction, to_store), self._ruled_out(outliers)),
            *([verdict] if verdict else []),
            # Without a target this look decides nothing: it is shown at the full risk, for itself alone.
            self.labelling.recorded(state, round, labels, risk if self._has_target else 0.0, final=False),
            NewEvent("round_ended", {"round": round, **measured, "seconds": seconds()}),
        ]

    def has_shown_enough(self, state: State) -> bool:
        """Whether a last audit by weight has shown the tolerance already: its bound holds after every draw at once."""
        proposals = proposals_of(state, self.space.arrays)
        if not self.config.labels_everything or proposals is None or state.frame is None:
            return False
        certificate = self.labelling.label(state, proposals, self._weighted_audit_risk(state)).certificate
        return certificate is not None and certificate.tolerated <= self.config.tolerance

    def _weighted_audit_risk(self, state: State) -> float:
        return weighted_audit_risk(self._all_risk(state), state.frame.number if state.frame else 0)

    def final_labels(self, state: State, *, planned: bool) -> NewEvent | None:
        """The last look, with the risk that was kept for it; None where nothing was predicted.

        planned: the run came to its end by itself. Otherwise its end was chosen, by a target or by somebody,
        perhaps because of what the round's look showed. Then it is that look, paid for once.
        """
        proposals = proposals_of(state, self.space.arrays)
        if proposals is None or self.labelling.is_off:
            return None
        round = max(0, len(state.rounds) - 1)
        if self.config.labels_everything:
            return self._whole_at_the_end(state, proposals, round, planned=planned)
        risk = self._round_risk(state, round)
        if planned:
            risk = final_risk(self._all_risk(state), state.n_final_looks, has_target=self._has_target)
        labels = self.labelling.label(state, proposals, risk)
        spent = 0.0 if not planned and round in state.rounds_looked_at else risk
        return self.labelling.recorded(state, round, labels, spent, final=planned)

    def _whole_at_the_end(self, state: State, proposals: Proposals, round: int, *, planned: bool) -> NewEvent:
        """Every look at one draw has the same share, paid once, with those of draws that were given up."""
        risk = self._weighted_audit_risk(state)
        unpaid = range(state.n_weighted_audits_paid, state.n_weighted_audits)
        spent = sum(weighted_audit_risk(self._all_risk(state), number) for number in unpaid)
        labels = self.labelling.label(state, proposals, risk)
        return self.labelling.recorded(state, round, labels, spent if state.frame else 0.0, final=planned)

    @property
    def _has_target(self) -> bool:
        return self.config.target_coverage is not None

    def _all_risk(self, state: State) -> float:
        """The risk of all looks; a verdict of the guard that has changed no query yet costs nothing."""
        return risk_after_guard(self.config.risk, state.felt_fallback)

    def _round_risk(self, state: State, round: int) -> float:
        return round_risk(self._all_risk(state), round, has_target=self._has_target)

    def _stored(self, state: State, prediction: Prediction, proposals: Proposals | None) -> tuple[str, str, str | None]:
        """Refs of the arrays. A frozen backbone's embeddings never change and are stored once."""
        embeddings = state.embeddings_ref if self.config.finetune == "head" else None
        arrays = self.space.arrays
        return (
            arrays.put(prediction.probs, "probs"),
            embeddings or arrays.put(prediction.embeddings, "embeddings"),
            arrays.put(proposals.stored(), "proposals") if proposals else None,
        )

    def _ruled_out(self, outliers: Outliers | None) -> dict[str, Json] | None:
        """Outliers as the journal names them."""
        if outliers is None:
            return None
        return {"scores": self.space.arrays.put(outliers.scores, "outliers"), "threshold": outliers.threshold}

    def auto_labels(self, state: State) -> tuple[RowArray, RowArray]:
        """Rows and classes of the automatic labels in force."""
        return self.labelling.in_force(state)
