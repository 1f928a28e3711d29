"""A certificate that may be looked at after every audit answer, and the audit stopped when one likes."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from budgetal.annotators.bounds import EXPECTED_RATE, betting_upper_bound, log_capital
from budgetal.annotators.certificate import Certificate, candidate_thresholds, most_sampled


def anytime_certificate(
    scores: NDArray[np.float32],
    audit_rows: NDArray[np.int64],
    audit_wrong: NDArray[np.bool_],
    tolerance: float,
    risk: float,
    n_audit: int,
    thresholds: Sequence[float] | None = None,
    expected_rate: float = EXPECTED_RATE,
) -> Certificate | None:
    """Lowest threshold certified by the answers so far, or None; the promise holds for all looks together.

    audit_rows, audit_wrong: (a,) in the order of the answers, which must be random: the order of the draw, say, or
    one shuffled before anybody answers. n_audit: the most answers there will ever be; scores as in `certify`.
    thresholds: strictest first, chosen without looking at any answer; None: `candidate_thresholds`
    for a look at half the risk.

    Each threshold has one hypothesis, "more than tolerance × (images above it, less the most that the audit may
    take of them) are wrong", and one betting martingale against it (`log_capital`). With probability at least
    1 - risk the first threshold whose hypothesis is true never passes, after however many answers, and no
    threshold beyond it is then ever tested: fixed-sequence testing and Ville's inequality. So the certificate may
    be asked for after each answer, and the audit ended at the first that satisfies. Raises ValueError for more
    answers than `n_audit`.
    """
    if len(audit_rows) > n_audit:
        raise ValueError(f"{len(audit_rows)} audit answers are more than the {n_audit} that were planned")
    if thresholds is None:
        # Bets need about as many answers as a single look at half the risk, so begin where that one would.
        thresholds = candidate_thresholds(scores, n_audit, tolerance, risk / 2)
    passed: tuple[float, int, NDArray[np.bool_]] | None = None
    for threshold in thresholds:
        population, most = _sizes(scores, threshold, n_audit)
        wrong = audit_wrong[scores[audit_rows] >= threshold]
        allowed = tolerance * (population - most)
        if len(wrong) > most or not _is_refuted(population, wrong, allowed, risk, expected_rate):
            break
        passed = threshold, population, wrong
    return _certificate(*passed, tolerance, risk, expected_rate) if passed else None


def _sizes(scores: NDArray[np.float32], threshold: float, n_audit: int) -> tuple[int, int]:
    """Images above the threshold, and the most of them that the audit may take."""
    population = int((scores >= threshold).sum())
    return population, most_sampled(n_audit, population / len(scores))


def _is_refuted(population: int, wrong: NDArray[np.bool_], allowed: float, risk: float, expected_rate: float) -> bool:
    """Whether the answers have ever spoken strongly enough against "more than `allowed` are wrong"."""
    fewest = math.floor(allowed) + 1
    if allowed < 0 or int(wrong.sum()) >= fewest:
        return False
    return float(log_capital(population, wrong, np.array([fewest]), expected_rate)[0]) >= -math.log(risk)


def _certificate(
    threshold: float, population: int, wrong: NDArray[np.bool_], tolerance: float, risk: float, expected_rate: float
) -> Certificate | None:
    n_auto, errors = population - len(wrong), int(wrong.sum())
    if n_auto == 0:
        return None
    bound = (betting_upper_bound(population, wrong, risk, expected_rate) - errors) / n_auto
    return Certificate(tolerance, risk, tolerance, threshold, len(wrong), errors, n_auto, bound)
