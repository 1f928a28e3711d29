import numpy as np
import pytest
import torch
import torch.nn.functional as F

from budgetal.measures import CentredRows, mean_vector
from budgetal.query.kernels import greedy_informative


def cloud(n, width, seed=0):
    rng = np.random.default_rng(seed)
    return F.normalize(torch.from_numpy(rng.standard_normal((n, width)).astype(np.float32)), dim=1)


def some_values(n, seed=1):
    return torch.from_numpy(np.random.default_rng(seed).random(n).astype(np.float32))


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
@pytest.mark.parametrize("n_active", [1, 7, 2048])
def test_greedy_is_that_of_brute_force(gamma, n_chosen, n_active, monkeypatch):
    monkeypatch.setattr("budgetal.query.kernels.lazy_greedy._ACTIVE", n_active)
    monkeypatch.setattr("budgetal.query.kernels.lazy_greedy._FIRST_BATCH", 3)
    values, embeddings, chosen = some_values(80), cloud(80, 4), cloud(n_chosen, 4, seed=9)
    picks = greedy_informative(values, embeddings, chosen, gamma, 40)
    rows, scores = slow_greedy(values, embeddings, chosen, gamma, 40)
    assert picks.rows.tolist() == rows
    torch.testing.assert_close(picks.scores, scores, atol=1e-6, rtol=1e-4)


def test_greedy_over_centred_rows_is_that_over_their_matrix():
    values, embeddings = some_values(50), F.normalize(cloud(50, 6) + 1, dim=1)
    rows = CentredRows(embeddings, mean_vector(embeddings))
    picks, expected = (greedy_informative(values, each, rows[:3], 1.0, 20) for each in (rows, rows[:]))
    assert picks.rows.tolist() == expected.rows.tolist()
    torch.testing.assert_close(picks.redundancy, expected.redundancy)


def test_greedy_reports_the_redundancy_that_a_pick_had_not_what_it_got_later():
    axes = torch.eye(3).repeat(2, 1)
    picks = greedy_informative(torch.ones(6), axes, axes[:0], 1.0, 6)
    assert picks.rows.tolist() == [0, 1, 2, 3, 4, 5]
    assert picks.redundancy.tolist() == [0, 0, 0, 1, 1, 1]


def test_greedy_by_hand():
    embeddings = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.6, 0.8], [0.0, 1.0]])
    values = torch.tensor([1.0, 0.9, 0.8, 0.1])
    picks = greedy_informative(values, embeddings, embeddings[:0], 1.0, 3)
    # After row 0: row 1 is worth 0, row 2 0.8 · 0.4, row 3 0.1; after row 2: row 3 0.1 · 0.2.
    assert picks.rows.tolist() == [0, 2, 3]
    torch.testing.assert_close(picks.scores, torch.tensor([1.0, 0.32, 0.02]))
    torch.testing.assert_close(picks.redundancy, torch.tensor([0.0, 0.6, 0.8]))


def test_greedy_breaks_ties_by_row_across_the_edge_of_the_active_set(monkeypatch):
    monkeypatch.setattr("budgetal.query.kernels.lazy_greedy._ACTIVE", 2)
    values = torch.tensor([0.5, 0.5, 1.0, 0.5, 0.5])
    axes = torch.eye(5)
    assert greedy_informative(values, axes, axes[:0], 1.0, 5).rows.tolist() == [2, 0, 1, 3, 4]


def test_greedy_looks_at_few_rows_when_few_can_win():
    class Counted(CentredRows):
        looked_at = 0

        def __getitem__(self, rows):
            Counted.looked_at += len(self.embeddings[rows])
            return self.embeddings[rows]

    values = torch.cat([torch.ones(100), torch.full((9_900,), 0.01)])
    embeddings = Counted(torch.eye(100).repeat(100, 1), torch.zeros(100))
    picks = greedy_informative(values, embeddings, torch.zeros(0, 100), 1.0, 100)
    assert picks.rows.tolist() == list(range(100))
    assert Counted.looked_at < 10_000  # scoring all rows after each pick is a million


@pytest.mark.parametrize(("values", "gamma", "k"), [([-1.0, 1.0], 1.0, 1), ([1.0, 1.0], -1.0, 1), ([1.0, 1.0], 1.0, 3)])
def test_greedy_refuses_what_breaks_its_bound(values, gamma, k):
    with pytest.raises(ValueError, match="must"):
        greedy_informative(torch.tensor(values), cloud(2, 2), cloud(0, 2), gamma, k)
