"""Every open image labelled, and what is promised of the whole collection: the labeller `whole`."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from budgetal.annotators.budget_annotator import NOTHING, Audit, AutoLabels
from budgetal.annotators.certificate import Certificate
from budgetal.annotators.proposals import Proposals
from budgetal.annotators.weighted_audit import most_wrong
from budgetal.types import RowArray

SHARE_AT_A_TIME = 0.1
"""Of the planned draws, asked together: after each such part the run may find that it has shown enough."""


@dataclass(frozen=True)
class WeightedDraw:
    """A last audit that was drawn by weight.

    rows: (N,) ascending, the rows that it was drawn from; sample_ids: of what was drawn, in order; known: that part of
    it which people labelled, or could not; first: of these in the order of the draw, up to the first image that nobody
    was heard of; n_planned: draws that it was to have when it began, None before; n_by_people: labels of people in the
    whole collection.
    """

    rows: RowArray
    sample_ids: tuple[str, ...]
    known: Audit
    first: Audit
    n_planned: int | None
    n_by_people: int


def error_chances(proposals: Proposals, rows: RowArray) -> NDArray[np.float64]:
    """(n,) how likely each of these rows is to get a wrong label, by scores taken for probabilities."""
    return 1 - np.clip(proposals.scores[rows].astype(np.float64), 0, 1)


def label_whole(proposals: Proposals, drawn: WeightedDraw, tolerance: float, risk: float) -> AutoLabels:
    """Label every row that people have not, with what a weighted audit says of these labels.

    The certificate's bound holds however the draw ended: `most_wrong` is above the truth after every draw at once, and
    what people found wrong is taken off. Nothing is labelled before the first answer.
    """
    rows, known, first = drawn.rows, drawn.known, drawn.first
    if drawn.n_planned is None or not len(known.rows):
        return NOTHING
    wrong = first.wrong(proposals.targets[first.rows])
    expected, positions = error_chances(proposals, rows), np.searchsorted(rows, first.rows)
    worst = most_wrong(expected, positions, wrong, drawn.n_planned, risk)
    free = np.setdiff1d(rows, known.rows, assume_unique=True)
    found = int(known.wrong(proposals.targets[known.rows]).sum())
    bound = min(max(0, worst - found), len(free)) / max(1, len(free))
    lowest = float(proposals.scores[rows].min())
    counts = len(known.rows), found, len(free)
    certificate = Certificate(tolerance, risk, bound, lowest, *counts, bound, n_all=len(free) + drawn.n_by_people)
    return AutoLabels(free, proposals.targets[free], certificate)
