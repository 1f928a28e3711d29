import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from budgetal.query.mixtures import mix, opposite_pairs
from budgetal.query.strategies.synthesis import _optima
from budgetal.query.synthesis import ascend, head_entropy, nearest_rows, smoothed_entropy
from budgetal.testing.pools import make_pool, pick


def unit(*shape, seed=0):
    rng = np.random.default_rng(seed)
    return F.normalize(torch.from_numpy(rng.standard_normal(shape).astype(np.float32)), dim=-1)


def head(classes=3, d=6, seed=1):
    rng = np.random.default_rng(seed)
    weight = torch.from_numpy(3 * rng.standard_normal((classes, d)).astype(np.float32))
    return weight, torch.from_numpy(rng.standard_normal(classes).astype(np.float32))


def shares_of(n, k, seed=3):
    return torch.from_numpy(np.random.default_rng(seed).dirichlet(np.ones(k), n).astype(np.float32))


def test_head_entropy_is_the_entropy_of_the_softmax():
    weight, bias = head()
    vertices, shares = unit(5, 4, 6), shares_of(5, 4)
    points = torch.stack([shares[i] @ vertices[i] for i in range(5)])
    probs = torch.softmax(points @ weight.T + bias, dim=1)
    expected = [-sum(p * math.log(p) for p in row) for row in probs.tolist()]
    assert head_entropy(vertices, weight, bias)(shares).tolist() == pytest.approx(expected, rel=1e-5)


def test_head_entropy_of_a_certain_head_is_a_number_with_a_gradient():
    shares = torch.tensor([[1.0, 0.0]], requires_grad=True)
    value = head_entropy(torch.eye(2)[None], torch.tensor([[500.0, 0.0], [-500.0, 0.0]]), torch.zeros(2))(shares)
    value.sum().backward()
    assert value.item() == 0
    assert torch.isfinite(shares.grad).all()


def test_smoothed_entropy_is_the_brute_force_of_its_kernel():
    vertices, probs = unit(4, 5, 6), torch.softmax(3 * unit(4, 5, 3, seed=2), dim=2)
    shares = shares_of(4, 5)
    found = smoothed_entropy(vertices, probs)(shares)
    for i in range(4):
        point = shares[i] @ vertices[i]
        width = np.mean([1 - float(vertices[i, j] @ vertices[i, 0]) for j in range(5)])
        weights = np.array([math.exp(float(vertices[i, j] @ point) / width) for j in range(5)])
        smooth = (weights / weights.sum()) @ probs[i].numpy()
        assert found[i].item() == pytest.approx(-float((smooth * np.log(smooth)).sum()), rel=1e-4)


def test_smoothed_entropy_of_one_class_and_of_equal_images_is_a_number_with_a_gradient():
    vertices = unit(1, 1, 6).expand(2, 3, 6)
    probs = torch.eye(3)[torch.tensor([[0, 0, 0], [0, 1, 2]])]
    shares = torch.full((2, 3), 1 / 3, requires_grad=True)
    values = smoothed_entropy(vertices, probs)(shares)
    values.sum().backward()
    assert values.tolist() == pytest.approx([0, math.log(3)], abs=1e-6)
    assert torch.isfinite(shares.grad).all()


def test_the_ascent_finds_the_boundary_between_two_images():
    # p = 1/2 where 4 x - 3 y = 0: on the way from (1, 0) to (0, 1) that is (3/7, 4/7).
    vertices = torch.eye(2)[None]
    uncertainty = head_entropy(vertices, torch.tensor([[4.0, 0.0], [0.0, 3.0]]), torch.zeros(2))
    points, values = ascend(vertices, uncertainty)
    torch.testing.assert_close(points, torch.tensor([[3 / 7, 4 / 7]]), atol=2e-3, rtol=0)
    assert values.item() == pytest.approx(math.log(2), abs=1e-4)


