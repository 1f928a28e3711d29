"""The budget annotator in a run: what is proposed, what of it is labelled and promised, what of it trains.

Certified labels are those above a threshold that audit answers support. The labellers without a guarantee read no
audit answer at all. What trains the next round is in both cases chosen without audit answers, audit images included.
"""

import numpy as np

from budgetal import journal
from budgetal.annotators.budget_annotator import (
    NOTHING,
    AutoLabels,
    PseudoLabels,
    auto_label,
    pseudo_labels,
    weighted_labels,
)
from budgetal.annotators.no_guarantee import LABELLERS, label_without_guarantee
from budgetal.annotators.proposals import Proposals, from_probabilities
from budgetal.annotators.whole import label_whole
from budgetal.data.pool import Pool
from budgetal.evidence import drawn_by_weight, evidence, proposals_of
from budgetal.scoring import Scorer
from budgetal.state import State
from budgetal.store.arrays import ArrayStore
from budgetal.store.events import NewEvent
from budgetal.types import Prediction, RowArray


class Labelling:
    """Labels automatically for one project, as its setting `auto_labeller` says."""

    def __init__(self, scorer: Scorer, pool: Pool, arrays: ArrayStore) -> None:
        self.scorer = scorer
        self.config = scorer.config
        self.pool = pool
        self.arrays = arrays

    @property
    def is_off(self) -> bool:
        """Whether nothing is labelled automatically."""
        return self.config.auto_labeller == "none"

    @property
    def is_certified(self) -> bool:
        """Whether looks at the audit decide what is labelled, and spend risk."""
        return not self.is_off and self.config.auto_labeller not in LABELLERS

    def proposals(self, state: State, round: int, prediction: Prediction) -> Proposals | None:
        """What would be labelled in this round; None: the most probable classes, by the model's own confidence."""
        if self.is_off:
            return None
        if self.is_certified:
            return self.scorer.proposals(state, round, prediction)
        view, rng = self.scorer.view(state, round, prediction), self.scorer.rng(round)
        return LABELLERS[self.config.auto_labeller](view, self.config, round, rng)

    def label(self, state: State, proposals: Proposals, risk: float) -> AutoLabels:
        """The automatic labels in this state, with their certificate if they get one at this risk."""
        if self.is_off:
            return NOTHING
        return label(state, self.pool, proposals, risk)

    def training_labels(self, state: State, open_rows: RowArray, most: int) -> PseudoLabels | None:
        """What the last model is sure of, at most `most` of it; None before there is one, or where nothing may be."""
        if self.is_off or state.probs_ref is None:
            return None
        weight = self.config.auto_label_weight
        if self.is_certified:
            probs = self.arrays.get(state.probs_ref)
            return pseudo_labels(probs, open_rows, self.config.tolerance, weight, most)
        proposals = proposals_of(state, self.arrays)
        if proposals is None:
            return None
        return weighted_labels(proposals, open_rows[proposals.possible[open_rows]], weight, most)

    def in_force(self, state: State) -> tuple[RowArray, RowArray]:
        """Rows and classes of the automatic labels in force."""
        if state.auto is None:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        rows, targets = self.arrays.get(state.auto.ref)
        return rows, targets

    def recorded(self, state: State, round: int, labels: AutoLabels, risk: float, *, final: bool) -> NewEvent:
        """The event that puts these labels in force; without a guarantee no risk is spent."""
        before, now = self.in_force(state)[0], labels.rows
        counts = len(now), len(np.setdiff1d(now, before)), len(np.setdiff1d(before, now))
        ref = self.arrays.put(np.stack([labels.rows, labels.targets]), "auto")
        spent = 0.0 if self.config.auto_labeller in LABELLERS else risk
        return journal.auto_labelled(round, ref, counts, labels.certificate, spent, final=final)


def label(state: State, pool: Pool, proposals: Proposals, risk: float) -> AutoLabels:
    """What `proposals` come to in this state: what is certified at this risk, or all of them without a guarantee."""
    rests_on = evidence(state, pool, proposals)
    if state.settings.auto_labeller in LABELLERS:
        return label_without_guarantee(proposals, rests_on.open_rows, rests_on.audit)
    config = state.settings
    if config.labels_everything:
        return label_whole(proposals, drawn_by_weight(state, pool, proposals), config.tolerance, risk)
    n_classes = len(config.classes) if config.thresholds == "per_class" else None
    terms = config.tolerance, risk, state.n_thresholds, n_classes
    return auto_label(proposals, rests_on.open_rows, rests_on.audit, *terms)


def or_most_probable(proposals: Proposals | None, prediction: Prediction) -> Proposals:
    """`proposals`, or what None stands for."""
    return proposals or from_probabilities(prediction.probs)
