"""Dawid & Skene against crowd-kit's, an implementation by others, where nothing is assumed of people beforehand."""

import numpy as np
import pytest

from budgetal.annotators.crowd import Answers, dawid_skene

pd = pytest.importorskip("pandas", reason="crowd-kit reads pandas tables")
aggregation = pytest.importorskip(
    "crowdkit.aggregation", reason="crowd-kit is an optional oracle: pip install -e .[oracles]"
)

N_ITEMS, N_CLASSES = 150, 3
NEARLY_NOTHING = 1e-6
"""Answers that a person begins with: crowd-kit's begin with none."""


def _crowd(seed, accuracies):
    """Every person answers about four items in five."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, N_CLASSES, N_ITEMS)
    shift = rng.integers(1, N_CLASSES, (N_ITEMS, len(accuracies)))
    said = np.where(rng.random(shift.shape) < accuracies, truth[:, None], (truth[:, None] + shift) % N_CLASSES)
    items, people = np.nonzero(rng.random(said.shape) < 0.8)
    return truth, Answers(items, people, said[items, people], N_ITEMS, len(accuracies), N_CLASSES)


def _by_crowd_kit(answers, known=None):
    """Posteriors by item, and each person's matrix, true class by answer."""
    table = pd.DataFrame({"task": answers.items, "worker": answers.annotators, "label": answers.answers})
    model = aggregation.DawidSkene(n_iter=300, tol=1e-10).fit(table, true_labels=known)
    errors = model.errors_.reindex(
        pd.MultiIndex.from_product([range(answers.n_annotators), range(N_CLASSES)]), fill_value=0.0
    )
    confusion = errors[sorted(errors.columns)].to_numpy().reshape(-1, N_CLASSES, N_CLASSES).transpose(0, 2, 1)
    posterior = model.probas_.sort_index()[sorted(model.probas_.columns)]
    return posterior.index.to_numpy(), posterior.to_numpy(), confusion


@pytest.mark.parametrize("seed", range(3))
def test_posteriors_and_confusions_are_those_of_crowd_kit(seed):
    accuracies = np.random.default_rng(100 + seed).uniform(0.7, 0.95, 6)
    _, answers = _crowd(seed, accuracies)
    ours = dawid_skene(answers, prior_answers=NEARLY_NOTHING)
    items, posterior, confusion = _by_crowd_kit(answers)
    assert (ours.posterior[items].argmax(axis=1) == posterior.argmax(axis=1)).mean() > 0.99
    assert np.abs(ours.posterior[items] - posterior).mean() < 0.005
    assert ours.confusion == pytest.approx(confusion, abs=0.02)


def test_known_items_count_as_known_in_both():
    truth, answers = _crowd(9, np.array([0.9, 0.7, 0.8]))
    known = np.where(np.arange(N_ITEMS) < 60, truth, -1)
    ours = dawid_skene(answers, known=known, prior_answers=NEARLY_NOTHING)
    items, posterior, confusion = _by_crowd_kit(answers, pd.Series(truth[:60], index=np.arange(60)))
    assert ours.confusion == pytest.approx(confusion, abs=0.02)
    assert (ours.posterior[items].argmax(axis=1) == posterior.argmax(axis=1)).mean() > 0.99