@pytest.mark.parametrize("kind", ["head", "smoothed"])
def test_the_ascent_ends_above_every_vertex_and_inside_their_hull(kind):
    vertices = unit(20, 6, 4)
    probs = torch.softmax(4 * unit(20, 6, 3, seed=2), dim=2)
    uncertainty = head_entropy(vertices, *head(d=4)) if kind == "head" else smoothed_entropy(vertices, probs)
    points, values = ascend(vertices, uncertainty)
    at_vertices = torch.stack([uncertainty(corner.repeat(20, 1)) for corner in torch.eye(6)], dim=1)
    assert (values >= at_vertices.max(dim=1).values).all()
    assert (values > at_vertices.max(dim=1).values + 1e-3).sum() > 10
    for i in range(20):
        assert distance_to_hull(points[i], vertices[i]) < 1e-4


def test_the_value_at_the_end_is_that_of_the_point():
    vertices, (weight, bias) = unit(20, 6, 4), head(d=4)
    points, values = ascend(vertices, head_entropy(vertices, weight, bias))
    expected = torch.distributions.Categorical(logits=points @ weight.T + bias).entropy()
    torch.testing.assert_close(values, expected)


def distance_to_hull(point, vertices):
    """Non-negative least squares with the sum of the coefficients held at 1."""
    from scipy.optimize import nnls

    left = np.vstack([vertices.numpy().T, 1e3 * np.ones(len(vertices))])
    return nnls(left, np.append(point.numpy(), 1e3))[1]


def test_more_steps_never_lower_the_uncertainty():
    vertices = unit(10, 6, 4)
    values = [ascend(vertices, head_entropy(vertices, *head(d=4)), steps)[1] for steps in (0, 1, 5, 20)]
    assert all((later >= earlier).all() for earlier, later in itertools.pairwise(values))


def test_at_the_end_no_point_nearby_in_the_hull_is_much_more_uncertain():
    vertices = unit(10, 5, 4)
    weight, bias = head(d=4)
    points, values = ascend(vertices, head_entropy(vertices, weight, bias), steps=50)
    for seed in range(50):
        nearby = 0.95 * points + 0.05 * (shares_of(10, 5, seed)[:, None] @ vertices)[:, 0]
        entropies = torch.distributions.Categorical(logits=nearby @ weight.T + bias).entropy()
        assert (entropies <= values + 0.02).all()


def test_vertices_that_are_not_finite_are_refused():
    vertices = unit(2, 3, 4)
    vertices[1, 1, 1] = torch.nan
    with pytest.raises(ValueError, match="vertices must be finite"):
        ascend(vertices, head_entropy(vertices, *head(d=4)))


def test_nearest_rows_are_those_of_brute_force_each_taken_once(monkeypatch):
    embeddings, points = unit(40, 3), unit(30, 3, seed=1)
    free, expected = list(range(40)), []
    for point in points:
        best = max(free, key=lambda row: (float(embeddings[row] @ point), -row))
        free.remove(best)
        expected.append(best)
    assert nearest_rows(points, embeddings).tolist() == expected
    monkeypatch.setattr("budgetal.measures.chunks.MAX_CELLS", 100)
    assert nearest_rows(points, embeddings).tolist() == expected


def test_nearest_rows_of_equal_images_go_to_the_lowest():
    same = torch.ones(5, 2) / 2**0.5
    assert nearest_rows(same[:3], same).tolist() == [0, 1, 2]
    assert nearest_rows(same[:0], same).tolist() == []
    with pytest.raises(ValueError, match="6 points"):
        nearest_rows(torch.ones(6, 2), same)


def test_the_strategy_goes_to_the_border_between_two_groups_of_sure_images():
    """Every image is sure of its class; only between the groups is anything uncertain."""
    angles = torch.linspace(0, math.pi / 2, 61)
    embeddings = torch.stack([angles.cos(), angles.sin()], dim=1)
    probs = torch.where(angles[:, None] < math.pi / 4, torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]))
    pool = replace(
        make_pool(n=61, n_labelled=2, n_classes=2, width=2),
        probs=probs,
        embeddings=embeddings,
        id_ranks=torch.arange(61),
        labelled_embeddings=embeddings[:2],
    )
    points, values = _optima(pool, torch.tensor([25, 0]))
    assert values[0].item() == pytest.approx(math.log(2), abs=1e-3)
    assert float(torch.atan2(points[0, 1], points[0, 0])) == pytest.approx(math.pi / 4, abs=0.03)
    assert values[1].item() == pytest.approx(0, abs=1e-6)
    best = pick("synthesis", pool, 61).scores.max().item()
    assert best == pytest.approx(math.log(2), abs=1e-3)


