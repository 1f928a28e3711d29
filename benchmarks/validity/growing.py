"""Runs whose audit grows: raised under way or after an end, and labels kept for an end, drawn in its frame."""

from collections.abc import Mapping

import numpy as np

from budgetal.annotators.budget_annotator import Audit, auto_label
from budgetal.annotators.frame import frame_threshold
from budgetal.annotators.proposals import Proposals, from_probabilities
from budgetal.annotators.risk import final_risk, round_risk
from budgetal.types import RowArray
from validity.methods import CERTIFIED
from validity.play import ROUNDS, ROUNDS_AFTER_EXTENSION, Outcome, Run

GROWS_AFTER = 1


class GrowingRun:
    """A run that begins with half of its audit; the other half comes later.

    raised: the audit is raised after the second round, so that the first end counts as one by hand. Otherwise the
    other half is kept for the first end and drawn in its frame, and the audit is raised after that. Either way the
    second end, of a larger budget, has a last audit of its own.
    """

    def __init__(self, run: Run, *, raised: bool) -> None:
        self.run, self.raised, self.rng = run, raised, run.rng
        self.half = len(run.audit) // 2
        run.audit = np.sort(self.rng.choice(run.audit, len(run.audit) - self.half, replace=False))

    def play(self) -> Mapping[str, Outcome]:
        """Whether any look that is part of the promise was false, and the coverage at the first end."""
        run, risk = self.run, self.run.setting.risk
        for round in range(ROUNDS):
            run.predict(round)
            if self.raised and round == GROWS_AFTER:
                self._raise()
            run.query()
        run.predict(ROUNDS)
        # The settings were changed under way where the audit was raised: its first end is a chosen one.
        share = round_risk(risk, ROUNDS, has_target=False) if self.raised else final_risk(risk, 0, has_target=False)
        coverage = self._end(share, with_last_audit=not self.raised)
        if not self.raised:
            self._raise()
        for _ in range(ROUNDS_AFTER_EXTENSION):
            run.query()
        run.predict(ROUNDS)
        self._end(final_risk(risk, int(not self.raised), has_target=False), with_last_audit=True)
        return {CERTIFIED: Outcome(any(run.looks), coverage)}

    def _raise(self) -> None:
        """More of the audit, uniformly from the open images outside it."""
        others = np.setdiff1d(np.flatnonzero(self.run.is_open), self.run.audit)
        drawn = self.rng.choice(others, min(self.half, len(others)), replace=False)
        self.run.audit = np.sort(np.concatenate([self.run.audit, drawn]))

    def _end(self, risk: float, *, with_last_audit: bool) -> float:
        proposals, open_rows = from_probabilities(self.run.probs), np.flatnonzero(self.run.is_open)
        if not with_last_audit:
            return self._look(proposals, open_rows, self.run.open_audit(), risk)
        threshold = frame_threshold(proposals, open_rows, self.run.setting.tolerance)
        frame = open_rows[proposals.scores[open_rows] >= threshold]
        asked, hits = self._walk(self.rng.permutation(frame))
        self.run.is_open[np.concatenate([asked, hits])] = False
        audit = np.concatenate([asked, hits, np.intersect1d(self.run.open_audit(), frame)])
        coverage = self._look(proposals, frame, np.sort(audit), risk)
        self.run.is_labelled[asked] = True
        return coverage

    def _walk(self, walk: RowArray) -> tuple[RowArray, RowArray]:
        """Images until `half` of them lie outside the audit: those, and the audit's that were met."""
        is_audit = np.isin(walk, self.run.audit)
        others = np.flatnonzero(~is_audit)
        end = others[self.half - 1] + 1 if len(others) >= self.half > 0 else len(walk)
        return walk[:end][~is_audit[:end]], walk[:end][is_audit[:end]]

    def _look(self, proposals: Proposals, open_rows: RowArray, audit: RowArray, risk: float) -> float:
        run = self.run
        seen = Audit(audit, run.world.truth[audit])
        labels = auto_label(proposals, open_rows, seen, run.setting.tolerance, risk)
        if labels.certificate is not None:
            wrong = (labels.targets != run.world.truth[labels.rows]).mean()
            run.looks.append(bool(wrong > labels.certificate.upper_bound))
        return len(labels.rows) / run.n
