"""The head's fit is the optimum of its objective, for any degenerate labels, to the bit."""

import numpy as np
import pytest
import tiny  # noqa: F401 (one thread)
from scipy.optimize import check_grad
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression

from budgetal.training.crossfit import crossfit
from budgetal.training.head import BIAS_L2, Head, fit_head, standardisation


def problem(n=200, d=6, m=3, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, m, n)
    embeddings = rng.normal(size=(n, d)) * rng.uniform(0.1, 10, d) + 3 + labels[:, None]
    return embeddings.astype(np.float32), labels, rng.uniform(0.1, 2, n).astype(np.float32)


def objective(flat, z, labels, weights, l2, m):
    """The formula at the head of the module, in NumPy."""
    weight, bias = flat[: m * z.shape[1]].reshape(m, -1), flat[m * z.shape[1] :]
    losses = -log_softmax(z @ weight.T + bias, axis=1)[np.arange(len(z)), labels]
    return weights @ losses / weights.sum() + l2 / 2 * (weight**2).sum() + BIAS_L2 / 2 * (bias**2).sum()


@pytest.mark.parametrize("l2", [0.003, 0.1])
def test_probabilities_are_those_of_scikit_learn(l2):
    embeddings, labels, weights = problem()
    head, _ = fit_head(embeddings, labels, weights, 3, l2=l2)
    z = (embeddings - head.mean) / head.std
    # A bias with a penalty of its own is the weight of a constant column of this height.
    z = np.c_[z, np.full(len(z), np.sqrt(l2 / BIAS_L2))]
    peer = LogisticRegression(C=1 / (l2 * weights.sum()), fit_intercept=False, tol=1e-8, max_iter=5000)
    expected = peer.fit(z, labels, sample_weight=weights).predict_log_proba(z)
    np.testing.assert_allclose(log_softmax(head.logits(embeddings), axis=1), expected, atol=0.02)


def test_the_gradient_at_the_solution_vanishes():
    embeddings, labels, weights = problem(seed=1)
    head, records = fit_head(embeddings, labels, weights, 3, l2=0.05)
    z = ((embeddings - head.mean) / head.std).astype(np.float64)
    flat = np.r_[head.weight.ravel(), head.bias].astype(np.float64)

    def loss(x):
        return objective(x, z, labels, weights, 0.05, 3)

    assert check_grad(loss, np.zeros_like, flat) < 2e-3
    assert records[-1].train_loss == pytest.approx(loss(flat), rel=1e-4)


def test_the_start_does_not_change_the_solution():
    embeddings, labels, weights = problem(seed=2)
    cold, _ = fit_head(embeddings, labels, weights, 3, l2=0.05)
    other, _ = fit_head(embeddings, labels[::-1], weights, 3, l2=0.05)
    warm, _ = fit_head(embeddings, labels, weights, 3, l2=0.05, start=other)
    np.testing.assert_allclose(warm.logits(embeddings), cold.logits(embeddings), atol=0.02)


def test_the_same_input_gives_the_same_bits():
    embeddings, labels, weights = problem()
    first, second = (fit_head(embeddings, labels, weights, 3, l2=0.01)[0] for _ in range(2))
    assert first.weight.tobytes() == second.weight.tobytes()
    assert first.bias.tobytes() == second.bias.tobytes()


def test_a_row_of_weight_zero_changes_no_bit():
    embeddings, labels, weights = problem()
    weights[100:] = 0
    mean, std = standardisation(embeddings)
    given = {"l2": 0.05, "mean": mean, "std": std}
    with_rows, _ = fit_head(embeddings, labels, weights, 3, **given)
    without, _ = fit_head(embeddings[:100], labels[:100], weights[:100], 3, **given)
    np.testing.assert_array_equal(with_rows.weight, without.weight)


def test_a_weight_of_two_is_as_good_as_the_row_twice():
    embeddings, labels, _ = problem(n=60)
    mean, std = standardisation(embeddings)
    given = {"l2": 0.05, "mean": mean, "std": std}
    doubled, _ = fit_head(embeddings, labels, np.where(np.arange(60) < 30, 2, 1), 3, **given)
    twice = np.r_[np.arange(60), np.arange(30)]
    repeated, _ = fit_head(embeddings[twice], labels[twice], np.ones(90), 3, **given)
    np.testing.assert_allclose(doubled.logits(embeddings), repeated.logits(embeddings), atol=0.01)


