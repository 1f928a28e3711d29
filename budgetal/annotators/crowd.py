"""What is true of images that several people labelled, and how good each person is (Dawid & Skene).

People err each in a way of their own. Which label is right and how often everybody is right explain each other, so both
are found together, by expectation and maximisation. Pure functions of arrays.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from budgetal.types import RowArray

Floats = NDArray[np.float64]

PRIOR_ACCURACY = 0.8
PRIOR_ANSWERS = 10.0
"""What is assumed of a person before any answer: as much as so many answers of this accuracy would say."""
MOST_STEPS = 200
ENOUGH = 1e-6
TINY = 1e-12


@dataclass(frozen=True)
class Answers:
    """Who said what: items, annotators and classes are numbered from 0, (t,) each; the n_… say how many there are."""

    items: RowArray
    annotators: RowArray
    answers: RowArray
    n_items: int
    n_annotators: int
    n_classes: int

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True)
class Opinion:
    """What the answers say. posterior: (n, m) of each item's class; class_shares: (m,).

    confusion: (a, m, m), true class by answer, rows sum to 1; n_answers: (a,) answers of each person;
    n_right: (a,) how many of them are expected to be right; log_posterior: what was maximised, after each step.
    """

    posterior: Floats
    class_shares: Floats
    confusion: Floats
    n_answers: RowArray
    n_right: Floats
    log_posterior: tuple[float, ...]

    @property
    def accuracy(self) -> Floats:
        """(a,) chance that each person is right on an item: that of the confusion matrix over the class shares."""
        right: Floats = np.einsum("acc,c->a", self.confusion, self.class_shares)
        return right

    def accuracy_interval(self, level: float = 0.95) -> Floats:
        """(a, 2) Jeffreys' interval of each person's share of right answers, as if the expected number were counted."""
        return jeffreys(self.n_right, self.n_answers, level)


def jeffreys(n_right: Floats, n: RowArray, level: float = 0.95) -> Floats:
    """(a, 2) Jeffreys' interval of a share of which `n_right` (a,) of `n` (a,) were seen."""
    tail = (1 - level) / 2
    ends = [stats.beta.ppf(q, n_right + 0.5, n - n_right + 0.5) for q in (tail, 1 - tail)]
    return np.stack(ends, axis=1)


def dawid_skene(
    given: Answers,
    *,
    known: RowArray | None = None,
    item_prior: Floats | None = None,
    prior_answers: float = PRIOR_ANSWERS,
) -> Opinion:
    """The classes of items and the confusion matrices of people that explain the answers best.

    known: (n,) class of items whose truth is known (gold), else -1. item_prior: (n, m) probabilities of each item's
    class from elsewhere, such as a model that never saw its answers (CROWDLAB, Goh et al. 2022); None: one prior for
    all items, the class shares, found together with the rest.

    Expectation and maximisation of Dawid & Skene, Applied Statistics 1979, in two stages. First each person has one
    accuracy for all classes, and names all wrong ones as often; it begins with `prior_answers` answers of which
    PRIOR_ACCURACY are right. Then each row of a confusion matrix is free, and begins with `prior_answers` answers
    that are distributed as the first stage found. So few answers give a sensible result, many give Dawid & Skene's, and
    no probability is 0. Class shares begin with `prior_answers` / (10 m) items each. The log posterior may have several
    tops, so the second stage starts from the first one's matrices and from plain votes, and the higher top counts.
    Every step of it raises the log posterior. O(answers × classes) a step. Raises ValueError for numbers out of range.
    """
    _check(given)
    problem = _Problem(given, known, item_prior, prior_answers)
    tied = np.full(given.n_annotators, PRIOR_ACCURACY)
    shares, before = np.full(given.n_classes, 1 / given.n_classes), tied - 1
    for _ in range(MOST_STEPS):
        if np.abs(tied - before).max(initial=0) < ENOUGH:
            break
        posterior, _ = problem.expect(_one_coin(tied, given.n_classes), shares)
        before, tied, shares = tied, problem.accuracies(posterior), problem.class_shares(posterior)
    prior = _one_coin(tied, given.n_classes) * prior_answers
    posterior, _ = problem.expect(_one_coin(tied, given.n_classes), shares)
    tops = [_with_confusions(problem, prior, start) for start in (posterior, problem.votes())]
    return max(tops, key=lambda top: top.log_posterior[-1])


