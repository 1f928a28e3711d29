"""What an audit still shows when the people who answer it err too, at a stated rate."""

import numpy as np
from numpy.typing import NDArray
from scipy import stats


def bound_with_audit_errors(bound: float, audit_error: float) -> float:
    """Upper bound on the error rate when people err on at most a share `audit_error` of the same images.

    bound: on the share of images where model and person disagree. Where the model is wrong, either they disagree
    or the person is wrong as well, so the shares add up, whichever images people err on.
    """
    return min(1.0, bound + audit_error)


def wrong_upper_bound(
    n_population: int, n_sample: int, disagreements: int, risk: float, audit_error: float, n_classes: int
) -> int:
    """Largest number of wrong labels in the population that the audit does not refute, at a known rate of its errors.

    A person errs with probability rho = `audit_error`, exactly and whatever the model says, and then names each of
    the other m - 1 classes as often. Model and person then disagree with probability a = 1 - rho / (m - 1) where
    the model is wrong and rho where it is right, so of M wrong images

        P_M[D <= d] = sum_k Hypergeometric(k; N, M, n) P[Binomial(k, a) + Binomial(n - k, rho) <= d],

    which falls in M; the bound is max {M : P_M[D <= d] > risk}, and `hypergeometric_upper_bound` at rho = 0. It
    is 0 when even M = 0 is refuted: the stated rate is then probably too high. Errors of the people that were
    found in the sample cannot be told from the model's, so none is taken off the population. Raises ValueError
    unless 0 <= rho < (m - 1) / m and the counts are possible.
    """
    if not 0 <= disagreements <= n_sample <= n_population:
        raise ValueError(f"impossible counts: {disagreements} disagreements in {n_sample} of {n_population}")
    if not 0 <= audit_error < (n_classes - 1) / n_classes:
        raise ValueError(f"audit_error must be 0 or more and below {1 - 1 / n_classes:.3g}, not {audit_error}")
    few = _chance_of_few(n_sample, disagreements, audit_error, n_classes)
    low, high = 0, n_population
    while low < high:
        middle = (low + high + 1) // 2
        chance = stats.hypergeom.pmf(np.arange(n_sample + 1), n_population, middle, n_sample) @ few
        low, high = (middle, high) if chance > risk else (low, middle - 1)
    return low


def _chance_of_few(n: int, most: int, audit_error: float, n_classes: int) -> NDArray[np.float64]:
    """P[at most `most` disagreements | k of the n audited labels are wrong], for k = 0 … n: (n + 1,)."""
    k, among_wrong = np.arange(n + 1)[:, None], np.arange(most + 1)[None, :]
    seen = stats.binom.pmf(among_wrong, k, 1 - audit_error / (n_classes - 1))
    chances: NDArray[np.float64] = np.sum(seen * stats.binom.cdf(most - among_wrong, n - k, audit_error), axis=1)
    return chances
