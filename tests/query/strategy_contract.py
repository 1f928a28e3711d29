"""What every query strategy promises. A newcomer inherits it:

@pytest.mark.parametrize("name", ["mine"])
class TestMine(StrategyContract): ...
"""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from budgetal.query import PoolView, Selection, select, strategies


def make_pool(n=60, n_labelled=8, n_classes=4, width=6, seed=0):
    rng = np.random.default_rng(seed)
    vectors = torch.from_numpy(rng.standard_normal((n + n_labelled, width)).astype(np.float32))
    logits = torch.from_numpy(rng.standard_normal((n, n_classes)).astype(np.float32))
    embeddings = F.normalize(vectors, dim=1)
    return PoolView(
        probs=torch.softmax(2 * logits, dim=1),
        embeddings=embeddings[:n],
        id_ranks=torch.from_numpy(rng.permutation(n + 20)[:n]),
        labelled_embeddings=embeddings[n:],
        n_labelled=n_labelled,
    )


def pick(name, pool, n=10, seed=0) -> Selection:
    return select(name, pool, n, np.random.default_rng(seed))


def picked_ids(name, pool, n=10, seed=0):
    return pool.id_ranks[pick(name, pool, n, seed).rows].tolist()


def unlabelled(pool):
    return replace(pool, labelled_embeddings=pool.embeddings[:0], n_labelled=0)


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
        shuffled = replace(
            pool,
            probs=pool.probs[order],
            embeddings=pool.embeddings[order],
            id_ranks=pool.id_ranks[order],
        )
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
        for field in ("probs", "embeddings", "id_ranks", "labelled_embeddings"):
            assert torch.equal(getattr(pool, field), getattr(untouched, field))

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
        pool = make_pool()
        same = replace(
            pool,
            probs=pool.probs[:1].expand(60, -1).contiguous(),
            embeddings=pool.embeddings[:1].expand(60, -1).contiguous(),
        )
        assert_valid(pick(name, view(same), 30), 30, 60)

    def test_one_predicted_class_and_probabilities_of_0_and_1(self, name):
        pool = make_pool()
        certain = replace(pool, probs=torch.eye(4)[[2]].expand(60, -1).contiguous())
        assert_valid(pick(name, certain), 10, 60)

    def test_half_precision_and_zero_embeddings_are_accepted(self, name):
        pool = make_pool()
        half = replace(
            pool,
            probs=pool.probs.half(),
            embeddings=torch.cat([pool.embeddings[:30].half(), pool.embeddings[30:].half() * 0]),
            labelled_embeddings=pool.labelled_embeddings.half(),
        )
        assert_valid(pick(name, half), 10, 60)
        assert_valid(pick(name, unlabelled(half)), 10, 60)

    @pytest.mark.parametrize("field", ["probs", "embeddings", "labelled_embeddings"])
    @pytest.mark.parametrize("value", [float("nan"), float("inf")])
    def test_values_that_are_not_finite_are_refused(self, name, field, value):
        pool = make_pool()
        broken = getattr(pool, field).clone()
        broken[3, 1] = value
        with pytest.raises(ValueError, match="must be finite"):
            pick(name, replace(pool, **{field: broken}))

    def test_is_documented(self, name):
        entry = strategies[name]
        assert entry.summary.endswith(".")
        assert entry.source
        assert entry.cost.startswith("O(")
