"""What an audit still shows when the people who answer it err too, at a stated rate."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from budgetal.annotators.bounds import clopper_pearson_upper_bound, hypergeometric_upper_bound
from budgetal.types import RowArray

RATE_SHARE = 0.1
"""Of a look's risk, what an estimated rate rests on; the rest is for the certificate at that rate."""
LIKELY = 0.2
"""Where an estimated rate is guessed to come out: decides where thresholds begin, and nothing that is promised."""
MOST_OFTEN = 0.5
"""Nobody is assumed to be wrong more often than right."""


@dataclass(frozen=True)
class AuditErrors:
    """What is assumed of the people who answered an audit, and what they said of each image: (a, k), -1 for no answer.

    rate: the most that they err; None: estimated from pairs of answers. `anywhere`: on whichever images, the model's
    own mistakes too; otherwise an error names the model's class no more often than any other wrong one.
    """

    answers: RowArray
    n_classes: int
    rate: float | None
    anywhere: bool

    def part(self, of: NDArray[np.bool_] | NDArray[np.int64]) -> "AuditErrors":
        """The same of some of the images."""
        return replace(self, answers=self.answers[of])

    def is_wrong(self, predicted: RowArray, voted: RowArray) -> NDArray[np.bool_]:
        """(a,) whether an answer speaks against the model: the vote, or, where errors are random, every single answer.

        A person who errs at random contradicts a right label often, and two at once rarely; neither often confirms a
        wrong one. So with random errors a label that anybody confirms counts as right.
        """
        wrong = predicted != voted if self.anywhere else (self.answers != predicted[:, None]).all(axis=1)
        return np.asarray(wrong, dtype=np.bool_)

    def room(self, tolerance: float) -> float:
        """What is left of the tolerance for mistakes that people see; a guess of where to begin, not a promise."""
        if self.anywhere:
            return tolerance - (self.rate or 0.0)
        rate: float = LIKELY if self.rate is None else self.rate
        n_answers: int = self.answers.shape[1]
        return tolerance * max(0.1, 1 - n_answers * rate / (self.n_classes - 1)) * (1 - RATE_SHARE)

    def rate_at(self, sampled: NDArray[np.bool_], risk: float) -> float:
        """The stated rate, or an upper bound from the pairs of answers among the sampled images."""
        return self.rate if self.rate is not None else rate_upper_bound(self.answers[sampled], risk, self.n_classes)

    def most_wrong(
        self, n_population: int, sampled: NDArray[np.bool_], seen: int, risk: float
    ) -> tuple[int, float, float]:
        """Upper bound on the wrong labels, the rate of errors, and the chance that people see a mistake of the model.

        sampled: (a,) which audit images are among the `n_population`; seen: those of them that count as wrong.
        """
        n_sample = int(sampled.sum())
        estimated = RATE_SHARE if self.rate is None else 0.0
        rate = self.rate_at(sampled, risk * estimated)
        if self.anywhere:
            disagreeing = hypergeometric_upper_bound(n_population, n_sample, seen, risk)
            return min(n_population, disagreeing + int(np.floor(rate * n_population))), rate, 1.0
        n_answers = int((self.answers[sampled] >= 0).sum(axis=1).max(initial=1))
        detection = max(0.0, 1 - n_answers * rate / (self.n_classes - 1))
        worst = unseen_upper_bound(n_population, n_sample, seen, risk * (1 - estimated), detection)
        return worst, rate, detection


def unseen_upper_bound(n_population: int, n_sample: int, seen: int, risk: float, detection: float) -> int:
    """Largest number of wrong labels that an audit does not refute which sees each of them with a chance `detection`.

    max {M : sum_k Hypergeometric(k; N, M, n) P[Binomial(k, detection) <= seen] > risk}. Right labels that are taken for
    wrong only raise `seen`, so nothing need be known of them, and a lower bound on the chance will do.
    `hypergeometric_upper_bound` at a detection of 1. Raises ValueError on impossible counts.
    """
    if not (0 <= seen <= n_sample <= n_population and 0 <= detection <= 1):
        raise ValueError(f"impossible counts: {seen} seen at {detection} in {n_sample} of {n_population}")
    few = np.asarray(stats.binom.cdf(seen, np.arange(n_sample + 1), detection))
    return _most_not_refuted(n_population, few, risk)


def rate_upper_bound(answers: RowArray, risk: float, n_classes: int) -> float:
    """Upper bound on how often people err, from how often two of them differ: answers (n, k), -1 for none.

    Two people who err with probabilities r and s, independently, and then name all other classes as often differ with
    probability q = r + s - r s m / (m - 1). As r, s <= 1/2, r s <= (r + s) / 4, so their mean rate is at most
    q / (2 - m / (2 (m - 1))), whoever errs more. q is bounded at `risk` by Clopper & Pearson from the first two
    answers of each image. Without a pair, 1/2.
    """
    pairs = answers[(answers >= 0).sum(axis=1) >= 2]
    first_two = np.array([row[row >= 0][:2] for row in pairs]).reshape(-1, 2)
    if not len(first_two):
        return MOST_OFTEN
    n_differ = int((first_two[:, 0] != first_two[:, 1]).sum())
    q = clopper_pearson_upper_bound(len(first_two), n_differ, risk)
    return min(MOST_OFTEN, q / (2 - n_classes / (2 * (n_classes - 1))))


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
    return _most_not_refuted(n_population, few, risk)


def _most_not_refuted(n_population: int, few: NDArray[np.float64], risk: float) -> int:
    """Largest number of wrong labels in the population under which seeing so few has a chance above `risk`.

    few: (n + 1,) that chance by the number of wrong ones among the n audited. It has to fall in the number of all.
    """
    n_sample, (low, high) = len(few) - 1, (0, n_population)
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
