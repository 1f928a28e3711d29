import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy import sparse

from budgetal.measures import chunks, propagation
from budgetal.measures.propagation import affinity_graph, conjugate_gradients, normalised, propagate


def cloud(n=60, width=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(n, width, generator=generator), dim=1)


def some_targets(n=60, n_classes=3, n_known=9, seed=0):
    targets = torch.full((n,), -1)
    targets[torch.randperm(n, generator=torch.Generator().manual_seed(seed))[:n_known]] = (
        torch.arange(n_known) % n_classes
    )
    return targets


def dense_affinity(vectors, k):
    products = (vectors @ vectors.T).double().numpy()
    np.fill_diagonal(products, -np.inf)
    near = np.zeros_like(products)
    for row, best in enumerate(np.argsort(-products, axis=1, kind="stable")[:, :k]):
        near[row, best] = np.clip(products[row, best], 0, None) ** 3
    return near + near.T


def dense_solution(affinity, targets, n_classes, alpha):
    degrees = affinity.sum(axis=1)
    scale = np.where(degrees > 0, 1 / np.sqrt(np.where(degrees > 0, degrees, 1)), 0)
    system = np.eye(len(affinity)) - alpha * scale[:, None] * affinity * scale
    labels = (targets.numpy()[:, None] == np.arange(n_classes)).astype(float)
    return np.linalg.solve(system, labels)


def test_the_graph_joins_the_nearest_by_the_cube_of_their_cosine():
    vectors = cloud()
    graph = affinity_graph(vectors, 5)
    np.testing.assert_allclose(graph.toarray(), dense_affinity(vectors, 5), atol=1e-6)
    assert graph.nnz <= 2 * 60 * 5


def test_conjugate_gradients_give_the_dense_solution():
    vectors, targets = cloud(), some_targets()
    expected = dense_solution(dense_affinity(vectors, 5), targets, 3, 0.99)
    labels = (targets.numpy()[:, None] == np.arange(3)).astype(float)
    found = conjugate_gradients(normalised(affinity_graph(vectors, 5)), labels, 0.99)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_probabilities_and_certainty_are_those_of_the_dense_solution():
    vectors, targets = cloud(seed=3), some_targets(seed=3)
    spread = dense_solution(dense_affinity(vectors, 6), targets, 3, 0.99)
    expected = spread / spread.sum(axis=1, keepdims=True)
    probs, certainty = propagate(affinity_graph(vectors, 6), targets, 3)
    np.testing.assert_allclose(probs.numpy(), expected, atol=1e-5)
    entropies = -(expected * np.log(expected)).sum(axis=1)
    np.testing.assert_allclose(certainty.numpy(), 1 - entropies / math.log(3), atol=1e-5)


def test_a_chain_of_three_by_hand():
    # 0 - 1 - 2 with equal edges: W_01 = W_12 = 1/√2. (I - αW) Z = Y with label 0 at one end, 1 at the other:
    # by symmetry the middle is undecided, and an end has 1 - α²/2 : α²/2 of the two classes.
    graph = sparse.csr_array(np.array([[0.0, 1, 0], [1, 0, 1], [0, 1, 0]]))
    probs, certainty = propagate(graph, torch.tensor([0, -1, 1]), 2, alpha=0.8)
    torch.testing.assert_close(probs, torch.tensor([[0.68, 0.32], [0.5, 0.5], [0.32, 0.68]]))
    end = 1 + (0.68 * math.log(0.68) + 0.32 * math.log(0.32)) / math.log(2)
    torch.testing.assert_close(certainty, torch.tensor([end, 0, end]))


def test_what_no_label_reaches_has_all_classes_alike_and_no_certainty():
    graph = sparse.csr_array(np.array([[0.0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]]))
    probs, certainty = propagate(graph, torch.tensor([2, -1, -1, -1]), 4)
    torch.testing.assert_close(probs, torch.tensor([[0, 0, 1, 0]] * 2 + [[0.25] * 4] * 2))
    assert certainty.tolist() == pytest.approx([1, 1, 0, 0])


def test_zero_vectors_and_duplicates_make_a_graph():
    vectors = torch.cat([torch.zeros(3, 4), cloud(1).expand(5, 4)])
    probs, certainty = propagate(affinity_graph(vectors, 4), torch.tensor([-1] * 7 + [1]), 3)
    assert certainty.tolist() == pytest.approx([0, 0, 0, 1, 1, 1, 1, 1])
    assert probs.argmax(dim=1)[3:].tolist() == [1] * 5
    assert affinity_graph(vectors[:1]).nnz == 0
    assert propagate(affinity_graph(vectors[:0]), torch.tensor([], dtype=torch.int64), 3)[0].shape == (0, 3)


def test_classes_are_solved_a_few_at_a_time_to_the_same_end(monkeypatch):
    graph, targets = affinity_graph(cloud(), 5), some_targets()
    whole = propagate(graph, targets, 3)
    monkeypatch.setattr(propagation, "MAX_CELLS", 60)
    monkeypatch.setattr(chunks, "MAX_CELLS", 60)
    torch.testing.assert_close(propagate(affinity_graph(cloud(), 5), targets, 3), whole)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (dict(targets=torch.tensor([0, 3, -1])), "targets must be in"),
        (dict(targets=torch.tensor([0, -1])), "graph must be 2 × 2"),
        (dict(alpha=1.0), "alpha < 1"),
        (dict(n_classes=1), "n_classes ≥ 2"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, words):
    fitting = dict(graph=sparse.csr_array(np.ones((3, 3))), targets=torch.tensor([0, 1, -1]), n_classes=3, alpha=0.9)
    with pytest.raises(ValueError, match=words):
        propagate(**(fitting | arguments))
