import numpy as np
import pytest
import torch
import torch.nn.functional as F

from budgetal.measures import CentredRows, centred, chunks, knn, knn_density, mean_vector, neighbours, redundancy


def cloud(n, width, seed=0):
    rng = np.random.default_rng(seed)
    return F.normalize(torch.from_numpy(rng.standard_normal((n, width)).astype(np.float32)), dim=1)


def sorted_products(vectors):
    return (vectors @ vectors.T).fill_diagonal_(-torch.inf).sort(dim=1, descending=True, stable=True)


@pytest.mark.parametrize("k", [1, 5, 149, 400])
def test_knn_in_blocks_is_that_of_the_full_matrix(k, monkeypatch):
    monkeypatch.setattr(neighbours, "_HEAPED", 60)
    vectors = cloud(150, 6)
    expected = sorted_products(vectors)
    values, rows = knn(vectors, k)
    torch.testing.assert_close(values, expected.values[:, : min(k, 149)])
    assert torch.equal(rows, expected.indices[:, : min(k, 149)])


@pytest.mark.parametrize("k", [1, 3, 20, 120])
def test_duplicates_come_by_row_and_the_row_itself_never(k):
    axes = torch.eye(3).repeat(60, 1)
    expected = sorted_products(axes)
    values, rows = knn(axes, k)
    assert torch.equal(values, expected.values[:, :k])
    assert torch.equal(rows, expected.indices[:, :k])


def test_knn_by_products_as_off_the_cpu_is_that_of_faiss(monkeypatch):
    vectors = cloud(80, 5)
    by_faiss = knn(vectors, 7)
    monkeypatch.setattr(neighbours, "_on_cpu", lambda tensor: False)
    monkeypatch.setattr(chunks, "MAX_CELLS", 300)
    by_products = knn(vectors, 7)
    torch.testing.assert_close(by_faiss[0], by_products[0])
    assert torch.equal(by_faiss[1], by_products[1])


def test_among_may_come_in_any_order():
    vectors, among = cloud(30, 4), torch.tensor([20, 3, 11, 7])
    values, rows = knn(vectors, 2, among)
    again = knn(vectors, 2, among.flip(0))
    assert torch.equal(values, again[0])
    assert torch.equal(rows, again[1])


def test_centred_rows_are_those_of_the_centred_matrix():
    vectors = F.normalize(cloud(40, 5) + 1, dim=1)
    mean = mean_vector(vectors)
    rows, matrix = CentredRows(vectors, mean), centred(vectors, mean)
    assert torch.equal(rows[3:9], matrix[3:9])
    assert torch.equal(rows[torch.tensor([7, 2])], matrix[[7, 2]])
    assert torch.equal(knn(rows, 4)[1], knn(matrix, 4)[1])
    torch.testing.assert_close(knn_density(rows, 4), knn_density(matrix, 4))
    torch.testing.assert_close(redundancy(rows, matrix[:3]), redundancy(matrix, matrix[:3]))


def test_what_is_no_number_is_refused():
    broken = cloud(5, 3)
    broken[1, 2] = torch.inf
    with pytest.raises(ValueError, match="vectors must be finite"):
        knn(broken, 2)