def test_the_strategy_in_blocks_is_the_strategy(monkeypatch):
    pool = make_pool()
    whole = pick("synthesis", pool, 20)
    monkeypatch.setattr("budgetal.measures.chunks.MAX_CELLS", 400)
    blocks = pick("synthesis", pool, 20)
    assert blocks.rows.tolist() == whole.rows.tolist()
    torch.testing.assert_close(blocks.scores, whole.scores)


# -- mixtures in input space ------------------------------------------------------------------------


def dark_or_bright(middle):
    """A linear model: p(bright) = σ((mean grey level - middle) / 4)."""

    def predict(images):
        bright = torch.sigmoid((images.float().mean(dim=(1, 2)) - middle) / 4)
        return torch.stack([1 - bright, bright], dim=1)

    return predict


def flat(*levels):
    return torch.tensor(levels, dtype=torch.uint8)[:, None, None].expand(-1, 4, 4).contiguous()


def test_bisection_finds_where_a_linear_model_is_torn():
    mixtures = mix(flat(200, 20), flat(40, 220), dark_or_bright(100))
    # 200 λ + 40 (1 - λ) = 100 and 20 λ + 220 (1 - λ) = 100.
    assert mixtures.shares.tolist() == pytest.approx([60 / 160, 120 / 200], abs=4e-3)
    assert mixtures.images[:, 0, 0].tolist() == [100, 100]
    torch.testing.assert_close(mixtures.probs, torch.full((2, 2), 0.5))


def test_a_mixture_is_the_weighted_mean_of_its_pair():
    rng = np.random.default_rng(0)
    first = torch.from_numpy(rng.integers(128, 256, (3, 5, 5)).astype(np.uint8))
    second = torch.from_numpy(rng.integers(0, 128, (3, 5, 5)).astype(np.uint8))
    mixtures = mix(first, second, dark_or_bright(128))
    weight = mixtures.shares[:, None, None]
    assert ((weight * first + (1 - weight) * second) - mixtures.images).abs().max() <= 0.5 + 1e-4


def test_of_three_classes_the_mixture_is_between_those_of_its_pair():
    """Class 2 is likely in the middle; bisection still ends where classes 0 and 1 are equally likely."""

    def predict(images):
        level = images.float().mean(dim=(1, 2)) / 255
        return torch.softmax(8 * torch.stack([1 - level, level, 0.9 - (level - 0.5).abs()], dim=1), dim=1)

    mixtures = mix(flat(0), flat(255), predict)
    assert mixtures.probs[0, 0].item() == pytest.approx(mixtures.probs[0, 1].item(), abs=0.02)


def test_two_images_of_one_class_are_no_pair():
    with pytest.raises(ValueError, match="both images of pair 1 into class 0"):
        mix(flat(200, 20), flat(40, 30), dark_or_bright(100))


def test_pairs_are_of_different_classes_drawn_from_the_seed():
    probs = torch.softmax(3 * unit(30, 3), dim=1)
    predicted = probs.argmax(dim=1)
    first, second = opposite_pairs(probs, 70, np.random.default_rng(0))
    assert (predicted[first] != predicted[second]).all()
    assert sorted(first[:30].tolist()) == list(range(30))
    again = opposite_pairs(probs, 70, np.random.default_rng(0))
    assert torch.equal(first, again[0])
    assert torch.equal(second, again[1])


def test_no_pairs_of_one_class_and_no_pairs_at_all():
    one_class = torch.tensor([[0.9, 0.1]]).repeat(5, 1)
    for probs, k in ((one_class, 3), (torch.eye(2), 0)):
        with pytest.raises(ValueError, match="Cannot make"):
            opposite_pairs(probs, k, np.random.default_rng(0))
