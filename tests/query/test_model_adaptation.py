from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.stats import kendalltau

from budgetal.measures import chunks, entropy
from budgetal.query import select
from budgetal.query.kernels import layer_patterns
from budgetal.query.kernels.layer_patterns import (
    class_centres,
    discordance,
    distinctiveness,
    mean_squared_spread,
    squared_distances,
)
from budgetal.testing.pools import make_pool, pick, unit_rows, unlabelled


def numbers(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape).astype(np.float32))


@pytest.mark.parametrize("k", [2, 3, 8, 13])
def test_discordance_is_that_of_kendalls_tau(k):
    left, right = numbers(20, k), numbers(20, k, seed=1)
    expected = [(1 - kendalltau(*pair).statistic) / 2 for pair in zip(left, right, strict=True)]
    torch.testing.assert_close(discordance(left, right), torch.tensor(expected).float())


def test_discordance_by_hand():
    left = torch.tensor([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [1.0, 1.0, 1.0], [1.0, 1.0, 2.0]])
    right = torch.tensor([[5.0, 6.0, 7.0], [7.0, 6.0, 5.0], [5.0, 7.0, 6.0], [3.0, 2.0, 1.0], [3.0, 2.0, 1.0]])
    # Same order, reversed, the last two exchanged, all tied, and tied in the first two of three reversed.
    torch.testing.assert_close(discordance(left, right), torch.tensor([0.0, 1.0, 1 / 3, 0.0, 2 / 3]))


def test_one_class_tells_nothing():
    assert discordance(torch.ones(3, 1), torch.ones(3, 1)).tolist() == [0, 0, 0]


def slow_distinctiveness(layers, centres, spread):
    result = []
    for row in range(len(layers[0])):
        distances = [((layer[row] - centre) ** 2).sum(1) for layer, centre in zip(layers, centres, strict=True)]
        own = [((centre[:, None] - centre[None]) ** 2).sum(2) for centre in centres]
        weights = torch.softmax(-distances[-1] / spread, dim=0)
        taus = []
        for after in range(1, len(layers)):
            expected = sum(w * (own[after - 1][c] - own[after][c]) for c, w in enumerate(weights))
            taus.append(kendalltau(distances[after - 1] - distances[after], expected).statistic)
        result.append(np.mean([(1 - tau) / 2 for tau in taus]))
    return torch.tensor(np.array(result)).float()


@pytest.mark.parametrize("max_cells", [100, chunks.MAX_CELLS])
def test_distinctiveness_is_that_of_its_definition(max_cells, monkeypatch):
    monkeypatch.setattr(chunks, "MAX_CELLS", max_cells)
    widths = (3, 5, 4)
    layers = [F.normalize(numbers(15, width, seed=width), dim=1) for width in widths]
    centres = [numbers(6, width, seed=10 + width) / 2 for width in widths]
    found = distinctiveness(layers, centres, 0.7)
    torch.testing.assert_close(found, slow_distinctiveness(layers, centres, 0.7))


def test_centres_are_the_means_of_the_classes_there_are():
    layer = torch.tensor([[0.0, 2.0], [4.0, 0.0], [2.0, 0.0]])
    centres = class_centres(layer, torch.tensor([7, 3, 7]))
    assert centres.tolist() == [[4.0, 0.0], [1.0, 1.0]]
    assert mean_squared_spread(layer, torch.tensor([7, 3, 7]), centres) == pytest.approx(4 / 3)


def test_an_image_that_the_layers_treat_as_the_source_is_not_distinctive():
    pool = make_pool()
    layers = tuple(class_centres(layer, pool.source.targets) for layer in pool.source.layers)
    alike = distinctiveness(layers, layers, 0.01)
    odd = distinctiveness(tuple(-layer for layer in layers), layers, 0.01)
    assert float(alike.max()) == 0.0
    assert float(odd.mean()) > 0.3


@pytest.mark.parametrize(("n_labelled", "share"), [(0, 1.0), (40, 0.5), (120, 0.25)])
def test_the_mix_moves_from_distinctiveness_to_uncertainty(n_labelled, share):
    pool = replace(make_pool(), n_labelled=n_labelled)  # 4 classes: at 40 labels, 10 a class
    picks = pick("model_adaptation", pool, n=60)
    centres = [class_centres(layer, pool.source.targets) for layer in pool.source.layers]
    spread = mean_squared_spread(pool.source.layers[-1], pool.source.targets, centres[-1])
    ranks = pool.id_ranks[picks.rows]
    expected = share * distinctiveness(pool.layers, centres, spread) + (1 - share) * entropy(pool.probs)
    assert picks.weights == {"lambda": share}
    torch.testing.assert_close(picks.scores, expected[picks.rows])
    assert picks.scores.tolist() == sorted(picks.scores.tolist(), reverse=True)
    assert len(set(ranks.tolist())) == 60


@pytest.mark.parametrize("layers", [(), 1, "other"])
def test_a_source_without_the_pools_layers_is_refused(layers):
    pool = make_pool()
    kept = {(): (), 1: pool.source.layers[:1], "other": (unit_rows(np.random.default_rng(0), 30, 9),) * 2}[layers]
    with pytest.raises(ValueError, match=r"SourceView\.layers"):
        pick("model_adaptation", replace(pool, source=replace(pool.source, layers=kept)))


def test_one_layer_and_an_empty_source_are_refused():
    pool = make_pool()
    one = replace(pool, layers=pool.layers[:1], source=replace(pool.source, layers=pool.source.layers[:1]))
    with pytest.raises(ValueError, match="at least two layers"):
        pick("model_adaptation", one)
    layers = tuple(layer[:0] for layer in pool.source.layers)
    empty = replace(pool.source, embeddings=pool.source.embeddings[:0], targets=pool.source.targets[:0], layers=layers)
    with pytest.raises(ValueError, match="no source images"):
        select("model_adaptation", replace(unlabelled(pool), source=empty), 3, np.random.default_rng(0))


def test_wide_layers_are_read_in_small_blocks(monkeypatch):
    """Two classes, but 50 features: a block is as small as the features ask for."""
    monkeypatch.setattr(chunks, "MAX_CELLS", 500)
    sizes = []

    def counting(vectors, centres):
        sizes.append(vectors.numel())
        return squared_distances(vectors, centres)

    monkeypatch.setattr(layer_patterns, "squared_distances", counting)
    layers, centres = [numbers(100, 50), numbers(100, 30)], [numbers(2, 50), numbers(2, 30)]
    distinctiveness(layers, centres, 1.0)
    assert max(sizes) <= 500


def test_centres_are_the_same_in_blocks(monkeypatch):
    layer, targets = numbers(40, 6), torch.arange(40) % 3
    whole = class_centres(layer, targets)
    monkeypatch.setattr(chunks, "MAX_CELLS", 30)
    torch.testing.assert_close(class_centres(layer, targets), whole)
    torch.testing.assert_close(whole, torch.stack([layer[targets == label].mean(dim=0) for label in range(3)]))
