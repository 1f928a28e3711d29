import torch

from budgetal.measures import entropy
from budgetal.measures.high_confidence import high_confidence
from budgetal.testing.pools import make_pool, pick


def test_ceal_asks_for_the_highest_entropy_first():
    pool = make_pool()
    assert pick("ceal", pool, 60).rows.tolist() == entropy(pool.probs).argsort(descending=True).tolist()


def test_what_the_automatic_half_takes_is_what_ceal_asks_for_last():
    pool = make_pool()
    automatic = high_confidence(pool.probs, 0.3)
    assert 0 < len(automatic) < 60
    assert pick("ceal", pool, 60).rows[-len(automatic) :].sort().values.tolist() == automatic.tolist()
    assert torch.equal(automatic, automatic.sort().values)
