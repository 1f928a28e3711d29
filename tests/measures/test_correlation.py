import numpy as np
import pytest
import torch
import torch.nn.functional as F

from budgetal.measures import (
    centred,
    chunks,
    combined_vectors,
    knn,
    knn_density,
    label_weighted_density,
    label_weighted_knn_density,
    mean_vector,
    redundancy,
    whole_pool_density,
)

SQUARE = torch.tensor([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0], [-1.0, 0.0]])


def cloud(n, width, seed=0):
    rng = np.random.default_rng(seed)
    return F.normalize(torch.from_numpy(rng.standard_normal((n, width)).astype(np.float32)), dim=1)


def some_probs(n, classes, seed=1):
    logits = np.random.default_rng(seed).standard_normal((n, classes)).astype(np.float32)
    return torch.softmax(torch.from_numpy(2 * logits), dim=1)


def test_knn_density_by_hand():
    # Cosines of row 0: 0.6, 0, -1; of row 1: 0.6, 0.8, -0.6; of row 2: 0, 0.8, 0; of row 3: -1, -0.6, 0.
    torch.testing.assert_close(knn_density(SQUARE, 2), torch.tensor([0.3, 0.7, 0.4, 0.0]))


def test_whole_pool_density_by_hand():
    # The mean is (0.15, 0.45).
    torch.testing.assert_close(whole_pool_density(SQUARE), torch.tensor([0.15, 0.45, 0.45, -0.15]))


def test_redundancy_by_hand():
    chosen = torch.tensor([[0.0, 1.0], [-1.0, 0.0]])
    torch.testing.assert_close(redundancy(SQUARE, chosen), torch.tensor([0.0, 0.8, 1.0, 1.0]))


def test_nothing_is_redundant_when_nothing_is_chosen():
    assert redundancy(SQUARE, SQUARE[:0]).tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("k", [1, 5, 19])
def test_knn_is_that_of_the_full_matrix(k, monkeypatch):
    monkeypatch.setattr(chunks, "MAX_CELLS", 60)  # several blocks
    vectors = cloud(20, 6)
    products = (vectors @ vectors.T).fill_diagonal_(-torch.inf)
    expected = products.sort(dim=1, descending=True)
    values, rows = knn(vectors, k)
    torch.testing.assert_close(values, expected.values[:, :k])
    assert torch.equal(rows, expected.indices[:, :k])


def test_knn_of_fewer_vectors_than_k_gives_all_others():
    values, rows = knn(cloud(3, 4), 20)
    assert values.shape == (3, 2)
    assert [sorted(row) for row in rows.tolist()] == [[1, 2], [0, 2], [0, 1]]


def test_knn_of_one_and_of_no_vector_is_empty():
    assert knn(cloud(1, 4), 5)[1].shape == (1, 0)
    assert knn(cloud(1, 4)[:0], 5)[1].numel() == 0
    assert knn_density(cloud(1, 4), 5).tolist() == [0]


def test_knn_among_some_rows_is_that_of_their_columns(monkeypatch):
    monkeypatch.setattr(chunks, "MAX_CELLS", 12)
    vectors, among = cloud(20, 6), torch.tensor([17, 3, 8, 11])
    products = (vectors @ vectors.T).fill_diagonal_(-torch.inf)[:, among]
    expected = products.sort(dim=1, descending=True)
    values, rows = knn(vectors, 2, among)
    torch.testing.assert_close(values, expected.values[:, :2])
    assert torch.equal(rows, among[expected.indices[:, :2]])
    assert knn(vectors, 9, among)[0].shape == (20, 3)


def test_centred_by_hand():
    rows = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
    half = 0.5**0.5
    expected = torch.tensor([[half, -half], [-half, half], [0.0, 0.0]])
    torch.testing.assert_close(centred(rows, mean_vector(rows)), expected)


def test_identical_images_have_no_direction_once_centred():
    same = cloud(1, 50).expand(1000, -1).contiguous()
    assert not centred(same, mean_vector(same)).any()


def test_the_mean_of_many_rows_loses_nothing():
    rows = torch.full((300_000, 2), 0.1)
    torch.testing.assert_close(mean_vector(rows), torch.tensor([0.1, 0.1]), rtol=1e-6, atol=0)


def test_a_duplicate_is_a_neighbour_and_the_row_itself_is_not():
    vectors = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    assert knn(vectors, 1)[1][:2, 0].tolist() == [1, 0]


def test_whole_pool_density_is_the_mean_of_the_full_matrix():
    vectors = cloud(200, 16)
    torch.testing.assert_close(whole_pool_density(vectors), (vectors @ vectors.T).mean(dim=1))


def test_redundancy_is_that_of_the_full_matrix_in_blocks(monkeypatch):
    monkeypatch.setattr(chunks, "MAX_CELLS", 50)
    vectors, chosen = cloud(100, 8), cloud(7, 8, seed=3)
    torch.testing.assert_close(redundancy(vectors, chosen), (vectors @ chosen.T).amax(1).clamp(0, 1))


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_label_correlation_is_mixed_in_as_defined(share):
    vectors, probs = cloud(30, 8), some_probs(30, 4)
    mixed = share * vectors @ vectors.T + (1 - share) * probs @ probs.T
    joined = combined_vectors(vectors, probs, share)
    torch.testing.assert_close(joined @ joined.T, mixed)
    torch.testing.assert_close(label_weighted_density(vectors, probs, share), mixed.mean(dim=1))
    nearest = mixed.clone().fill_diagonal_(-torch.inf).topk(5, dim=1).values.clamp(min=0).mean(dim=1)
    torch.testing.assert_close(label_weighted_knn_density(vectors, probs, share, k=5), nearest)


@pytest.mark.parametrize("measure", [lambda x: knn_density(x, 2), whole_pool_density])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), 3.0])
def test_what_is_no_unit_vector_is_refused(measure, value):
    broken = SQUARE.clone()
    broken[1, 0] = value
    with pytest.raises(ValueError, match="embeddings must be"):
        measure(broken)


def test_impossible_settings_are_refused():
    with pytest.raises(ValueError, match="k must be at least 1"):
        knn(SQUARE, 0)
    with pytest.raises(ValueError, match="feature_share"):
        combined_vectors(SQUARE, some_probs(4, 3), 1.5)
