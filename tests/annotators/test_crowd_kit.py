"""Dawid & Skene against crowd-kit's, an implementation by others, where nothing is assumed of people beforehand."""

from functools import lru_cache

import numpy as np
import pytest
from plain_em import climb, log_likelihood

from budgetal.annotators.crowd import Answers, dawid_skene

pd = pytest.importorskip("pandas", reason="crowd-kit reads pandas tables")
aggregation = pytest.importorskip(
    "crowdkit.aggregation", reason="crowd-kit and its needs take 170 MB, so CI goes without: pip install -e .[oracles]"
)

N_ITEMS, N_CLASSES = 150, 3
NEARLY_NOTHING = 1e-6
"""Answers that a person begins with: crowd-kit's begin with none."""
NEARLY_THE_TOP = 1e-4


def _crowd(seed, accuracies):
    """Every person answers about four items in five."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, N_CLASSES, N_ITEMS)
    shift = rng.integers(1, N_CLASSES, (N_ITEMS, len(accuracies)))
    said = np.where(rng.random(shift.shape) < accuracies, truth[:, None], (truth[:, None] + shift) % N_CLASSES)
    items, people = np.nonzero(rng.random(said.shape) < 0.8)
    return truth, Answers(items, people, said[items, people], N_ITEMS, len(accuracies), N_CLASSES)


def _hard_crowd(seed):
    """Answers of six people, some hardly better than chance, and what we make of them."""
    _, answers = _crowd(seed, np.random.default_rng(100 + seed).uniform(0.55, 0.95, 6))
    return answers, dawid_skene(answers, prior_answers=NEARLY_NOTHING)


@lru_cache
def _crowd_kit_on_a_hard_crowd(seed):
    return _by_crowd_kit(_hard_crowd(seed)[0])


def _by_crowd_kit(answers, known=None):
    """Posteriors by item, and each person's matrix, true class by answer."""
    table = pd.DataFrame({"task": answers.items, "worker": answers.annotators, "label": answers.answers})
    model = aggregation.DawidSkene(n_iter=40, tol=1e-10).fit(table, true_labels=known)
    errors = model.errors_.reindex(
        pd.MultiIndex.from_product([range(answers.n_annotators), range(N_CLASSES)]), fill_value=0.0
    )
    confusion = errors[sorted(errors.columns)].to_numpy().reshape(-1, N_CLASSES, N_CLASSES).transpose(0, 2, 1)
    posterior = model.probas_.sort_index()[sorted(model.probas_.columns)]
    return posterior.index.to_numpy(), posterior.to_numpy(), confusion


@pytest.mark.parametrize("seed", range(6))
def test_ours_is_as_likely_as_crowd_kits_or_likelier_and_says_the_same(seed):
    answers, ours = _hard_crowd(seed)
    _, posterior, confusion = _crowd_kit_on_a_hard_crowd(seed)
    theirs = log_likelihood(answers, confusion, posterior.mean(axis=0))
    assert log_likelihood(answers, ours.confusion, ours.class_shares) >= theirs - NEARLY_THE_TOP
    assert (ours.posterior.argmax(axis=1) == posterior.argmax(axis=1)).mean() > 0.99
    assert np.abs(ours.posterior - posterior).mean() < 0.01


@pytest.mark.parametrize("seed", range(6))
def test_going_on_from_where_crowd_kit_stops_leads_to_our_top(seed):
    """Its loss counts the class shares once an answer, not once an item, so it can fall, and end the climb early."""
    answers, ours = _hard_crowd(seed)
    _, posterior, _ = _crowd_kit_on_a_hard_crowd(seed)
    top = climb(answers, posterior)
    reached = log_likelihood(answers, ours.confusion, ours.class_shares)
    assert reached == pytest.approx(top.log_likelihood, abs=NEARLY_THE_TOP)
    assert np.abs(ours.posterior - top.posterior).mean() < 0.001
    assert ours.confusion == pytest.approx(top.confusion, abs=0.002)


def test_known_items_count_as_known_in_both():
    truth, answers = _crowd(9, np.array([0.9, 0.7, 0.8]))
    known = np.where(np.arange(N_ITEMS) < 60, truth, -1)
    ours = dawid_skene(answers, known=known, prior_answers=NEARLY_NOTHING)
    items, posterior, confusion = _by_crowd_kit(answers, pd.Series(truth[:60], index=np.arange(60)))
    assert ours.confusion == pytest.approx(confusion, abs=0.02)
    assert (ours.posterior[items].argmax(axis=1) == posterior.argmax(axis=1)).mean() > 0.99