def _with_confusions(problem: "_Problem", prior: Floats, posterior: Floats) -> Opinion:
    """The second stage: prior answers (a, m, m) by person, true class and answer; posterior (n, m) to start from."""
    given = problem.given
    steps: list[float] = []
    while len(steps) < MOST_STEPS and not (len(steps) > 1 and steps[-1] - steps[-2] < ENOUGH):
        confusion, shares = _rows(problem.counts(posterior) + prior), problem.class_shares(posterior)
        posterior, log_likelihood = problem.expect(confusion, shares)
        log_prior = (prior * np.log(confusion)).sum() + problem.items_a_class * np.log(shares).sum()
        steps.append(log_likelihood + float(log_prior))
    n_answers = np.bincount(given.annotators, minlength=given.n_annotators)
    return Opinion(posterior, shares, confusion, n_answers, problem.n_right(posterior), tuple(steps))


def expected_after_another(posterior: Floats, confusion: Floats) -> Floats:
    """(n,) the chance that an item's likeliest class is right once a person with this confusion (m, m) has answered.

    Each answer y comes with probability sum_c P(c) confusion[c, y], and the likeliest class is then right with
    max_c P(c) confusion[c, y] / that; the probabilities of the answers cancel.
    """
    joint = posterior[:, :, None] * confusion[None]
    after: Floats = joint.max(axis=1).sum(axis=1)
    return after


@dataclass(frozen=True)
class _Problem:
    """What stays the same from step to step."""

    given: Answers
    known: RowArray | None
    item_prior: Floats | None
    prior_answers: float

    @property
    def items_a_class(self) -> float:
        return self.prior_answers / (10 * self.given.n_classes)

    def expect(self, confusion: Floats, shares: Floats) -> tuple[Floats, float]:
        """(n, m) posterior of each item's class, and the log likelihood of all answers."""
        log_item = np.log(shares) if self.item_prior is None else np.log(np.maximum(self.item_prior, TINY))
        log_joint = np.array(np.broadcast_to(log_item, (self.given.n_items, self.given.n_classes)))
        answers = np.log(np.maximum(confusion, TINY))[self.given.annotators, :, self.given.answers]
        np.add.at(log_joint, self.given.items, answers)
        if self.known is not None:
            others = (self.known[:, None] >= 0) & (np.arange(self.given.n_classes) != self.known[:, None])
            log_joint[others] = -np.inf
        top = log_joint.max(axis=1, keepdims=True)
        joint = np.exp(log_joint - top)
        total = joint.sum(axis=1, keepdims=True)
        return joint / total, float((np.log(total) + top).sum())

    def votes(self) -> Floats:
        """(n, m) shares of each item's answers; even where it has none, and its class where that is known."""
        votes = np.zeros((self.given.n_items, self.given.n_classes))
        np.add.at(votes, (self.given.items, self.given.answers), 1)
        votes[votes.sum(axis=1) == 0] = 1
        if self.known is not None:
            is_known = self.known >= 0
            votes[is_known] = np.eye(self.given.n_classes)[self.known[is_known]]
        return _rows(votes)

    def n_right(self, posterior: Floats) -> Floats:
        """(a,) answers of each person that are expected to be right."""
        expected = np.zeros(self.given.n_annotators)
        np.add.at(expected, self.given.annotators, posterior[self.given.items, self.given.answers])
        return expected

    def accuracies(self, posterior: Floats) -> Floats:
        """(a,) one accuracy a person, with the answers that it begins with."""
        n_answers = np.bincount(self.given.annotators, minlength=self.given.n_annotators)
        right = self.n_right(posterior) + self.prior_answers * PRIOR_ACCURACY
        accuracies: Floats = right / (n_answers + self.prior_answers)
        return accuracies

    def class_shares(self, posterior: Floats) -> Floats:
        """(m,) of the items."""
        return _rows(posterior.sum(axis=0) + self.items_a_class)

    def counts(self, posterior: Floats) -> Floats:
        """(a, m, m) expected answers by person, true class and answer."""
        n_people, n_classes = self.given.n_annotators, self.given.n_classes
        counts = np.zeros((n_people, n_classes, n_classes))
        np.add.at(counts.transpose(0, 2, 1), (self.given.annotators, self.given.answers), posterior[self.given.items])
        return counts


def _one_coin(accuracies: Floats, n_classes: int) -> Floats:
    """(a, m, m) confusion matrices of people who are right as often on every class and name all others as often."""
    wrong = np.maximum((1 - accuracies) / max(1, n_classes - 1), TINY)
    is_right = np.eye(n_classes, dtype=bool)
    return np.where(is_right, accuracies[:, None, None], wrong[:, None, None])


def _rows(counts: Floats) -> Floats:
    shares: Floats = counts / counts.sum(axis=-1, keepdims=True)
    return shares


def _check(given: Answers) -> None:
    for name, values, n in (
        ("item", given.items, given.n_items),
        ("annotator", given.annotators, given.n_annotators),
        ("class", given.answers, given.n_classes),
    ):
        if len(values) != len(given) or (len(values) and not 0 <= values.min() <= values.max() < n):
            raise ValueError(f"Each answer needs a number of its {name} from 0 to {n - 1}")
