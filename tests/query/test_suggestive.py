from dataclasses import replace

import torch

from budgetal.query.strategies.suggestive import mean_deviation
from budgetal.testing.pools import make_pool, pick


def test_the_deviation_by_hand():
    passes = torch.tensor([[[0.9, 0.1], [0.5, 0.5]], [[0.5, 0.5], [0.5, 0.5]]])
    # Both classes of the first image are 0.2 off their mean in each pass.
    torch.testing.assert_close(mean_deviation(passes), torch.tensor([0.2, 0.0]))
    assert mean_deviation(passes[:1]).tolist() == [0, 0]


def test_picks_are_those_of_the_formula():
    pool = replace(make_pool(n=60), id_ranks=torch.arange(60))
    candidates = pool.passes.std(dim=0, correction=0).mean(dim=1).argsort(descending=True, stable=True)[:20]
    similar = (pool.embeddings[candidates] @ pool.embeddings.T).clamp(min=0)
    covered, expected = torch.zeros(60), []
    for _ in range(10):
        gains = (similar - covered).clamp(min=0).sum(dim=1)
        gains[expected] = -1
        expected.append(int(gains.argmax()))
        covered = torch.maximum(covered, similar[expected[-1]])
    selection = pick("suggestive", pool, 10)
    assert selection.rows.tolist() == candidates[expected].tolist()
    torch.testing.assert_close(selection.scores.sum(), covered.sum())


def test_what_all_passes_agree_on_is_not_picked():
    pool = make_pool(n=60)
    passes = pool.passes.clone()
    passes[:, :40] = passes[:1, :40]
    assert min(pick("suggestive", replace(pool, passes=passes), 10).rows.tolist()) >= 40
