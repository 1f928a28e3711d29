"""Near-duplicates against all pairs by brute force."""

import numpy as np
import pytest

from budgetal.data import duplicates, near_duplicates


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def planted(n: int, n_pairs: int) -> np.ndarray:
    """Random directions, of which the last `n_pairs` are slightly moved copies of the first ones."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(n, 32))
    vectors[-n_pairs:] = vectors[:n_pairs] + 0.03 * rng.normal(size=(n_pairs, 32))
    return unit(vectors)


def brute_force(embeddings: np.ndarray, threshold: float) -> dict[tuple[int, int], float]:
    similarity = embeddings @ embeddings.T
    pairs = zip(*np.nonzero(similarity >= threshold), strict=True)
    return {(int(i), int(j)): float(similarity[i, j]) for i, j in pairs if i < j}


@pytest.mark.parametrize("threshold", [0.999, 0.995, 0.5])
def test_pairs_are_those_of_brute_force_most_similar_first(threshold: float) -> None:
    embeddings = planted(300, 40)
    found = near_duplicates(embeddings, threshold)
    expected = brute_force(embeddings, threshold)
    assert {(i, j) for i, j, _ in found} == set(expected)
    assert len(expected) > 10
    for i, j, similarity in found:
        assert similarity == pytest.approx(expected[i, j], abs=1e-5)
    assert [pair[2] for pair in found] == sorted((pair[2] for pair in found), reverse=True)


def test_chunks_do_not_change_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    embeddings = planted(300, 40)
    whole = near_duplicates(embeddings)
    monkeypatch.setattr(duplicates, "_CHUNK", 64)
    assert {pair[:2] for pair in near_duplicates(embeddings)} == {pair[:2] for pair in whole}


def test_limit_keeps_the_most_similar() -> None:
    embeddings = planted(100, 20)
    assert near_duplicates(embeddings, limit=5) == near_duplicates(embeddings)[:5]


def test_large_collections_find_planted_copies_through_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    embeddings = planted(3000, 200)
    monkeypatch.setattr(duplicates, "_EXACT_UP_TO", 1000)
    found = {pair[:2] for pair in near_duplicates(embeddings, 0.99)}
    expected = set(brute_force(embeddings, 0.99))
    assert found <= expected
    assert len(found) >= 0.95 * len(expected)


def test_one_cluster_of_many_copies_stays_linear_and_misses_no_member() -> None:
    embeddings = np.repeat(unit(np.ones((1, 8))), 500, axis=0)
    found = near_duplicates(embeddings, limit=10**6)
    assert len(found) <= 500 * 17
    assert {row for pair in found for row in pair[:2]} == set(range(500))
    assert all(i < j for i, j, _ in found)


@pytest.mark.parametrize("n", [0, 1])
def test_fewer_than_two_images_have_no_pairs(n: int) -> None:
    assert near_duplicates(np.zeros((n, 8), np.float32)) == []


def test_values_that_are_not_finite_are_refused() -> None:
    embeddings = planted(10, 2)
    embeddings[3, 1] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        near_duplicates(embeddings)
