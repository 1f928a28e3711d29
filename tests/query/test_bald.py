from dataclasses import replace

import torch

from budgetal.measures import bald
from budgetal.testing.pools import make_pool, pick


def test_bald_picks_by_the_disagreement_of_the_passes():
    pool = make_pool()
    scores = bald(pool.passes)
    selection = pick("bald", pool, 60)
    assert selection.rows.tolist() == scores.argsort(descending=True).tolist()
    torch.testing.assert_close(selection.scores, scores[selection.rows])


def test_bald_passes_over_an_image_that_every_pass_doubts():
    doubted, disputed = torch.full((2, 4), 0.25), torch.eye(4)[:2]
    passes = torch.stack([doubted, disputed], dim=1)
    pool = replace(make_pool(n=2), passes=passes)
    assert pick("bald", pool, 1).rows.tolist() == [1]
