import faiss
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from budgetal.measures import redundancy
from budgetal.query.kernels import greedy_informative, k_center, kmeans, top_k


def cloud(n, width, seed=0):
    rng = np.random.default_rng(seed)
    return F.normalize(torch.from_numpy(rng.standard_normal((n, width)).astype(np.float32)), dim=1)


def some_values(n, seed=1):
    return torch.from_numpy(np.random.default_rng(seed).random(n).astype(np.float32))


# top_k


def test_top_k_is_the_head_of_the_full_sort():
    scores = some_values(50)
    expected = sorted(range(50), key=lambda row: -scores[row].item())
    assert top_k(scores, 7).tolist() == expected[:7]


def test_top_k_breaks_ties_by_id_rank_and_without_it_by_row():
    scores = torch.tensor([1.0, 2.0, 2.0, 2.0, 0.0])
    assert top_k(scores, 3).tolist() == [1, 2, 3]
    assert top_k(scores, 3, torch.tensor([0, 9, 3, 5, 1])).tolist() == [2, 3, 1]


def test_top_k_of_too_many_gives_all_and_of_none_nothing():
    assert top_k(torch.tensor([1.0, 3.0]), 5).tolist() == [1, 0]
    assert top_k(torch.tensor([1.0, 3.0]), 0).tolist() == []


def test_top_k_refuses_a_score_that_is_no_number():
    with pytest.raises(ValueError, match="scores must be finite"):
        top_k(torch.tensor([1.0, torch.nan]), 1)


# k_center


def slow_k_center(vectors, centers, k):
    rows = []
    for _ in range(k):
        known = torch.cat([centers, vectors[rows]])
        nearest = torch.cdist(vectors.double(), known.double()).amin(dim=1)
        nearest[rows] = -1
        rows.append(int(nearest.argmax()))
    return rows


@pytest.mark.parametrize("seed", range(5))
def test_k_center_is_that_of_brute_force(seed):
    vectors, centers = cloud(60, 5, seed), cloud(4, 5, seed + 100)
    rows, distances = k_center(vectors, centers, 20)
    assert rows.tolist() == slow_k_center(vectors, centers, 20)
    known = torch.cat([centers, vectors[rows[:-1]]])
    torch.testing.assert_close(distances[-1], torch.cdist(vectors[rows[-1:]], known).min())


def test_k_center_without_centers_starts_nearest_the_mean():
    line = torch.tensor([[0.0], [1.0], [5.0], [10.0]])
    rows, distances = k_center(line, line[:0], 3)
    assert rows.tolist() == [2, 0, 3]  # the mean is 4; both ends are 5 away and the lower row wins
    assert distances.tolist() == [0, 5, 5]


def test_k_center_picks_duplicates_once_each():
    assert k_center(torch.ones(4, 2), torch.ones(1, 2), 4)[0].tolist() == [0, 1, 2, 3]


def test_k_center_refuses_more_than_there_are():
    with pytest.raises(ValueError, match="0 … 3"):
        k_center(cloud(3, 2), cloud(1, 2), 4)


# greedy_informative


def slow_greedy(values, embeddings, chosen, gamma, k):
    rows, scores = [], []
    for _ in range(k):
        known = torch.cat([chosen, embeddings[rows]])
        redundancy = (embeddings @ known.T).clamp(0, 1).amax(1) if len(known) else torch.zeros(len(values))
        current = values * (1 - redundancy) ** gamma
        current[rows] = -1
        rows.append(int(current.argmax()))
        scores.append(current[rows[-1]])
    return rows, torch.stack(scores)


@pytest.mark.parametrize("gamma", [0.0, 0.3, 1.0, 3.0])
@pytest.mark.parametrize("n_chosen", [0, 6])
@pytest.mark.parametrize("first_block", [1, 7, 2048])
def test_greedy_is_that_of_brute_force(gamma, n_chosen, first_block, monkeypatch):
    monkeypatch.setattr("budgetal.query.kernels.greedy._FIRST_BLOCK", first_block)
    values, embeddings, chosen = some_values(80), cloud(80, 4), cloud(n_chosen, 4, seed=9)
    picks = greedy_informative(values, embeddings, chosen, gamma, 40)
    rows, scores = slow_greedy(values, embeddings, chosen, gamma, 40)
    assert picks.rows.tolist() == rows
    torch.testing.assert_close(picks.scores, scores, atol=1e-6, rtol=1e-4)


