from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from budgetal.query.kernels.random_annotators import RIDGE, RandomAnnotators
from budgetal.query.kernels.spread_rows import spread_rows
from budgetal.query.strategies.pseudo_annotators import single_shot
from budgetal.testing.pools import make_pool, pick, unlabelled

CLASSES, ANNOTATORS = 3, 4


def problem(n=40, n_labelled=5, width=6, n_picks=8, seed=0):
    generator = torch.Generator().manual_seed(seed)
    vectors = F.normalize(torch.randn(n, width, generator=generator), dim=1)
    labelled = F.normalize(torch.randn(n_labelled, width, generator=generator), dim=1)
    targets = torch.randint(CLASSES, (n_labelled,), generator=generator)
    answers = torch.randint(CLASSES, (n_picks, ANNOTATORS), generator=generator)
    return vectors, labelled, targets, answers


def refitted_margins(vectors, known, targets):
    """A ridge regression from scratch."""
    known = known.double()
    indicators = F.one_hot(targets, CLASSES).double() - 1 / CLASSES
    weights = torch.linalg.solve(known.T @ known + RIDGE * torch.eye(known.shape[1]), known.T @ indicators)
    best = (vectors.double() @ weights).topk(2, dim=1).values
    return best[:, 0] - best[:, 1]


def slow_single_shot(vectors, labelled, targets, answers):
    rows = []
    for step in range(len(answers)):
        proposals = []
        for annotator in range(ANNOTATORS):
            known = torch.cat([labelled, vectors[rows]])
            given = torch.cat([targets, answers[:step, annotator]])
            margins = refitted_margins(vectors, known, given)
            margins[rows] = torch.inf
            proposals.append(int(margins.argmin()))
        rows.append(min(sorted(proposals), key=lambda row: left_over(vectors, labelled, [*rows, row])))
    return rows


def left_over(vectors, labelled, rows):
    known = torch.cat([labelled, vectors[rows]]).double()
    return float(torch.cdist(vectors.double(), known).amin(dim=1).sum())


@pytest.mark.parametrize("seed", range(4))
def test_single_shot_is_that_of_fitting_anew_for_every_pick(seed):
    vectors, labelled, targets, answers = problem(seed=seed)
    annotators = RandomAnnotators(vectors, labelled, targets, CLASSES, ANNOTATORS)
    rows, scores = single_shot(vectors, labelled, annotators, answers)
    assert rows.tolist() == slow_single_shot(vectors, labelled, targets, answers)
    # Distances near 0 are a difference of large squares: right to some 1e-3.
    before = [left_over(vectors, labelled, rows[:step].tolist()) for step in range(9)]
    torch.testing.assert_close(scores, -torch.tensor(before).diff() / 40, atol=1e-4, rtol=1e-3)


def test_margins_follow_every_answer():
    vectors, labelled, targets, answers = problem()
    annotators = RandomAnnotators(vectors, labelled, targets, CLASSES, ANNOTATORS)
    picks = [3, 17, 3]
    for step, row in enumerate(picks):
        annotators.learn(row, answers[step])
    for annotator, margins in enumerate(annotators.margins()):
        given = torch.cat([targets, answers[:3, annotator]])
        expected = refitted_margins(vectors, torch.cat([labelled, vectors[picks]]), given)
        torch.testing.assert_close(margins.double(), expected, atol=1e-5, rtol=1e-4)


def test_with_nothing_labelled_the_first_pick_is_nearest_the_mean():
    pool = unlabelled(make_pool())
    distances = (pool.embeddings - pool.embeddings.mean(dim=0)).norm(dim=1)
    assert pick("pseudo_annotators", pool, 5).rows[0] == distances.argmin()


def test_picks_are_spread_wider_than_random_ones():
    pool = replace(make_pool(n=300, n_labelled=4, width=3))
    picked = pick("pseudo_annotators", pool, 20).rows.tolist()
    drawn = [np.random.default_rng(seed).permutation(300)[:20] for seed in range(20)]
    at_random = np.mean([left_over(pool.embeddings, pool.labelled_embeddings, rows) for rows in drawn])
    assert left_over(pool.embeddings, pool.labelled_embeddings, picked) < at_random


def test_spread_rows_are_evenly_spaced_and_different():
    assert spread_rows(7, 10, torch.device("cpu")).tolist() == list(range(7))
    rows = spread_rows(1_000_003, 1_000, torch.device("cpu"))
    assert len(torch.unique(rows)) == 1_000
    assert rows[0] == 0
    assert rows[-1] == 1_000_002
    assert set(rows.diff().tolist()) <= {1000, 1001, 1002}
