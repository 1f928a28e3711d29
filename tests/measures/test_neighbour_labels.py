import numpy as np
import pytest
import torch
import torch.nn.functional as F

from budgetal.measures.neighbour_labels import neighbour_support


def cloud(n, width=4, seed=0):
    return F.normalize(torch.randn(n, width, generator=torch.Generator().manual_seed(seed)), dim=1)


def brute_force(embeddings, targets, labelled, labels, k):
    centred = embeddings.double() - embeddings.double().mean(dim=0)
    products = (F.normalize(centred, dim=1) @ F.normalize(centred, dim=1).T).numpy()
    support, most = [], []
    for row in range(len(embeddings)):
        others = [i for i in labelled.tolist() if i != row]
        near = sorted(others, key=lambda i: -products[row, i])[:k]
        votes = np.zeros(3)
        for i in near:
            votes[labels[labelled.tolist().index(i)]] += max(0, products[row, i]) ** 3
        support.append(votes[targets[row]] / votes.sum() if votes.sum() else 0)
        most.append(votes.argmax() if votes.sum() else -1)
    return np.array(support), np.array(most)


def test_support_is_the_weighted_share_of_the_nearest_labelled_images():
    embeddings, targets = cloud(50), torch.arange(50) % 3
    labelled = torch.tensor([1, 4, 8, 15, 16, 23, 30, 42])
    labels = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1])
    support, most = neighbour_support(embeddings, targets, labelled, labels, 3, k=4)
    expected, majority = brute_force(embeddings, targets, labelled, labels, 4)
    np.testing.assert_allclose(support, expected, atol=1e-5)
    np.testing.assert_array_equal(most, majority)


def test_many_classes_are_counted_in_blocks_alike(monkeypatch):
    embeddings, targets = cloud(40), torch.arange(40) % 3
    labelled, labels = torch.arange(10), torch.arange(10) % 3
    whole = neighbour_support(embeddings, targets, labelled, labels, 3)
    monkeypatch.setattr("budgetal.measures.neighbour_labels._CELLS", 9)
    for found, expected in zip(neighbour_support(embeddings, targets, labelled, labels, 3), whole, strict=True):
        torch.testing.assert_close(found, expected)


def test_where_no_neighbour_resembles_an_image_nothing_is_said():
    embeddings = F.normalize(torch.ones(4, 2), dim=1)
    support, most = neighbour_support(
        embeddings, torch.zeros(4, dtype=torch.int64), torch.arange(3), torch.zeros(3, dtype=torch.int64), 2
    )
    assert support.tolist() == [0] * 4
    assert most.tolist() == [-1] * 4


@pytest.mark.parametrize("k", [0, -1])
def test_no_neighbours_are_refused(k):
    with pytest.raises(ValueError, match="k must be"):
        neighbour_support(cloud(4), torch.zeros(4, dtype=torch.int64), torch.arange(3), torch.arange(3), 3, k)
