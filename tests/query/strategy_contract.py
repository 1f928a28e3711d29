"""What every query strategy promises. A newcomer inherits it:

@pytest.mark.parametrize("name", ["mine"])
class TestMine(StrategyContract): ...
"""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from budgetal.errors import ConfigError
from budgetal.query import SUPPLIES, PoolView, Selection, SourceView, select, strategies


def make_pool(n=60, n_labelled=8, n_classes=4, width=6, seed=0):
    """A pool with everything that any strategy may need."""
    rng = np.random.default_rng(seed)
    embeddings = unit_rows(rng, n + n_labelled, width)
    source = SourceView(
        embeddings=unit_rows(rng, 30, width),
        targets=torch.from_numpy(rng.integers(n_classes, size=30)),
        layers=(unit_rows(rng, 30, 3), unit_rows(rng, 30, 5)),
    )
    return PoolView(
        probs=softmaxes(rng, n, n_classes),
        embeddings=embeddings[:n],
        id_ranks=torch.from_numpy(rng.permutation(n + 20)[:n]),
        labelled_embeddings=embeddings[n:],
        n_labelled=n_labelled,
        labelled_targets=torch.from_numpy(rng.integers(n_classes, size=n_labelled)),
        labelled_probs=softmaxes(rng, n_labelled, n_classes),
        passes=softmaxes(rng, 5, n, n_classes),
        committee=softmaxes(rng, 3, n, n_classes),
        source=source,
        target_embeddings=unit_rows(rng, 20, width),
        layers=(unit_rows(rng, n, 3), unit_rows(rng, n, 5)),
    )


def unit_rows(rng, n, width):
    return F.normalize(torch.from_numpy(rng.standard_normal((n, width)).astype(np.float32)), dim=1)


def softmaxes(rng, *shape):
    return torch.softmax(2 * torch.from_numpy(rng.standard_normal(shape).astype(np.float32)), dim=-1)


def in_order(pool, order):
    """The same images in another order of rows."""
    return replace(
        pool,
        probs=pool.probs[order],
        embeddings=pool.embeddings[order],
        id_ranks=pool.id_ranks[order],
        passes=pool.passes[:, order],
        committee=pool.committee[:, order],
        layers=tuple(layer[order] for layer in pool.layers),
    )


def all_alike(pool):
    """Every image is the first one."""
    return replace(
        pool,
        probs=pool.probs[:1].expand_as(pool.probs).contiguous(),
        embeddings=pool.embeddings[:1].expand_as(pool.embeddings).contiguous(),
        passes=pool.passes[:, :1].expand_as(pool.passes).contiguous(),
        committee=pool.committee[:, :1].expand_as(pool.committee).contiguous(),
        layers=tuple(layer[:1].expand_as(layer).contiguous() for layer in pool.layers),
    )


def certain(pool):
    """Every pass is sure of class 2."""
    one_hot = torch.eye(pool.n_classes)[2]
    fields = ("probs", "labelled_probs", "passes", "committee")
    return replace(pool, **{field: one_hot.expand_as(getattr(pool, field)).contiguous() for field in fields})


def in_half(pool):
    """Every float array in half precision, half of the embeddings zero."""
    half = {field: getattr(pool, field).half() for field in FLOAT_FIELDS}
    half["embeddings"][30:] = 0
    source = replace(pool.source, embeddings=pool.source.embeddings.half())
    return replace(pool, **half, source=source, layers=tuple(layer.half() for layer in pool.layers))


FLOAT_FIELDS = (
    "probs",
    "embeddings",
    "labelled_embeddings",
    "labelled_probs",
    "passes",
    "committee",
    "target_embeddings",
)
TENSOR_FIELDS = (*FLOAT_FIELDS, "id_ranks", "labelled_targets")


def pick(name, pool, n=10, seed=0) -> Selection:
    return select(name, pool, n, np.random.default_rng(seed))


def picked_ids(name, pool, n=10, seed=0):
    return pool.id_ranks[pick(name, pool, n, seed).rows].tolist()


def unlabelled(pool):
    return replace(
        pool,
        labelled_embeddings=pool.embeddings[:0],
        n_labelled=0,
        labelled_targets=pool.labelled_targets[:0],
        labelled_probs=pool.labelled_probs[:0],
    )


def assert_valid(selection, n, n_pool):
    rows = selection.rows.tolist()
    assert len(rows) == len(set(rows)) == n
    assert all(0 <= row < n_pool for row in rows)
    for measure in (selection.uncertainty, selection.correlation, selection.redundancy):
        assert measure is None or (len(measure) == n and bool(torch.isfinite(measure).all()))
    assert len(selection.scores) == n
    assert bool(torch.isfinite(selection.scores).all())


