"""An audit drawn by weight: its bound holds after every draw, and needs fewer labels than a uniform one."""

from itertools import permutations

import numpy as np
import pytest

from budgetal.annotators import weighted_audit
from budgetal.annotators.bounds import hypergeometric_upper_bound
from budgetal.annotators.weighted_audit import draw, most_wrong, sampling_weights


def _collection(n=4_000, seed=0, mean=0.06):
    """Chances of an error as a model states them, most of them small, and errors that come up so often."""
    rng = np.random.default_rng(seed)
    expected = rng.beta(0.15, 0.15 * (1 / mean - 1), n)
    return expected, rng.random(n) < expected


def _of_first(weights, order):
    """The chance of this order of all images under sampling one after another without replacement."""
    chance, left = 1.0, 1.0
    for position in order:
        chance, left = chance * weights[position] / left, left - weights[position]
    return chance


def test_weights_are_chances_and_none_is_far_below_the_uniform_one():
    expected, _ = _collection()
    weights = sampling_weights(expected)
    assert weights.sum() == pytest.approx(1)
    assert weights.min() >= weighted_audit.UNIFORM_SHARE / len(weights)
    assert (np.argsort(weights, kind="stable")[-1:] == expected.argmax()).all()


@pytest.mark.parametrize("expected", [np.zeros(7), np.ones(7), np.full(7, 1e-12)])
def test_where_all_images_are_as_likely_wrong_the_draw_is_uniform(expected):
    assert sampling_weights(expected) == pytest.approx(np.full(7, 1 / 7))


def test_images_are_drawn_in_every_order_as_often_as_successive_sampling_draws_them():
    weights = sampling_weights(np.array([0.9, 0.3, 0.1]))
    orders = list(permutations(range(3)))
    rng, n = np.random.default_rng(0), 20_000
    found = [tuple(draw(weights, 3, rng).tolist()) for _ in range(n)]
    chances = np.array([_of_first(weights, order) for order in orders])
    counts = np.array([found.count(order) for order in orders])
    assert chances.sum() == pytest.approx(1)
    assert (np.abs(counts - n * chances) < 4 * np.sqrt(n * chances)).all()


def test_no_image_is_drawn_twice_and_no_more_than_there_are():
    drawn = draw(np.full(30, 1 / 30), 50, np.random.default_rng(0))
    assert sorted(drawn) == list(range(30))


@pytest.mark.parametrize("told", ["as they are", "too small", "the other way round", "all the same"])
def test_the_truth_is_above_the_bound_at_any_draw_no_more_often_than_promised(told):
    """Looked at after every tenth draw; poor scores and worst ones cost labels, not the promise."""
    truth, wrong = _collection(mean=0.05)
    expected = {
        "as they are": truth,
        "too small": truth / 20,
        "the other way round": truth[np.argsort(np.argsort(-truth))],
        "all the same": np.full(len(truth), 0.05),
    }[told]
    risk, n, n_runs = 0.1, 200, 150
    weights, rng = sampling_weights(expected), np.random.default_rng(3)
    broken = 0
    for _ in range(n_runs):
        order = draw(weights, n, rng)
        broken += any(
            most_wrong(expected, order[:t], wrong[order[:t]], n, risk) < wrong.sum() for t in range(10, n, 10)
        )
    # Four standard deviations above the promise.
    assert broken <= n_runs * risk + 4 * np.sqrt(n_runs * risk * (1 - risk))


def test_the_promise_is_not_bought_by_a_bound_that_says_nothing():
    """At the end of the draw it is about as wide as the normal approximation, and closer than a uniform audit's."""
    expected, wrong = _collection(n=20_000, mean=0.06)
    weights, n, risk = sampling_weights(expected), 800, 0.05
    deviation = np.sqrt(((wrong / weights).sum() - wrong.sum() ** 2) / n)
    by_weight, uniform = [], []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        order = draw(weights, n, rng)
        by_weight.append(most_wrong(expected, order, wrong[order], n, risk) - wrong[order].sum())
        errors = int(wrong[rng.choice(len(wrong), n, replace=False)].sum())
        uniform.append(hypergeometric_upper_bound(len(wrong), n, errors, risk) - errors)
    found = np.array([wrong[draw(weights, n, np.random.default_rng(s))].sum() for s in range(30)]).mean()
    assert (np.mean(by_weight) - (wrong.sum() - found)) / deviation < 2.6
    assert np.mean(by_weight) < np.mean(uniform)


def test_capital_under_the_truth_is_one_in_the_mean_over_every_order():
    """The bets are fair: exactly, over all orders of a small collection, at the true number of errors."""
    expected, wrong = np.array([0.8, 0.4, 0.1, 0.1, 0.05]), np.array([True, False, False, True, False])
    weights, risk = sampling_weights(expected), 0.01
    total = 0.0
    for order in permutations(range(5)):
        steps = weighted_audit._steps(expected, np.array(order)[:3], wrong[list(order)[:3]], 3)
        prices = risk * np.array([1 - weighted_audit.EARLY_SHARE, weighted_audit.EARLY_SHARE])
        for t, step in enumerate(steps):
            mean_z = np.array([float(wrong.sum() - step.errors_before)])
            bets = weighted_audit._bets(prices[:1], mean_z, step, 3 - t)[:, 0]
            assert (bets >= 0).all()
            assert (bets * (step.greatest - mean_z[0]) <= 1).all()
            prices *= 1 + bets * (mean_z[0] - step.z)
            assert (prices >= 0).all()
        total += _of_first(weights, order) * prices.sum()
    assert total == pytest.approx(risk)


def test_a_collection_that_is_drawn_whole_is_known():
    expected, wrong = _collection(n=60)
    order = draw(sampling_weights(expected), 60, np.random.default_rng(1))
    assert most_wrong(expected, order, wrong[order], 60, 0.05) == wrong.sum()


def test_before_the_first_draw_everything_may_be_wrong():
    assert most_wrong(np.full(500, 0.1), np.empty(0, np.int64), np.empty(0, bool), 50, 0.05) == 500


def test_a_draw_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="2 answers, 3 of 10 images"):
        most_wrong(np.full(10, 0.1), np.arange(3), np.zeros(2, bool), 3, 0.05)


def test_a_tolerance_that_is_kept_by_far_is_shown_long_before_the_planned_end():
    expected, wrong = _collection(n=20_000, mean=0.02)
    weights, shown = sampling_weights(expected), []
    for seed in range(20):
        order = draw(weights, 1_000, np.random.default_rng(seed))
        sizes = range(50, 1_001, 50)
        bounds = [most_wrong(expected, order[:t], wrong[order[:t]], 1_000, 0.05) for t in sizes]
        shown.append(next(t for t, bound in zip(sizes, bounds, strict=True) if bound <= 0.06 * len(wrong)))
    assert np.mean(shown) < 500
