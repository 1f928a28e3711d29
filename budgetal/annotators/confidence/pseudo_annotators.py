"""`pseudo_annotators`: classes on which learners agree whatever their annotators answered at random."""

import numpy as np
from numpy.typing import NDArray

from budgetal.annotators.confidence.crossed import judged_by_others
from budgetal.annotators.confidence.source import source
from budgetal.annotators.confidence.view import ConfidenceView, Floats, Scored
from budgetal.annotators.proposals import Proposals
from budgetal.types import RowArray

N_ANNOTATORS = 10
RIDGE = 0.1
_BLOCK = 8_192


@source("pseudo_annotators", origin="after Yang & Loog 2019")
def pseudo_annotators(view: ConfidenceView, rng: np.random.Generator) -> Scored:
    """The share of 10 pseudo-annotators whose classifiers agree on the class, each taught random answers too.

    Ties are broken by how far ahead the class is. Each classifier is a ridge regression of class indicators on the
    embeddings of the labelled images, with people's labels, and of half as many open ones, with classes that its
    annotator drew at random. Yang & Loog use such annotators to choose queries; here their agreement labels.
    """
    taught = rng.permutation(view.open_rows)[: (len(view.rows) + 1) // 2]
    answers = rng.integers(view.n_classes, size=(len(taught), N_ANNOTATORS))

    def judge(positions: RowArray, rows: RowArray) -> Proposals:
        return _judged(view, _weights(view, positions, taught, answers), rows)

    pool = judge(np.arange(len(view.rows)), np.arange(len(view.probs)))
    return Scored(pool, judged_by_others(view, judge, rng))


def _weights(view: ConfidenceView, positions: RowArray, taught: RowArray, answers: RowArray) -> Floats:
    """(d, a m): one regression an annotator, (SᵀS + λI)⁻¹ Sᵀ (Y - 1/m). O((l + d) d²)."""
    m = view.n_classes
    known = view.embeddings[np.concatenate([view.rows[positions], taught])].astype(np.float64)
    given = np.repeat(view.targets[positions][:, None], N_ANNOTATORS, axis=1)
    indicators = np.eye(m)[np.concatenate([given, answers])] - 1 / m
    gram = known.T @ known + RIDGE * np.eye(known.shape[1])
    solved = np.linalg.solve(gram, known.T @ indicators.reshape(len(known), -1))
    return solved.astype(np.float32)


def _judged(view: ConfidenceView, weights: Floats, rows: RowArray) -> Proposals:
    """Class and score of these rows, a block at a time."""
    parts = [_votes(view, weights, rows[i : i + _BLOCK]) for i in range(0, len(rows), _BLOCK)]
    targets = [part[0] for part in parts] or [np.empty(0, np.int64)]
    scores = [part[1] for part in parts] or [np.empty(0, np.float32)]
    return Proposals(np.concatenate(targets), np.concatenate(scores).astype(np.float32))


def _votes(view: ConfidenceView, weights: Floats, rows: RowArray) -> tuple[RowArray, NDArray[np.float64]]:
    """The class with most votes, of equal ones the one with the highest mean score; (votes + lead) / (a + 1)."""
    said = (view.embeddings[rows] @ weights).reshape(len(rows), N_ANNOTATORS, view.n_classes)
    votes = (said.argmax(axis=2)[:, :, None] == np.arange(view.n_classes)).sum(axis=1)
    mean = said.mean(axis=1).astype(np.float64)
    targets = (votes + 1e-6 * np.tanh(mean)).argmax(axis=1)
    first, second = np.sort(mean, axis=1)[:, [-1, -2]].T
    lead = np.clip(first - second, 0, 1) * (mean.argmax(axis=1) == targets)
    return targets, (votes[np.arange(len(rows)), targets] + lead) / (N_ANNOTATORS + 1)
