"""Points of a map: where alike images lie, and that they stay there."""

from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import pytest

from budgetal.mapping.projection import FEWEST, principal_components, project

CONSTRAINTS = Path(__file__).parents[2] / "constraints.txt"


def rng():
    return np.random.default_rng(7)


def three_clusters(n=150, d=12):
    """Embeddings (n, d) in three far groups, and the group of each."""
    group = np.arange(n) % 3
    return (np.eye(3, d)[group] * 20 + rng().normal(size=(n, d))).astype(np.float32), group


def test_clusters_of_embeddings_are_clusters_of_the_map():
    embeddings, group = three_clusters()
    points = project(embeddings, None, rng())
    assert points.shape == (150, 2)
    away = np.linalg.norm(points[:, None] - points[None], axis=2) + np.diag(np.full(150, np.inf))
    assert (group[away.argmin(axis=1)] == group).all()


def test_the_same_generator_gives_the_same_map():
    embeddings, _ = three_clusters(60)
    assert np.array_equal(project(embeddings, None, rng()), project(embeddings, None, rng()))


def test_points_keep_their_place_when_the_embeddings_change():
    embeddings, _ = three_clusters()
    before = project(embeddings, None, rng())
    turned = embeddings * np.where(np.arange(12) == 0, 0.6, np.where(np.arange(12) == 1, 1.0, 2.0)).astype(np.float32)
    after, afresh = project(turned, before, rng()), project(turned, None, rng())
    moved, moved_afresh = (np.linalg.norm(points - before, axis=1).mean() for points in (after, afresh))
    assert moved < 0.3 * np.linalg.norm(before - before.mean(axis=0), axis=1).mean()
    assert moved < 0.5 * moved_afresh


def test_progress_counts_up_to_the_end_and_tells_where_the_points_are():
    told = []
    points = project(three_clusters(60)[0], None, rng(), lambda *step: told.append(step))
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)
    assert told[0][0] == 0
    assert told[-1][0] == told[-1][1]
    assert all(total == told[0][1] and seen.shape == (60, 2) for _, total, seen in told)
    assert np.isfinite(points).all()


@pytest.mark.parametrize("n", [1, 2, 3, FEWEST - 1, FEWEST, FEWEST + 1])
def test_a_few_images_have_a_map_too(n):
    points = project(rng().normal(size=(n, 5)).astype(np.float32), None, rng())
    assert points.shape == (n, 2)
    assert np.isfinite(points).all()


def test_no_image_and_equal_images_have_a_map():
    assert project(np.empty((0, 5), np.float32), None, rng()).shape == (0, 2)
    assert (project(np.ones((30, 5), np.float32), None, rng()) == 0).all()
    half = np.repeat(rng().normal(size=(2, 5)).astype(np.float32), 30, axis=0)
    assert np.isfinite(project(half, None, rng())).all()


def test_the_first_components_are_those_of_the_covariance():
    embeddings, _ = three_clusters()
    found = principal_components(embeddings, rng())
    centred = embeddings - embeddings.mean(axis=0)
    values = np.linalg.eigvalsh(centred.T @ centred)[::-1]
    assert np.allclose((found**2).sum(axis=0), values, rtol=1e-3)


def test_one_dimension_is_a_line():
    assert (principal_components(rng().normal(size=(20, 1)).astype(np.float32), rng())[:, 1] == 0).all()


def test_opentsne_is_pinned_and_came_as_a_wheel_that_needs_no_compiler():
    installed = distribution("openTSNE")
    assert f"openTSNE=={installed.version}" in CONSTRAINTS.read_text().splitlines()
    tags = [line for line in installed.read_text("WHEEL").splitlines() if line.startswith("Tag:")]
    assert tags
    assert all(any(system in tag for system in ("manylinux", "musllinux", "macosx", "win")) for tag in tags)
