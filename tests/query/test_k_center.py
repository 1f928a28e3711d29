import importlib

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from budgetal.query.kernels import k_center
from budgetal.query.kernels.rounding import product_slack

MODULE = importlib.import_module("budgetal.query.kernels.k_center")  # the package's k_center is the function


def cloud(n, width, seed=0):
    rng = np.random.default_rng(seed)
    return F.normalize(torch.from_numpy(rng.standard_normal((n, width)).astype(np.float32)), dim=1)


def clustered(n, width, seed=0):
    rng = np.random.default_rng(seed)
    groups = torch.from_numpy(rng.integers(0, 6, n))
    return F.normalize(cloud(6, width, seed)[groups] + 0.1 * cloud(n, width, seed + 1), dim=1)


def many_duplicates(n, width, seed=0):
    different = max(1, n // 10)
    return cloud(different, width, seed)[torch.from_numpy(np.random.default_rng(seed).integers(0, different, n))]


def near_duplicates(n, width, seed=0):
    return many_duplicates(n, width, seed) + 1e-6 * cloud(n, width, seed + 1)


def all_equal(n, width, seed=0):
    return cloud(1, width, seed).expand(n, -1).contiguous()


def of_all_sizes(n, width, seed=0):
    return cloud(n, width, seed) * torch.logspace(-6, 3, n)[:, None]


def lattice(n, width, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 2, (n, width)).astype(np.float32))


POOLS = [cloud, clustered, many_duplicates, near_duplicates, all_equal, of_all_sizes, lattice]


def distances_to(vectors, centers):
    return (vectors.double()[:, None] - centers.double()).square().sum(2).sqrt().float()


def slow_k_center(vectors, centers, k):
    first = [] if len(centers) else [int(distances_to(vectors, vectors.double().mean(0, keepdim=True)).argmin())]
    rows, distances = first, [0.0] * len(first)
    nearest = distances_to(vectors, torch.cat([centers, vectors[rows]])).amin(1)
    nearest[rows] = -1
    while len(rows) < k:
        rows.append(int(nearest.argmax()))
        distances.append(nearest[rows[-1]].item())
        nearest = torch.minimum(nearest, distances_to(vectors, vectors[rows[-1:]])[:, 0])
        nearest[rows] = -1
    return rows, distances


@pytest.mark.parametrize("make", POOLS)
@pytest.mark.parametrize("n_centers", [0, 1, 7])
@pytest.mark.parametrize("active_rows", [1, 5, 40, 1000])
def test_k_center_is_that_of_brute_force(make, n_centers, active_rows):
    vectors, centers = make(100, 8), make(n_centers, 8, seed=50)
    rows, distances = k_center(vectors, centers, 40, active_rows=active_rows)
    expected_rows, expected_distances = slow_k_center(vectors, centers, 40)
    assert rows.tolist() == expected_rows
    torch.testing.assert_close(distances, torch.tensor(expected_distances), rtol=1e-6, atol=0)


@pytest.mark.parametrize("make", [cloud, clustered])
def test_a_larger_pool_of_wide_vectors_and_many_centers(make, monkeypatch):
    monkeypatch.setattr(MODULE, "_CENTERS_AT_ONCE", 16)
    monkeypatch.setattr("budgetal.measures.chunks.CACHED_CELLS", 4096)
    vectors, centers = make(1000, 64), make(90, 64, seed=50)
    rows, _ = k_center(vectors, centers, 50, active_rows=30)
    assert rows.tolist() == slow_k_center(vectors, centers, 50)[0]


@pytest.mark.parametrize("make", POOLS)
def test_every_row_is_picked_once_when_all_are_asked_for(make):
    rows, distances = k_center(make(30, 4), make(0, 4), 30, active_rows=4)
    assert sorted(rows.tolist()) == list(range(30))
    assert bool((distances[1:-1] >= distances[2:]).all())


def test_a_memory_mapped_pool_is_accepted_and_not_changed(tmp_path):
    vectors = cloud(200, 16)
    np.save(tmp_path / "pool.npy", vectors.numpy())
    mapped = torch.from_numpy(np.load(tmp_path / "pool.npy", mmap_mode="c"))
    assert k_center(mapped, vectors[:3], 40)[0].tolist() == slow_k_center(vectors, vectors[:3], 40)[0]
    assert torch.equal(mapped, vectors)


def test_double_and_half_precision_are_accepted():
    vectors = cloud(100, 6).half()
    expected, _ = slow_k_center(vectors, vectors[:2], 30)
    assert k_center(vectors, vectors[:2], 30)[0].tolist() == expected
    assert k_center(vectors.double(), vectors[:2].double(), 30)[0].tolist() == expected


def test_faster_and_coarser_matrix_products_do_not_change_the_answer():
    vectors = clustered(400, 16)
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        rows, _ = k_center(vectors, vectors[:2], 60, active_rows=20)
        assert product_slack(16) > 2.0**-7  # what rounding two factors to bfloat16 can do
    finally:
        torch.set_float32_matmul_precision(before)
    assert rows.tolist() == slow_k_center(vectors, vectors[:2], 60)[0]


def test_k_center_without_centers_starts_nearest_the_mean():
    line = torch.tensor([[0.0], [1.0], [5.0], [10.0]])
    rows, distances = k_center(line, line[:0], 3)
    assert rows.tolist() == [2, 0, 3]  # the mean is 4; both ends are 5 away and the lower row wins
    assert distances.tolist() == [0, 5, 5]


def test_few_rows_are_compared_with_new_centers(monkeypatch):
    compared = []
    upper_bounds = MODULE._Centers.upper_bounds

    def counting(self, rows, start, stop):
        compared.append(len(rows) * (stop - start))
        return upper_bounds(self, rows, start, stop)

    monkeypatch.setattr(MODULE._Centers, "upper_bounds", counting)
    k_center(clustered(20_000, 32), cloud(1, 32), 200)
    assert sum(compared) < 20_000 * 200 / 4


@pytest.mark.parametrize(("k", "active_rows"), [(4, 10), (-1, 10), (1, 0)])
def test_impossible_sizes_are_refused(k, active_rows):
    with pytest.raises(ValueError, match="0 … 3"):
        k_center(cloud(3, 2), cloud(1, 2), k, active_rows=active_rows)
