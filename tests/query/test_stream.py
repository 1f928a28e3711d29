import json
import math

import numpy as np
import pytest
import torch

from budgetal.errors import ConfigError, StorageError
from budgetal.query.stream import LabelBudget, Spending, StreamSelector, StreamSettings, ensemble_variance, policies

ONLINE = [name for name in policies if policies[name].rule is not None]


def two_classes(confidences):
    """Probabilities (n, 2) whose largest is each confidence."""
    best = torch.tensor(np.asarray(confidences, dtype=np.float32))
    return torch.stack([best, 1 - best], dim=1)


def uniform(n, seed=0):
    return two_classes(np.random.default_rng(seed).uniform(0.5, 1, n))


def drifting(n, seed=0):
    """Sure at first, unsure in the middle, sure again."""
    rng = np.random.default_rng(seed)
    centre = 0.75 + 0.2 * np.cos(2 * np.pi * np.arange(n) / n)
    return two_classes(np.clip(centre + 0.05 * rng.standard_normal(n), 0.5, 1))


def committee(n, members=3, seed=0):
    logits = np.random.default_rng(seed).standard_normal((n, members, 4)).astype(np.float32)
    return torch.softmax(2 * torch.from_numpy(logits), dim=2)


STREAMS = {
    "iid": uniform,
    "drifting": drifting,
    "all_unsure": lambda n: two_classes(np.full(n, 0.5)),
    "all_sure": lambda n: two_classes(np.ones(n)),
    "sure_then_unsure": lambda n: two_classes(np.r_[np.ones(n // 2), np.full(n - n // 2, 0.5)]),
}


def queried(selector, probs):
    return [decision.query for decision in selector.offer_chunk(probs)]


def selector_of(policy, **settings):
    return StreamSelector(StreamSettings(policy, **settings))


@pytest.mark.parametrize("policy", ONLINE)
@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("rate", [0.02, 0.1, 0.3, 1.0])
def test_at_no_moment_is_more_than_the_rate_spent(policy, stream, rate):
    decisions = selector_of(policy, rate=rate).offer_chunk(STREAMS[stream](600))
    count = 0
    for seen, decision in enumerate(decisions, start=1):
        count += decision.query
        assert count <= math.ceil(round(rate * seen, 9))
        assert (decision.n_seen, decision.n_queried) == (seen, count)


@pytest.mark.parametrize("policy", ["variable_uncertainty", "fixed_uncertainty"])
def test_when_every_image_is_wanted_the_whole_budget_is_spent(policy):
    decisions = selector_of(policy, rate=0.1, threshold=0.2).offer_chunk(STREAMS["all_unsure"](1000))
    assert decisions[-1].n_queried == 100


@pytest.mark.parametrize(("policy", "least"), [("variable_uncertainty", 95), ("balanced_uncertainty", 60)])
@pytest.mark.parametrize("stream", ["iid", "drifting", "all_unsure", "all_sure"])
def test_a_threshold_that_follows_spends_most_of_the_budget_whatever_comes(policy, least, stream):
    """While a stream gets easier the balanced threshold lags behind, and asks for a little less."""
    assert selector_of(policy, rate=0.1).offer_chunk(STREAMS[stream](1000))[-1].n_queried >= least


def test_after_a_quiet_time_what_was_saved_is_not_spent_at_once():
    """The estimate over the window holds where the limit over all images would allow 100 in a row."""
    probs = STREAMS["sure_then_unsure"](2000)
    asked = queried(selector_of("fixed_uncertainty", rate=0.1, threshold=0.2), probs)
    assert sum(asked[:1000]) == 0
    assert 10 <= sum(asked[1000:1100]) <= 20
    assert 90 <= sum(asked[1000:]) <= 120


def test_the_estimate_alone_would_overspend():
    budget, spending = LabelBudget(rate=0.1, window=100), Spending()
    for _ in range(5000):
        spending = spending.after(budget.estimate(spending) < 0.1, 100)
    assert 500 < spending.n_queried <= 550


def test_the_estimate_is_the_recursion_of_its_source():
    spending = Spending()
    for label in (1, 0, 1):
        spending = spending.after(bool(label), window=4)
    # 1, then 3/4, then 9/16 + 1.
    assert spending == Spending(3, 2, 9 / 16 + 1)
    assert LabelBudget(0.5, window=4).estimate(spending) == (9 / 16 + 1) / 4


@pytest.mark.parametrize(("rate", "seen", "limit"), [(0.1, 30, 3), (0.1, 31, 4), (0.07, 100, 7), (0.29, 100, 29)])
def test_the_limit_is_exact_where_floats_are_not(rate, seen, limit):
    assert LabelBudget(rate).limit(seen) == limit


def test_an_allowance_and_a_most():
    probs = STREAMS["all_unsure"](1000)
    early = selector_of("variable_uncertainty", rate=0.1, allowance=5).offer_chunk(probs)
    assert [decision.query for decision in early[:7]] == [True] * 6 + [False]
    assert early[-1].n_queried <= 105
    assert selector_of("random", rate=0.5, most=7).offer_chunk(probs)[-1].n_queried == 7


def test_the_variable_threshold_moves_as_the_paper_says():
    decisions = selector_of("variable_uncertainty", rate=1, step=0.1).offer_chunk(
        two_classes([0.9, 0.95, 0.98, 0.9, 0.6, 1.0])
    )
    assert [decision.query for decision in decisions] == [True, False, True, False, True, False]
    # θ = 1 → 0.9 → 0.99 → 0.891 → 0.9801 → 0.88209 → …; shown as 1 - θ.
    compared = [1 - decision.threshold for decision in decisions]
    assert compared == pytest.approx([1, 0.9, 0.99, 0.891, 0.9801, 0.88209])


def test_the_balanced_threshold_moves_by_the_rate():
    decisions = selector_of("balanced_uncertainty", rate=0.5, allowance=9, window=9, step=0.2).offer_chunk(
        two_classes([0.95, 0.95, 0.95, 0.95])
    )
    # θ = 1 → 1 · 0.9 → 0.9 · 1.1 → 0.99 · 0.9.
    assert [decision.query for decision in decisions] == [True, False, True, False]
    assert [1 - decision.threshold for decision in decisions] == pytest.approx([1, 0.9, 0.99, 0.891])


def test_the_balanced_threshold_rests_at_the_quantile_and_the_variable_one_at_the_median():
    probs = uniform(3000)
    rests = {}
    for policy in ("balanced_uncertainty", "variable_uncertainty"):
        decisions = selector_of(policy, rate=0.1).offer_chunk(probs)[1000:]
        rests[policy] = np.mean([1 - decision.threshold for decision in decisions])
    # Confidences are uniform between 1/2 and 1.
    assert rests["balanced_uncertainty"] == pytest.approx(0.55, abs=0.02)
    assert rests["variable_uncertainty"] == pytest.approx(0.75, abs=0.02)


def test_balanced_finds_most_of_the_least_sure_tenth():
    probs = uniform(3000)
    least_sure = probs[:, 0].numpy() < 0.55
    found = {
        policy: (np.array(queried(selector_of(policy, rate=0.1), probs)) & least_sure).mean() / least_sure.mean()
        for policy in ("balanced_uncertainty", "variable_uncertainty", "random")
    }
    assert found["balanced_uncertainty"] > 0.6
    assert found["balanced_uncertainty"] > 2 * found["variable_uncertainty"] > 2 * found["random"]


def test_the_threshold_stays_while_there_is_no_budget():
    selector = selector_of("variable_uncertainty", rate=0.5, step=0.1)
    first, second, third = selector.offer_chunk(two_classes([0.6, 0.6, 0.6]))
    assert (first.query, second.query, third.query) == (True, False, True)
    assert (first.has_budget, second.has_budget) == (True, False)
    assert second.threshold == pytest.approx(0.1)
    assert third.threshold == pytest.approx(0.1)
    assert selector.state.theta == pytest.approx(0.81)


def test_the_fixed_threshold_is_compared_with_the_uncertainty():
    decisions = selector_of("fixed_uncertainty", rate=1, threshold=0.25).offer_chunk(two_classes([0.7, 0.8, 0.76]))
    assert [decision.query for decision in decisions] == [True, False, False]
    # Without one: confidence below 1/m + B(1 - 1/m), here 1/2 + 1/5.
    decisions = selector_of("fixed_uncertainty", rate=0.4).offer_chunk(two_classes([0.69, 0.9, 0.71]))
    assert [decision.query for decision in decisions] == [True, False, False]
    assert decisions[0].threshold == pytest.approx(0.3)


def test_randomised_differs_from_variable_and_asks_about_sure_images_too():
    probs = two_classes(np.where(np.arange(1500) % 5 == 0, 0.6, 0.999))
    sure = np.arange(1500) % 5 != 0
    shares = {
        policy: np.array(queried(selector_of(policy, rate=0.1), probs))[sure].sum()
        for policy in ("variable_uncertainty", "randomised_variable_uncertainty")
    }
    assert shares["randomised_variable_uncertainty"] > 2 * shares["variable_uncertainty"]


def test_without_deviation_randomised_is_variable():
    probs = drifting(500)
    plain = selector_of("variable_uncertainty").offer_chunk(probs)
    assert selector_of("randomised_variable_uncertainty", deviation=0.0).offer_chunk(probs) == plain


def test_random_asks_for_about_the_rate_everywhere():
    asked = np.array(queried(selector_of("random", rate=0.2), uniform(2000)))
    halves = asked[:1000].mean(), asked[1000:].mean()
    assert all(0.15 < half <= 0.21 for half in halves)


def test_on_a_stream_that_gets_easier_variable_finds_more_of_the_least_sure_than_fixed():
    """A threshold fitted to the hard start asks for nothing later; one that follows the stream still does."""
    rng = np.random.default_rng(0)
    hard, easy = rng.uniform(0.5, 0.8, 500), rng.uniform(0.85, 1, 1500)
    probs = two_classes(np.r_[hard, easy])
    least_sure = np.r_[hard < np.quantile(hard, 0.2), easy < np.quantile(easy, 0.2)]
    found = {
        policy: (np.array(queried(selector_of(policy, rate=0.1), probs)) & least_sure).sum()
        for policy in ("fixed_uncertainty", "variable_uncertainty", "balanced_uncertainty", "random")
    }
    assert found["balanced_uncertainty"] > found["variable_uncertainty"] > 1.5 * found["random"]
    assert found["variable_uncertainty"] > 1.3 * found["fixed_uncertainty"]


@pytest.mark.parametrize("policy", list(policies))
def test_the_same_seed_gives_the_same_decisions_and_a_resume_goes_on_with_them(policy):
    probs = committee(400)
    whole = selector_of(policy, rate=0.2, seed=3)
    expected = [decision for start in range(0, 400, 50) for decision in whole.offer_chunk(probs[start : start + 50])]
    resumed = selector_of(policy, rate=0.2, seed=3)
    decisions = []
    for start in range(0, 400, 50):
        decisions += resumed.offer_chunk(probs[start : start + 50])
        resumed = StreamSelector.from_json(json.loads(json.dumps(resumed.to_json())))
    assert decisions == expected


@pytest.mark.parametrize("policy", ["random", "randomised_variable_uncertainty"])
def test_another_seed_gives_other_decisions(policy):
    probs = uniform(500)
    assert queried(selector_of(policy, seed=1), probs) != queried(selector_of(policy, seed=2), probs)


@pytest.mark.parametrize("policy", ONLINE)
def test_offering_one_by_one_is_offering_a_chunk(policy):
    probs = committee(100)
    one_by_one = selector_of(policy)
    assert [one_by_one.offer(row) for row in probs] == selector_of(policy).offer_chunk(probs)


def test_an_ensemble_is_judged_by_its_mean():
    members = torch.tensor([[0.9, 0.1], [0.5, 0.5]])
    assert selector_of("variable_uncertainty").offer(members).uncertainty == pytest.approx(0.3)


def test_ensemble_variance_by_hand():
    agreed = torch.tensor([[0.7, 0.3], [0.7, 0.3]])
    opposed = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    # Deviations of 1/2 in both classes: 1/4 + 1/4.
    assert ensemble_variance(torch.stack([agreed, opposed])).tolist() == [0, 0.5]


def test_variance_by_chunk_is_the_brute_force_of_each_chunk():
    probs = committee(90)
    selector = selector_of("variance", rate=0.1)
    for start in (0, 30, 60):
        chunk = probs[start : start + 30].numpy()
        variances = [float(image.var(axis=0).sum()) for image in chunk]
        expected = sorted(range(30), key=lambda row: -variances[row])[:3]
        decisions = selector.offer_chunk(probs[start : start + 30])
        assert [row for row, decision in enumerate(decisions) if decision.query] == sorted(expected)
        assert decisions[0].threshold == pytest.approx(variances[expected[-1]], rel=1e-5)


def test_variance_keeps_its_rate_over_chunks_of_one_and_prefers_the_first_among_equals():
    same = torch.full((40, 2, 3), 1 / 3)
    selector = selector_of("variance", rate=0.25)
    asked = [selector.offer_chunk(row[None])[0].query for row in same]
    assert asked == [True, False, False, False] * 10
    assert queried(selector_of("variance", rate=0.25), same) == [True] * 10 + [False] * 30


def test_variance_needs_a_chunk_and_two_members():
    selector = selector_of("variance")
    with pytest.raises(ValueError, match="call offer_chunk"):
        selector.offer(committee(1)[0])
    with pytest.raises(ValueError, match="needs the probabilities of 2 members"):
        selector.offer_chunk(committee(5, members=1))


@pytest.mark.parametrize("policy", list(policies))
def test_what_is_no_probability_is_refused_and_not_counted(policy):
    selector = selector_of(policy)
    for value in (math.nan, math.inf, -0.5):
        probs = committee(4)
        probs[2, 1, 0] = value
        with pytest.raises(ValueError):
            selector.offer_chunk(probs)
    assert selector.state.spending.n_seen == 0


def test_an_empty_chunk_decides_nothing():
    for policy in policies:
        assert selector_of(policy).offer_chunk(committee(4)[:0]) == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"policy": "variable_uncertanty"}, "did you mean 'variable_uncertainty'"),
        ({"rate": 0.0}, "'rate' cannot be 0.0"),
        ({"rate": 1.5}, "'rate' cannot be 1.5"),
        ({"rate": math.nan}, "'rate' cannot be nan"),
        ({"window": 0}, "window ≥ 1"),
        ({"most": 0}, "at most 0 labels"),
        ({"step": 1.0}, "'step' cannot be 1.0"),
        ({"threshold": 1.0}, "'threshold' cannot be 1.0"),
        ({"deviation": math.nan}, "'deviation' cannot be nan"),
        ({"seed": -1}, "'seed' cannot be -1"),
    ],
)
def test_settings_that_cannot_be(settings, message):
    with pytest.raises(ConfigError, match=message):
        StreamSettings(**settings)


def test_a_damaged_state_is_refused():
    stored = selector_of("random").to_json()
    for damaged in ({}, {**stored, "state": {}}, {**stored, "settings": {"policy": "random"}}):
        with pytest.raises(StorageError, match="damaged"):
            StreamSelector.from_json(damaged)


@pytest.mark.parametrize("policy", list(policies))
def test_every_policy_says_what_it_does_and_whose_it_is(policy):
    assert policies[policy].summary.endswith(".") or ":" in policies[policy].summary
    assert "20" in policies[policy].source
