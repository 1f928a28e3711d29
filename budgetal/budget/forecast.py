"""What the next labels will do to error and coverage, fitted to the rounds so far. Pure functions of arrays.

The audit answers of all rounds are of the same images, so the errors that they show go up and down together: draws are
made by resampling images, not rounds. A certificate may begin at another threshold from round to round, or fail, so
coverage has a noise of its own, which the rounds themselves show.

A forecast reads audit answers. It is for people; queries and training must not see it (decision 0002).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from budgetal.budget.curves import Curves, Floats, fit, fit_each, shifted

LEVEL = 0.8
FEWEST_ROUNDS = 3
N_DRAWS = 1_000
ERROR_SPREAD = 0.05
"""Standard deviation of the log odds of a round's error around its curve, beside what the audit's size explains."""
COVERAGE_SPREAD, COVERAGE_ROUNDS = 0.5, 2
"""What is assumed of the same for the share that is not covered, worth so many rounds."""
FEWEST_CERTIFIED = 2
SURELY = 100.0
"""Log odds that are a share of 1."""


@dataclass(frozen=True)
class History:
    """The rounds so far. n_training: (r,) human labels trained on; coverage: (r,) share labelled by anyone.

    wrong: (r, a) whether each round's model errs on each audit image, or (r,) its share of errors where only that is
    known; n_fixed: human labels that no model trains on (the audit); n_waiting: given since the last round.
    """

    n_training: NDArray[np.int64]
    wrong: Floats
    coverage: Floats
    n_samples: int
    n_audit: int
    n_fixed: int
    n_waiting: int = 0

    @property
    def n_to_train_on(self) -> int:
        """Human labels that a round begun now would train on."""
        return int(self.n_training[-1]) + self.n_waiting

    @property
    def errors(self) -> Floats:
        """(r,) shares of audit images that the rounds' models get wrong."""
        return self.wrong.mean(axis=1) if self.wrong.ndim == 2 else self.wrong


@dataclass(frozen=True)
class Forecast:
    """Draws of the error of a new image's label and of the share of images that nobody labels yet.

    error_law, uncovered_law: the one likeliest curve of each, without a floor.
    """

    history: History
    error: Curves
    uncovered: Curves
    error_law: Curves
    uncovered_law: Curves

    def accuracies(self, n_training: Floats) -> Floats:
        """(b, q): the share of images a model gets right that has learnt from n_training (q,) human labels."""
        return 1 - self.error(n_training)

    def coverages(self, n_training: Floats) -> Floats:
        """(b, q): the share labelled by people or automatically; at least what people have labelled."""
        by_people = (np.asarray(n_training) + self.history.n_fixed) / self.history.n_samples
        return np.minimum(np.maximum(1 - self.uncovered(n_training), by_people), 1.0)


def why_not(history: History) -> str | None:
    """Why there is too little to fit, in one sentence, or None."""
    n_rounds = len(history.n_training)
    if history.n_audit == 0:
        return "A forecast needs answers of an audit drawn at random, and there are none."
    if n_rounds < FEWEST_ROUNDS:
        have = "none has" if n_rounds == 0 else "1 has" if n_rounds == 1 else f"{n_rounds} have"
        return f"A forecast needs {FEWEST_ROUNDS} finished rounds: {have} finished."
    return None


def forecast(history: History, rng: np.random.Generator) -> Forecast:
    """Fit both curves. Raises ValueError where `why_not` has a reason."""
    if reason := why_not(history):
        raise ValueError(reason)
    n_labels = np.maximum(history.n_training, 1).astype(np.float64)
    error, error_law = _fit_error(n_labels, history, rng)
    uncovered, uncovered_law = _fit_uncovered(n_labels, history, rng)
    return Forecast(history, error, uncovered, error_law, uncovered_law)


def _fit_error(n_labels: Floats, history: History, rng: np.random.Generator) -> tuple[Curves, Curves]:
    seen = (history.errors * history.n_audit + 0.5) / (history.n_audit + 1)
    weights = 1 / ((1 - seen) / (history.n_audit * seen) + ERROR_SPREAD**2)
    draws = _resampled(history, rng)
    noisy = shifted(draws, rng.normal(0, ERROR_SPREAD, draws.shape))
    curves = fit_each(n_labels, noisy, weights, rng)
    return curves.deviating(rng.normal(0, ERROR_SPREAD, len(draws))), fit(n_labels, seen, weights)


def _resampled(history: History, rng: np.random.Generator) -> Floats:
    """(b, r) error rates by the Bayesian bootstrap over audit images (Rubin 1981), two half images added, one wrong.

    Those two halves keep the draws of an audit without errors from being all zero (Jeffreys' prior).
    """
    n_rounds = len(history.n_training)
    if history.wrong.ndim == 1:
        errors = history.wrong * history.n_audit
        drawn: Floats = rng.beta(errors + 0.5, history.n_audit - errors + 0.5, (N_DRAWS, n_rounds))
        return np.maximum(drawn, 1e-9)
    image = rng.exponential(size=(N_DRAWS, history.n_audit))
    wrong, right = rng.gamma(0.5, size=(2, N_DRAWS, 1))
    drawn = (image @ history.wrong.T + wrong) / (image.sum(axis=1, keepdims=True) + wrong + right)
    return np.maximum(drawn, 1e-9)


def _fit_uncovered(n_labels: Floats, history: History, rng: np.random.Generator) -> tuple[Curves, Curves]:
    used, failing = _certified_rounds(history)
    n_labels = n_labels[used]
    least = 0.5 / history.n_samples
    seen = np.clip(1 - history.coverage[used], least, 1 - least)
    weights = np.full(len(seen), 1 / COVERAGE_SPREAD**2)
    law = fit(n_labels, seen, weights)
    residuals = logit(seen) - logit(np.clip(law(n_labels)[0], least, 1 - least))
    freedom = COVERAGE_ROUNDS + len(seen) - 1
    squares = COVERAGE_ROUNDS * COVERAGE_SPREAD**2 + float(residuals @ residuals)
    spread = np.sqrt(squares / rng.chisquare(freedom, N_DRAWS))
    noisy = shifted(seen, spread[:, None] * rng.normal(size=(N_DRAWS, len(seen))))
    curves = fit_each(n_labels, noisy, np.full(len(seen), freedom / squares), rng)
    deviation = np.where(rng.random(N_DRAWS) < failing, SURELY, spread * rng.normal(size=N_DRAWS))
    return curves.deviating(deviation), law


def _certified_rounds(history: History) -> tuple[NDArray[np.bool_], float]:
    """(r,) the rounds that the curve is fitted to, and the chance that a later one certifies nothing.

    A round without a certificate says nothing of how many images one would cover, so such rounds are left out
    where two others remain, and counted instead: those after the first certificate, with five good rounds assumed.
    """
    certified = history.coverage * history.n_samples > history.n_training + history.n_fixed + 0.5
    if certified.sum() < FEWEST_CERTIFIED:
        return np.ones_like(certified), 0.0
    later = certified[certified.argmax() :]
    return certified, float((~later).sum() / (len(later) + 5))