class StrategyContract:
    """Tests over the parameter `name`."""

    @pytest.mark.parametrize("n", [1, 10, 60])
    @pytest.mark.parametrize("view", [lambda pool: pool, unlabelled], ids=["labels", "no_labels"])
    def test_picks_n_different_rows_of_the_pool(self, name, n, view):
        assert_valid(pick(name, view(make_pool()), n), n, 60)

    @pytest.mark.parametrize("view", [lambda pool: pool, unlabelled], ids=["labels", "no_labels"])
    def test_asked_for_more_than_the_pool_picks_all_of_it(self, name, view):
        assert sorted(pick(name, view(make_pool()), 61).rows.tolist()) == list(range(60))

    def test_asked_for_nothing_or_of_an_empty_pool_picks_nothing(self, name):
        assert len(pick(name, make_pool(), 0).rows) == 0
        assert len(pick(name, make_pool(n=0), 5).rows) == 0

    def test_a_pool_of_one_is_picked(self, name):
        assert pick(name, make_pool(n=1), 3).rows.tolist() == [0]

    @pytest.mark.parametrize("view", [lambda pool: pool, unlabelled], ids=["labels", "no_labels"])
    def test_a_shuffled_pool_gives_the_same_images(self, name, view):
        pool = view(make_pool())
        order = torch.from_numpy(np.random.default_rng(5).permutation(60))
        shuffled = in_order(pool, order)
        assert picked_ids(name, shuffled) == picked_ids(name, pool)

    @pytest.mark.parametrize("view", [lambda pool: pool, unlabelled], ids=["labels", "no_labels"])
    def test_the_same_seed_gives_the_same_answer(self, name, view):
        pool = view(make_pool())
        first, again = pick(name, pool, seed=3), pick(name, pool, seed=3)
        assert torch.equal(first.rows, again.rows)
        assert torch.equal(first.scores, again.scores)
        assert first.weights == again.weights

    @pytest.mark.parametrize("view", [lambda pool: pool, unlabelled], ids=["labels", "no_labels"])
    def test_the_pool_is_not_changed(self, name, view):
        pool, untouched = view(make_pool()), view(make_pool())
        pick(name, pool)
        for field in TENSOR_FIELDS:
            assert torch.equal(getattr(pool, field), getattr(untouched, field))
        for layer, same in zip(pool.layers, untouched.layers, strict=True):
            assert torch.equal(layer, same)
        assert torch.equal(pool.source.embeddings, untouched.source.embeddings)

    def test_no_global_generator_is_touched(self, name):
        np.random.seed(1)
        torch.manual_seed(1)
        before = np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
        pick(name, unlabelled(make_pool()))
        pick(name, make_pool())
        assert before == (np.random.get_state()[1].tolist(), torch.get_rng_state().tolist())

    def test_asking_for_more_only_adds_at_the_end(self, name):
        if not strategies[name].prefix_stable:
            pytest.skip("not promised")
        pool = make_pool()
        assert picked_ids(name, pool, 20)[:7] == picked_ids(name, pool, 7)

    @pytest.mark.parametrize("view", [lambda pool: pool, unlabelled], ids=["labels", "no_labels"])
    def test_duplicate_images_are_picked_once_each(self, name, view):
        assert_valid(pick(name, view(all_alike(make_pool())), 30), 30, 60)

    def test_one_predicted_class_and_probabilities_of_0_and_1(self, name):
        assert_valid(pick(name, certain(make_pool())), 10, 60)

    def test_half_precision_and_zero_embeddings_are_accepted(self, name):
        half = in_half(make_pool())
        assert_valid(pick(name, half), 10, 60)
        assert_valid(pick(name, unlabelled(half)), 10, 60)

    @pytest.mark.parametrize("value", [float("nan"), float("inf")])
    def test_values_that_are_not_finite_are_refused(self, name, value):
        pool = make_pool()
        for field in set(FLOAT_FIELDS) & set(strategies[name].needs):
            broken = getattr(pool, field).clone()
            broken.view(-1, broken.shape[-1])[3, 1] = value
            with pytest.raises(ValueError, match="must be finite"):
                pick(name, replace(pool, **{field: broken}))

    def test_what_it_did_not_name_is_never_missed(self, name):
        pool, needs = make_pool(), strategies[name].needs
        optional = (*TENSOR_FIELDS[3:7], "labelled_targets", "layers")
        fields = {field: None for field in optional if field not in needs}
        if not {"source", "shared_source"} & set(needs):
            fields["source"] = None
        assert picked_ids(name, replace(pool, **fields)) == picked_ids(name, pool)

    def test_a_need_that_the_run_lacks_is_named_before_anything_is_picked(self, name):
        for need in set(strategies[name].needs) - {"probs", "embeddings", "labelled_embeddings"}:
            field = "source" if need == "shared_source" else need
            with pytest.raises(ConfigError, match=f"Strategy '{name}' needs {SUPPLIES[need].words}"):
                pick(name, replace(make_pool(), **{field: None}))

    def test_is_documented(self, name):
        entry = strategies[name]
        assert entry.summary.endswith(".")
        assert entry.source
        assert entry.cost.startswith("O(")
