"""Upper bounds on the share of wrong labels, from a random sample of them that people checked.

An audit is drawn without replacement from a known number of images, so the finite pool's bounds apply; they are
never above those of an endless one. docs/certificate.md says which of them a run uses.
"""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats

EXPECTED_RATE = 0.02
"""Error rate that the bets begin with, before any answer has come."""


def clopper_pearson_upper_bound(n_sample: int, errors: int, risk: float) -> float:
    """One-sided upper bound on a binomial proportion at level 1 - risk, in [0, 1].

    Clopper & Pearson, Biometrika 1934: the 1 - risk quantile of Beta(errors + 1, n_sample - errors).
    """
    if errors >= n_sample:
        return 1.0
    return float(stats.beta.ppf(1 - risk, errors + 1, n_sample - errors))


@lru_cache(maxsize=1 << 16)
def hypergeometric_upper_bound(n_population: int, n_sample: int, errors: int, risk: float) -> int:
    """Largest number of errors in the population that the sample does not refute at level `risk`.

    max {M : P[Hypergeometric(n_population, M, n_sample) <= errors] > risk}; exact, and never above
    Clopper-Pearson because it knows that the population is finite. Raises ValueError on impossible counts.
    """
    _check_counts(n_population, n_sample, errors)
    low, high = errors, n_population - n_sample + errors
    while low < high:
        middle = (low + high + 1) // 2
        if stats.hypergeom.cdf(errors, n_population, middle, n_sample) > risk:
            low = middle
        else:
            high = middle - 1
    return low


def remaining_error_bound(n_population: int, n_sample: int, errors: int, risk: float) -> float:
    """Upper bound on the error rate of the population without its (already corrected) sample."""
    if n_population == n_sample:
        return 0.0
    worst = hypergeometric_upper_bound(n_population, n_sample, errors, risk)
    return (worst - errors) / (n_population - n_sample)


def audit_labels_needed(tolerance: float, risk: float, errors: int = 0) -> int:
    """Smallest audit above a threshold that certifies `tolerance` when it shows `errors` errors."""
    n = math.ceil(math.log(risk) / math.log1p(-tolerance))
    while clopper_pearson_upper_bound(n, errors, risk) > tolerance:
        n += 1
    return n


def betting_upper_bound(
    n_population: int, wrong: NDArray[np.bool_], risk: float, expected_rate: float = EXPECTED_RATE
) -> int:
    """Largest number of errors in the population that bets on the answers, in their order, never refuted.

    wrong: (n,) answers so far, in a random order. max {M : max over s <= n of K_s(M) < 1 / risk}, K as in
    `log_capital`. With probability at least 1 - risk over the draw it is at or above the true number after every
    answer at once, so one may look after each and stop when one likes (Ville's inequality). O(n_population n).
    Waudby-Smith & Ramdas, JRSS B 2024, "Estimating means of bounded random variables by betting", section 5.
    Raises ValueError on impossible counts.
    """
    errors = int(wrong.sum())
    _check_counts(n_population, len(wrong), errors)
    possible = np.arange(errors, n_population - len(wrong) + errors + 1)
    capital = log_capital(n_population, wrong, possible, expected_rate)
    # Some number is always unrefuted in theory; all may be by bad luck, and then the least possible is the bound.
    return int(possible[capital < -math.log(risk)].max(initial=errors))


def log_capital(
    n_population: int, wrong: NDArray[np.bool_], hypotheses: NDArray[np.int64], expected_rate: float = EXPECTED_RATE
) -> NDArray[np.float64]:
    """Logarithm of the most capital reached by betting against each hypothesis "so many are wrong": (k,).

    Of the M wrong images of a hypothesis, M - e are left among N - t after t answers with e errors: the next
    answer is wrong with probability p = (M - e) / (N - t). One bets that it is wrong with
    q = min(p, (e + 1/2) / (t + 1/(2 expected_rate))), which past answers alone decide. The capital, 1 at first, is
    multiplied by q / p after an error and by (1 - q) / (1 - p) after none. That is 1 - lambda (x - p) with the bet
    lambda = (p - q) / (p (1 - p)) >= 0, so it is a martingale where M are wrong and a supermartingale where more are.
    Nothing is bet where p is 0 or 1. A hypothesis with more errors left than images has infinite capital.
    """
    left, errors = hypotheses.astype(np.float64), 0
    capital, most = np.zeros((2, len(hypotheses)))
    for t, is_wrong in enumerate(wrong):
        p = np.clip(left / (n_population - t), 0.0, 1.0)
        q = np.where(p < 1, np.minimum(p, (errors + 0.5) / (t + 0.5 / expected_rate)), 1.0)
        capital += _log_factor(p, q, bool(is_wrong))
        most = np.maximum(most, capital)
        left, errors = left - is_wrong, errors + int(is_wrong)
    return np.where(left > n_population - len(wrong), np.inf, most)


def _log_factor(p: NDArray[np.float64], q: NDArray[np.float64], is_wrong: bool) -> NDArray[np.float64]:
    """Logarithm of what one answer multiplies the capital by; 0 where nothing was bet."""
    gained, likely = (q, p) if is_wrong else (1 - q, 1 - p)
    return np.log(gained, where=q < p, out=np.zeros_like(p)) - np.log(likely, where=q < p, out=np.zeros_like(p))


def _check_counts(n_population: int, n_sample: int, errors: int) -> None:
    if not 0 <= errors <= n_sample <= n_population:
        raise ValueError(f"impossible counts: {errors} errors in {n_sample} of {n_population}")
