"""What every query strategy promises, as tests to inherit."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from budgetal.errors import ConfigError
from budgetal.query import SUPPLIES, PoolView, strategies
from budgetal.query.needs import OPTIONAL_FIELDS, field_of
from budgetal.testing.pools import (
    FLOAT_FIELDS,
    TENSOR_FIELDS,
    all_alike,
    assert_valid,
    certain,
    changed,
    in_half,
    in_order,
    make_pool,
    pick,
    picked_ids,
    the_source,
    unlabelled,
)

View = Callable[[PoolView], PoolView]


class StrategyContract:
    """Tests over the parameter `name`."""

    @pytest.mark.parametrize("n", [1, 10, 60])
    @pytest.mark.parametrize("view", [lambda pool: pool, unlabelled], ids=["labels", "no_labels"])
    def test_picks_n_different_rows_of_the_pool(self, name: str, n: int, view: View) -> None:
        assert_valid(pick(name, view(make_pool()), n), n, 60)

    @pytest.mark.parametrize("view", [lambda pool: pool, unlabelled], ids=["labels", "no_labels"])
    def test_asked_for_more_than_the_pool_picks_all_of_it(self, name: str, view: View) -> None:
        assert sorted(pick(name, view(make_pool()), 61).rows.tolist()) == list(range(60))

    def test_asked_for_nothing_or_of_an_empty_pool_picks_nothing(self, name: str) -> None:
        assert len(pick(name, make_pool(), 0).rows) == 0
        assert len(pick(name, make_pool(n=0), 5).rows) == 0

    def test_a_pool_of_one_is_picked(self, name: str) -> None:
        assert pick(name, make_pool(n=1), 3).rows.tolist() == [0]

    @pytest.mark.parametrize("view", [lambda pool: pool, unlabelled], ids=["labels", "no_labels"])
    def test_a_shuffled_pool_gives_the_same_images(self, name: str, view: View) -> None:
        pool = view(make_pool())
        order = torch.from_numpy(np.random.default_rng(5).permutation(60))
        shuffled = in_order(pool, order)
        assert picked_ids(name, shuffled) == picked_ids(name, pool)

    @pytest.mark.parametrize("view", [lambda pool: pool, unlabelled], ids=["labels", "no_labels"])
    def test_the_same_seed_gives_the_same_answer(self, name: str, view: View) -> None:
        pool = view(make_pool())
        first, again = pick(name, pool, seed=3), pick(name, pool, seed=3)
        assert torch.equal(first.rows, again.rows)
        assert torch.equal(first.scores, again.scores)
        assert first.weights == again.weights

    @pytest.mark.parametrize("view", [lambda pool: pool, unlabelled], ids=["labels", "no_labels"])
    def test_the_pool_is_not_changed(self, name: str, view: View) -> None:
        pool, untouched = view(make_pool()), view(make_pool())
        pick(name, pool)
        for field in TENSOR_FIELDS:
            assert torch.equal(getattr(pool, field), getattr(untouched, field))
        for layer, same in zip(pool.layers or (), untouched.layers or (), strict=True):
            assert torch.equal(layer, same)
        assert torch.equal(the_source(pool).embeddings, the_source(untouched).embeddings)

    def test_no_global_generator_is_touched(self, name: str) -> None:
        np.random.seed(1)
        torch.manual_seed(1)
        before = _global_state()
        pick(name, unlabelled(make_pool()))
        pick(name, make_pool())
        assert before == _global_state()

    def test_asking_for_more_only_adds_at_the_end(self, name: str) -> None:
        if not strategies[name].prefix_stable:
            pytest.skip("not promised")
        pool = make_pool()
        assert picked_ids(name, pool, 20)[:7] == picked_ids(name, pool, 7)

    @pytest.mark.parametrize("view", [lambda pool: pool, unlabelled], ids=["labels", "no_labels"])
    def test_duplicate_images_are_picked_once_each(self, name: str, view: View) -> None:
        assert_valid(pick(name, view(all_alike(make_pool())), 30), 30, 60)

    def test_one_predicted_class_and_probabilities_of_0_and_1(self, name: str) -> None:
        assert_valid(pick(name, certain(make_pool())), 10, 60)

    def test_half_precision_and_zero_embeddings_are_accepted(self, name: str) -> None:
        half = in_half(make_pool())
        assert_valid(pick(name, half), 10, 60)
        assert_valid(pick(name, unlabelled(half)), 10, 60)

    @pytest.mark.parametrize("value", [float("nan"), float("inf")])
    def test_values_that_are_not_finite_are_refused(self, name: str, value: float) -> None:
        pool = make_pool()
        for field in set(FLOAT_FIELDS) & set(strategies[name].needs):
            broken = getattr(pool, field).clone()
            broken.view(-1, broken.shape[-1])[3, 1] = value
            with pytest.raises(ValueError, match="must be finite"):
                pick(name, changed(pool, **{field: broken}))

    def test_what_it_did_not_name_is_never_missed(self, name: str) -> None:
        pool, asked_for = make_pool(), {field_of(need) for need in strategies[name].needs}
        fields = dict.fromkeys(OPTIONAL_FIELDS - asked_for)
        assert picked_ids(name, changed(pool, **fields)) == picked_ids(name, pool)

    def test_a_need_that_the_run_lacks_is_named_before_anything_is_picked(self, name: str) -> None:
        for need in strategies[name].needs:
            field = field_of(need)
            if field not in OPTIONAL_FIELDS:
                continue
            with pytest.raises(ConfigError, match=f"Strategy '{name}' needs {SUPPLIES[need].words}"):
                pick(name, changed(make_pool(), **{field: None}))

    def test_is_documented(self, name: str) -> None:
        entry = strategies[name]
        assert entry.summary.endswith(".")
        assert entry.source
        assert entry.cost.startswith("O(")


def _global_state() -> tuple[list[int], list[int]]:
    return np.random.get_state(legacy=False)["state"]["key"].tolist(), torch.get_rng_state().tolist()
