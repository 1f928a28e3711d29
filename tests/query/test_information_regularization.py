from dataclasses import replace

import pytest
import torch

from budgetal.measures import knn
from budgetal.measures.information import local_label_information, region_variance
from budgetal.query.kernels.regions import apart
from budgetal.testing.pools import make_pool, pick


def test_one_of_each_region_then_the_next_best():
    values = torch.tensor([5.0, 4.0, 3.0, 2.0, 1.0])
    neighbours = torch.tensor([[1], [0], [3], [2], [3]])
    # 0 covers 1, 2 covers 3, and 4's nearest is covered: they come in the second round, 1, then 3, whose region has 4.
    assert apart(values, neighbours, 5).tolist() == [0, 2, 1, 3, 4]
    assert apart(values, neighbours, 2).tolist() == [0, 2]


def test_what_no_round_takes_follows_by_value():
    everyone = torch.tensor([[j for j in range(12) if j != i] for i in range(12)])
    values = torch.arange(12.0)
    assert apart(values, everyone, 12).tolist() == list(range(11, -1, -1))


def test_a_row_alone_is_its_own_region():
    assert apart(torch.ones(1), torch.zeros(1, 0, dtype=torch.int64), 3).tolist() == [0]


def test_values_that_are_no_numbers_are_refused():
    with pytest.raises(ValueError, match="must be finite"):
        apart(torch.tensor([1.0, torch.nan]), torch.tensor([[1], [0]]), 1)


def test_the_score_is_mass_by_variance_times_information():
    pool = replace(make_pool(), id_ranks=torch.arange(60))
    neighbours = knn(pool.embeddings, 10)[1]
    variance = region_variance(pool.embeddings, neighbours)
    expected = (11 / 60) / variance * local_label_information(pool.probs, neighbours)
    picks = pick("information_regularization", pool, 60)
    torch.testing.assert_close(picks.scores, expected[picks.rows])
    assert int(picks.rows[0]) == int(expected.argmax())


def arc(angles):
    angles = torch.as_tensor(angles)
    return torch.stack([angles.cos(), angles.sin()], dim=1)


def test_a_change_of_label_counts_where_images_are_dense():
    """Two groups on a circle, both with the label changing in their middle; the first is three times as dense."""
    dense, sparse = torch.linspace(0.0, 0.3, 30), torch.linspace(2.0, 2.9, 30)
    probs = torch.tensor([[0.9, 0.1]] * 15 + [[0.1, 0.9]] * 15).repeat(2, 1)
    pool = replace(
        make_pool(width=2, n_classes=2),
        probs=probs,
        embeddings=arc(torch.cat([dense, sparse])),
        id_ranks=torch.arange(60),
    )
    first = pick("information_regularization", pool, 2).rows.tolist()
    assert first[0] in range(12, 18)
    assert first[1] not in range(12, 18)


def test_without_a_change_of_label_nothing_scores():
    pool = make_pool(n_classes=2)
    alike = replace(pool, probs=torch.tensor([0.25, 0.75]).expand(60, 2).contiguous())
    assert float(pick("information_regularization", alike, 10).scores.abs().max()) < 1e-5
