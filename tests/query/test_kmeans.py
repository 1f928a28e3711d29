import importlib

import faiss
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from budgetal.measures import CentredRows, mean_vector
from budgetal.query.kernels import kmeans
from budgetal.query.kernels.kmeans import _training_rows, kmeans_centres, nearest_centre

module = importlib.import_module("budgetal.query.kernels.kmeans")  # the package exports a function of this name


def cloud(n, width, seed=0):
    rng = np.random.default_rng(seed)
    return F.normalize(torch.from_numpy(rng.standard_normal((n, width)).astype(np.float32)), dim=1)


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


@pytest.mark.parametrize(("n", "width", "k"), [(100, 4, 7), (1237, 33, 37), (5003, 129, 100)])
def test_kmeans_is_the_same_whatever_the_number_of_threads(n, width, k):
    before = faiss.omp_get_max_threads()
    answers = []
    for threads in (1, 2, 3):
        faiss.omp_set_num_threads(threads)
        answers.append(kmeans(cloud(n, width), k, np.random.default_rng(2)))
    faiss.omp_set_num_threads(before)
    assert torch.equal(answers[0], answers[1])
    assert torch.equal(answers[0], answers[2])


def test_kmeans_in_blocks_and_of_several_parts_is_that_of_the_whole(monkeypatch):
    vectors = cloud(300, 5)
    whole = kmeans_centres([vectors], 6, np.random.default_rng(3))
    parts = kmeans_centres([vectors[:0], vectors[:40], vectors[40:]], 6, np.random.default_rng(3))
    assert torch.equal(whole, parts)
    expected = torch.cdist(vectors.double(), whole.double()).argmin(dim=1)
    monkeypatch.setattr(module, "_BLOCK_CELLS", 35)
    assert torch.equal(nearest_centre(vectors, whole), expected)


def test_kmeans_finds_centres_in_a_sample_of_a_large_pool():
    centers = 10 * torch.eye(3)
    vectors = centers.repeat(200, 1) + 0.1 * cloud(600, 3)
    found = kmeans_centres([vectors], 3, np.random.default_rng(0), rows_a_cluster=10)
    assert torch.cdist(centers, found).amin(dim=1).max() < 0.1
    assert len(_training_rows([vectors[:100], vectors[100:]], 30, np.random.default_rng(0))) == 30


def test_kmeans_of_centred_rows_is_that_of_their_matrix():
    vectors = F.normalize(cloud(200, 6) + 1, dim=1)
    rows = CentredRows(vectors, mean_vector(vectors))
    assert torch.equal(kmeans(rows, 5, np.random.default_rng(0)), kmeans(rows[:], 5, np.random.default_rng(0)))


def test_kmeans_refuses_what_is_no_number():
    vectors = cloud(5, 2)
    vectors[3, 1] = torch.nan
    with pytest.raises(ValueError, match="vectors must be finite"):
        kmeans(vectors, 2, np.random.default_rng(0))


def test_kmeans_refuses_more_clusters_than_rows():
    with pytest.raises(ValueError, match="1 … 3"):
        kmeans(cloud(3, 2), 4, np.random.default_rng(0))