def test_a_class_without_examples_is_never_predicted_and_stays_finite():
    embeddings, labels, weights = problem()
    head, _ = fit_head(embeddings, labels, weights, 5, l2=0.05)
    logits = head.logits(embeddings)
    assert np.isfinite(logits).all()
    assert set(logits.argmax(axis=1)) <= {0, 1, 2}


def test_one_class_only_is_always_predicted():
    embeddings, _, weights = problem()
    head, _ = fit_head(embeddings, np.full(200, 1), weights, 3, l2=0.05)
    assert (head.logits(embeddings).argmax(axis=1) == 1).all()


def test_one_example_is_enough():
    embeddings, _, _ = problem()
    head, records = fit_head(embeddings[:1], [2], [1.0], 3, l2=0.05)
    assert head.logits(embeddings[:1]).argmax() == 2
    assert records[-1].train_accuracy == 1


def test_features_that_never_vary_do_no_harm():
    embeddings, labels, weights = problem()
    embeddings[:, 2] = 7
    head, _ = fit_head(embeddings, labels, weights, 3, l2=0.05)
    assert np.isfinite(head.logits(embeddings)).all()
    assert head.std[2] == 1


def test_every_epoch_is_reported_and_the_loss_falls():
    heard = []
    embeddings, labels, weights = problem()
    _, records = fit_head(embeddings, labels, weights, 3, l2=1e-4, on_epoch=heard.append)
    assert tuple(heard) == records
    losses = [record.train_loss for record in records]
    assert losses == sorted(losses, reverse=True)


@pytest.mark.parametrize(
    ("labels", "weights"),
    [([0, 3], [1, 1]), ([0, -1], [1, 1]), ([0], [1, 1]), ([0, 1], [0, 0]), ([0, 1], [1, -1]), ([0, 1], [1, np.nan])],
)
def test_wrong_labels_and_weights_are_refused(labels, weights):
    with pytest.raises(ValueError, match=r"targets|Targets|Weights"):
        fit_head(np.ones((2, 4), np.float32), labels, weights, 3, l2=0.1)


def test_standardisation_is_that_of_numpy_over_many_chunks():
    embeddings = np.random.default_rng(0).gamma(1, 3, (20_000, 5)).astype(np.float32)
    mean, std = standardisation(embeddings)
    np.testing.assert_allclose(mean, embeddings.mean(0, dtype=float), rtol=1e-5)
    np.testing.assert_allclose(std, embeddings.std(0, dtype=float), rtol=1e-5)


def test_folded_weights_are_the_same_function():
    rng = np.random.default_rng(0)
    head = Head(*(rng.random(s, dtype=np.float32) + 0.5 for s in ((3, 4), 3, 4, 4)))
    embeddings = rng.random((7, 4), dtype=np.float32)
    expected = ((embeddings - head.mean) / head.std) @ head.weight.T + head.bias
    np.testing.assert_allclose(head.logits(embeddings), expected, rtol=1e-4)


def test_cross_fitted_logits_come_from_heads_that_did_not_see_the_example():
    embeddings, labels, _ = problem(n=30)
    mean, std = standardisation(embeddings)
    given = {"l2": 0.05, "mean": mean, "std": std}
    logits, _ = crossfit(embeddings, labels, 3, folds=30, rng=np.random.default_rng(0), **given)
    for left_out in (0, 17):
        weights = np.arange(30) != left_out
        head, _ = fit_head(embeddings, labels, weights, 3, **given)
        np.testing.assert_allclose(logits[left_out], head.logits(embeddings[[left_out]])[0], atol=0.02)


@pytest.mark.parametrize("folds", [1, 31])
def test_impossible_numbers_of_folds_are_refused(folds):
    embeddings, labels, _ = problem(n=30)
    mean, std = standardisation(embeddings)
    with pytest.raises(ValueError, match="folds"):
        crossfit(embeddings, labels, 3, l2=1, mean=mean, std=std, folds=folds, rng=np.random.default_rng(0))
