from dataclasses import replace

import numpy as np
import pytest
import torch

from budgetal.errors import ConfigError
from budgetal.query import Selection, list_strategies, strategies, strategy
from budgetal.query.strategy import RegisteredStrategy
from budgetal.testing.pools import make_pool, pick

PAPER = {
    "random",
    "entropy",
    "margin",
    "least_confidence",
    "information_density",
    "informative",
    "core_set",
}


@pytest.fixture
def only_here(monkeypatch):
    """What a test registers is forgotten after it."""
    monkeypatch.setattr(strategies, "_items", dict(strategies._items))


def register(rows, scores=None):
    @strategy("fake", needs=(), source="test", cost="O(1)")
    def fake(pool, n, rng):
        """Answers what the test wants."""
        return Selection(torch.tensor(rows), torch.zeros(len(rows)) if scores is None else scores)

    return fake


def test_the_strategies_of_the_paper_are_listed_by_name():
    names = [entry.name for entry in list_strategies()]
    assert set(names) >= PAPER
    assert names == sorted(names)


def test_a_strategy_can_be_registered_and_called(only_here):
    function = register([0, 1])
    assert strategies["fake"] == RegisteredStrategy(
        "fake", "Answers what the test wants.", (), "test", "O(1)", function
    )
    pool = make_pool()
    lowest = torch.argsort(pool.id_ranks)[:2]
    assert torch.equal(pick("fake", pool, 2).rows, lowest)


def test_a_taken_name_is_refused(only_here):
    register([0])
    with pytest.raises(ValueError, match="registered twice"):
        register([0])


def test_an_undocumented_strategy_is_refused(only_here):
    with pytest.raises(ValueError, match="docstring"):
        strategy("bare", needs=(), source="", cost="")(lambda pool, n, rng: None)


def test_a_misspelt_name_is_answered_by_a_suggestion():
    with pytest.raises(ConfigError, match="did you mean 'margin'"):
        pick("margn", make_pool())


@pytest.mark.parametrize("rows", [[0, 0], [0, 60], [-1, 0], [0], [0, 1, 2]])
def test_impossible_answers_are_refused(only_here, rows):
    register(rows)
    with pytest.raises(ValueError, match="'fake' must answer 2 different rows of 60"):
        pick("fake", make_pool(), 2)


def test_a_score_that_is_not_finite_is_refused(only_here):
    register([0, 1], scores=torch.tensor([0.0, torch.nan]))
    with pytest.raises(ValueError, match="scores of strategy 'fake' must be finite"):
        pick("fake", make_pool(), 2)


def test_a_negative_number_is_refused():
    with pytest.raises(ValueError, match="-1"):
        pick("random", make_pool(), -1)


def test_repeated_id_ranks_and_unequal_lengths_are_refused():
    pool = make_pool()
    with pytest.raises(ValueError, match="id_ranks must differ"):
        pick("random", replace(pool, id_ranks=torch.zeros(60, dtype=torch.int64)))


def test_random_draws_every_image_equally_often():
    pool, counts = make_pool(n=10), np.zeros(10)
    for seed in range(400):
        counts[pick("random", pool, 3, seed).rows.numpy()] += 1
    # 120 expected, standard deviation 9.2: five of them.
    assert np.abs(counts - 120).max() < 46
