"""Parameters of a score are fitted without the image that is scored."""

from collections.abc import Callable

import numpy as np

from budgetal.annotators.confidence.view import ConfidenceView, Floats
from budgetal.annotators.proposals import Proposals
from budgetal.types import RowArray

FEWEST = 50
"""Held-out labels below which nothing is fitted to them."""
FOLDS = 5


def crossed(score: Callable[[RowArray, RowArray], Floats], fold: RowArray, rng: np.random.Generator) -> Floats:
    """Scores (h, …) of held-out images, each by parameters that were fitted to the images of other folds.

    score(kept, tested): fits to positions `kept` and scores positions `tested`. fold: (h,) as in HeldOut.
    """
    parts = parts_of(fold, rng)
    tests = [np.flatnonzero(parts == number) for number in np.unique(parts)]
    everyone = np.arange(len(fold))
    scores = [score(np.setdiff1d(everyone, tested), tested) for tested in tests]
    order = np.argsort(np.concatenate(tests))
    return np.asarray(np.concatenate(scores)[order])


def judged_by_others(
    view: ConfidenceView, judge: Callable[[RowArray, RowArray], Proposals], rng: np.random.Generator
) -> Proposals:
    """(h,) each held-out image as labelled images outside its fold judge it.

    judge(positions, rows): what the labelled images at `positions` make of these rows of the pool.
    """
    positions = view.held_out.positions
    targets, scores = np.empty(len(positions), np.int64), np.empty(len(positions), np.float32)
    fold = parts_of(view.held_out.fold, rng)
    for number in np.unique(fold):
        mine = fold == number
        others = np.setdiff1d(np.arange(len(view.rows)), positions[mine])
        found = judge(others, view.held_rows[mine])
        targets[mine], scores[mine] = found.targets, found.scores
    return Proposals(targets, scores)


def parts_of(fold: RowArray, rng: np.random.Generator) -> RowArray:
    """(h,) the folds themselves, or five random ones where all images are of one fold."""
    return fold if len(np.unique(fold)) > 1 else rng.permutation(np.arange(len(fold)) % FOLDS)