def test_greedy_by_hand():
    embeddings = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.6, 0.8], [0.0, 1.0]])
    values = torch.tensor([1.0, 0.9, 0.8, 0.1])
    picks = greedy_informative(values, embeddings, embeddings[:0], 1.0, 3)
    # After row 0: row 1 is worth 0, row 2 0.8 · 0.4, row 3 0.1; after row 2: row 3 0.1 · 0.2.
    assert picks.rows.tolist() == [0, 2, 3]
    torch.testing.assert_close(picks.scores, torch.tensor([1.0, 0.32, 0.02]))
    torch.testing.assert_close(picks.redundancy, torch.tensor([0.0, 0.6, 0.8]))


def test_greedy_breaks_ties_by_row_across_the_edge_of_the_active_set(monkeypatch):
    monkeypatch.setattr("budgetal.query.kernels.greedy._FIRST_BLOCK", 2)
    values = torch.tensor([0.5, 0.5, 1.0, 0.5, 0.5])
    axes = torch.eye(5)
    assert greedy_informative(values, axes, axes[:0], 1.0, 5).rows.tolist() == [2, 0, 1, 3, 4]


def test_greedy_looks_at_few_rows_when_few_can_win(monkeypatch):
    looked_at = []

    def counting(vectors, chosen):
        looked_at.append(len(vectors))
        return redundancy(vectors, chosen)

    monkeypatch.setattr("budgetal.query.kernels.greedy.redundancy", counting)
    values = torch.cat([torch.ones(100), torch.full((9_900,), 0.01)])
    embeddings = torch.eye(100).repeat(100, 1)
    picks = greedy_informative(values, embeddings, embeddings[:0], 1.0, 100)
    assert picks.rows.tolist() == list(range(100))
    assert sum(looked_at) == 2048


@pytest.mark.parametrize(("values", "gamma", "k"), [([-1.0, 1.0], 1.0, 1), ([1.0, 1.0], -1.0, 1), ([1.0, 1.0], 1.0, 3)])
def test_greedy_refuses_what_breaks_its_bound(values, gamma, k):
    with pytest.raises(ValueError, match="must"):
        greedy_informative(torch.tensor(values), cloud(2, 2), cloud(0, 2), gamma, k)


# kmeans


def test_kmeans_finds_separate_groups():
    centers = 10 * torch.eye(3)
    vectors = centers.repeat(20, 1) + 0.1 * cloud(60, 3)
    clusters = kmeans(vectors, 3, np.random.default_rng(0))
    groups = [set(clusters[group::3].tolist()) for group in range(3)]
    assert [len(group) for group in groups] == [1, 1, 1]
    assert len(set.union(*groups)) == 3


def test_kmeans_puts_each_row_with_its_nearest_centre():
    vectors = cloud(200, 4)
    clusters = kmeans(vectors, 5, np.random.default_rng(1))
    centres = torch.stack([vectors[clusters == cluster].mean(dim=0) for cluster in range(5)])
    # Lloyd's last step may leave a few rows one iteration behind.
    assert (torch.cdist(vectors, centres).argmin(dim=1) == clusters).float().mean() > 0.95


def test_kmeans_repeats_itself_and_leaves_the_number_of_threads_alone():
    before = faiss.omp_get_max_threads()
    first, again = (kmeans(cloud(100, 4), 7, np.random.default_rng(2)) for _ in range(2))
    assert torch.equal(first, again)
    assert faiss.omp_get_max_threads() == before


def test_kmeans_refuses_more_clusters_than_rows():
    with pytest.raises(ValueError, match="1 … 3"):
        kmeans(cloud(3, 2), 4, np.random.default_rng(0))
