import importlib
from collections import Counter
from itertools import pairwise, permutations

import numpy as np
import pytest
import scipy.stats
import torch

from budgetal.query.kernels import kmeans_pp

MODULE = importlib.import_module("budgetal.query.kernels.kmeans_pp")  # the package's kmeans_pp is the function


def normal(n, width, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal((n, width)).astype(np.float32))


def product(factors):
    """The tensor product of each row's factors, written out."""
    result = factors[0].double()
    for factor in factors[1:]:
        result = (result[:, :, None] * factor.double()[:, None]).flatten(1)
    return result


def squared_distances(vectors, rows):
    return (vectors.double()[:, None] - vectors.double()[rows]).square().sum(2).amin(1)


def drawn(factors, k, seed=0):
    rows, distances = kmeans_pp(factors, k, np.random.default_rng(seed))
    return rows.tolist(), distances


def pair(n, seed=0):
    return normal(n, 4, seed), normal(n, 3, seed + 1)


@pytest.mark.parametrize("factors", [(normal(60, 5),), pair(60), (*pair(60), normal(60, 2, seed=7))])
@pytest.mark.parametrize("cell", [4, 1024])
@pytest.mark.parametrize("draw_cost", [0, 2_000_000])
def test_distances_are_those_of_the_products_written_out(factors, cell, draw_cost, monkeypatch):
    monkeypatch.setattr(MODULE, "_CELL", cell)
    monkeypatch.setattr(MODULE, "_DRAW_COST", draw_cost)
    rows, distances = drawn(factors, 40)
    vectors = product(factors)
    expected = [squared_distances(vectors, rows[:n])[rows[n]] for n in range(1, 40)]
    assert len(set(rows)) == 40
    assert rows[0] == int(vectors.norm(dim=1).argmax())
    torch.testing.assert_close(distances[1:].double(), torch.stack(expected), rtol=1e-6, atol=0)
    torch.testing.assert_close(distances[0].double(), vectors.square().sum(1).max())


def test_factors_and_their_product_written_out_give_the_same_rows():
    factors = pair(200)
    assert drawn(factors, 50)[0] == drawn((product(factors).float(),), 50)[0]


@pytest.mark.parametrize("draw_cost", [0, 10**9])
def test_rows_are_drawn_in_proportion_to_their_squared_distance(draw_cost, monkeypatch):
    """All draws of the 2nd and the 3rd row against exact probabilities, refreshing never and as often as possible."""
    monkeypatch.setattr(MODULE, "_DRAW_COST", draw_cost)
    factors, n_draws = pair(6, seed=3), 1_000
    vectors = product(factors)
    counts = Counter(tuple(drawn(factors, 3, seed)[0][1:]) for seed in range(n_draws))
    first = int(vectors.norm(dim=1).argmax())
    weights = squared_distances(vectors, [first])
    chi_square = 0.0
    for second, third in permutations(set(range(6)) - {first}, 2):
        after = squared_distances(vectors, [first, second])
        expected = float(n_draws * weights[second] / weights.sum() * after[third] / after.sum())
        chi_square += (counts[second, third] - expected) ** 2 / expected
    assert chi_square < 43.8  # 19 degrees of freedom: exceeded with probability 0.001


@pytest.mark.parametrize("draw_cost", [0, 20_000, 10**9])
@pytest.mark.parametrize("order", ["by row", "by weight", "by how much it fell"])
def test_long_runs_draw_with_the_chances_of_their_time(draw_cost, order, monkeypatch):
    """Where each drawn row lies in the distribution that it was drawn from is uniform over 0 … 1."""
    monkeypatch.setattr(MODULE, "_DRAW_COST", draw_cost)
    places, factors = [], pair(300)
    vectors, jitter = product(factors), np.random.default_rng(9)
    lengths = vectors.square().sum(1)
    for seed in range(3):
        rows = drawn(factors, 150, seed)[0]
        nearest = torch.full((300,), torch.inf, dtype=torch.float64)
        for earlier, row in pairwise(rows):
            nearest = torch.minimum(nearest, (vectors - vectors[earlier]).square().sum(1))
            key = {"by row": -torch.arange(300), "by weight": nearest, "by how much it fell": nearest / lengths}[order]
            below = nearest[key > key[row]].sum()
            places.append(float((below + jitter.random() * nearest[row]) / nearest.sum()))
    assert scipy.stats.kstest(places, "uniform").pvalue > 0.001


def test_chances_by_hand():
    """At 0, 1, 1.5 and 3 on a line, 3 is first; then 0, 1 and 1.5 by 9, 4 and 2.25."""
    line = torch.tensor([[0.0], [1.0], [1.5], [3.0]])
    seconds = Counter(drawn((line,), 2, seed)[0][1] for seed in range(1_000))
    for row, weight in enumerate([9, 4, 2.25]):
        share = weight / 15.25
        assert abs(seconds[row] / 1_000 - share) < 4 * (share * (1 - share) / 1_000) ** 0.5


def test_the_longest_row_is_first_and_the_lowest_of_equals():
    vectors = torch.tensor([[1.0, 0.0], [0.0, 2.0], [2.0, 0.0], [0.0, 0.0]])
    assert drawn((vectors,), 1) == ([1], torch.tensor([4.0]))


@pytest.mark.parametrize("vectors", [torch.zeros(9, 3), torch.ones(9, 3) / 3, 0.1 * normal(1, 3).expand(9, 3)])
def test_equal_rows_are_taken_once_each_lowest_first(vectors):
    rows, distances = drawn((vectors, vectors), 9)
    assert rows == list(range(9))
    assert distances[1:].tolist() == [0] * 8


@pytest.mark.parametrize("draw_cost", [0, 2_000_000])
def test_all_different_rows_come_before_their_duplicates(draw_cost, monkeypatch):
    monkeypatch.setattr(MODULE, "_DRAW_COST", draw_cost)
    copies = torch.arange(300) % 10
    factors = tuple(factor[copies] for factor in pair(10))
    for seed in range(20):
        rows, distances = drawn(factors, 14, seed)
        assert sorted(copies[rows[:10]].tolist()) == list(range(10))
        assert rows[10:] == [row for row in range(300) if row not in rows[:10]][:4]
        assert distances[10:].tolist() == [0] * 4


def test_the_same_seed_gives_the_same_rows_and_asking_for_more_only_adds():
    factors = pair(500)
    assert drawn(factors, 30, seed=5)[0] == drawn(factors, 100, seed=5)[0][:30]
    assert drawn(factors, 30, seed=5)[0] != drawn(factors, 30, seed=6)[0]


@pytest.mark.parametrize("k", [0, 500])
def test_none_or_all_may_be_asked_for(k):
    assert sorted(drawn(pair(500), k)[0]) == list(range(k))


def test_a_memory_mapped_pool_is_accepted_and_not_changed(tmp_path):
    vectors, other = pair(100)
    np.save(tmp_path / "pool.npy", vectors.numpy())
    mapped = torch.from_numpy(np.load(tmp_path / "pool.npy", mmap_mode="c"))
    assert drawn((mapped, other), 20)[0] == drawn((vectors, other), 20)[0]
    assert torch.equal(mapped, vectors)


def test_few_rows_are_measured(monkeypatch):
    measured = []
    upper_bounds = MODULE._Products.upper_bounds

    def counting(self, block, start):
        measured.append((block.stop - block.start) * (self.n_taken - start))
        return upper_bounds(self, block, start)

    monkeypatch.setattr(MODULE._Products, "upper_bounds", counting)
    drawn((normal(20_000, 16), normal(20_000, 8, seed=1)), 200)
    assert sum(measured) < 20_000 * 200 / 4


@pytest.mark.parametrize(("n_other", "k"), [(5, 6), (5, -1), (4, 2)])
def test_impossible_sizes_are_refused(n_other, k):
    with pytest.raises(ValueError, match="k must be in"):
        drawn((normal(5, 2), normal(n_other, 2)), k)
