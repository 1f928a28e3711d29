"""The certificate: the lowest score threshold above which audit labels bound the error of automatic ones.

The audit is a uniform sample of the images that no person was asked about otherwise, so its members
above a score threshold are a uniform sample of all images above it: an urn without replacement.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from budgetal.annotators.audit_errors import AuditErrors
from budgetal.annotators.bounds import audit_labels_needed, hypergeometric_upper_bound

N_THRESHOLDS = 100
EARLIER_N_THRESHOLDS = 40
"""Of projects that were made before there were more: their looks are to come out as they did."""
LARGEST_START = {0: 1.0, 1: 0.85, 2: 0.85, 3: 0.85, 5: 0.5}
"""Where a sequence may begin: with room for so many errors, if that is at or below this coverage."""
ABOUT = 0.1


@dataclass(frozen=True)
class Certificate:
    """What is promised of the automatic labels, and the counts from which anyone can recompute it.

    With probability at least 1 - risk over the draw of the audit, the share of wrong labels among
    the `n_auto` automatic ones is at most `upper_bound`. audit_error, detection: how often people are assumed to err
    at most, and the chance that they see a mistake of the model at least; 0 and 1 where they are taken to be right.
    class_thresholds: by class, None for one that is not certified, where each has its own; then every class's automatic
    labels keep to the tolerance, and `threshold` is the lowest. None: one threshold for all. n_all: all labels of the
    collection, people's counted as right, where the tolerance is about these (`whole`); else None.
    """

    tolerance: float
    risk: float
    upper_bound: float
    threshold: float
    n_audit: int
    errors: int
    n_auto: int
    bound_at_threshold: float
    audit_error: float = 0.0
    detection: float = 1.0
    class_thresholds: tuple[float | None, ...] | None = None
    n_all: int | None = None

    @property
    def tolerated(self) -> float:
        """The bound that the tolerance is about: on the automatic labels, or on all labels of the collection."""
        return self.upper_bound if not self.n_all else self.upper_bound * self.n_auto / self.n_all

    def reached(self, scores: NDArray[np.float32], targets: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(n,) which images that would get these classes by these scores are at or above their threshold."""
        if self.class_thresholds is None:
            return np.asarray(scores >= self.threshold, dtype=np.bool_)
        lowest = np.array([np.inf if own is None else own for own in self.class_thresholds])
        return np.asarray(scores >= lowest[targets], dtype=np.bool_)


def read_certificate(stored: Mapping[str, Any] | None) -> Certificate | None:
    """What `dataclasses.asdict` gave, after JSON."""
    if not stored:
        return None
    by_class = stored.get("class_thresholds")
    return Certificate(**{**stored, "class_thresholds": None if by_class is None else tuple(by_class)})


def candidate_thresholds(
    scores: NDArray[np.float32], n_audit: int, tolerance: float, risk: float, n_thresholds: int = N_THRESHOLDS
) -> list[float]:
    """Score thresholds to test, strictest first: a grid of equal steps in coverage.

    Only scores and the audit's size enter, never an answer: fixed-sequence testing needs an order that was
    set before looking. Where it begins decides its power (docs/method.md has the measurement): too strict,
    and one unlucky error ends the sequence; too loose, and there are too many.
    """
    descending = np.sort(scores)[::-1]
    coverages = np.arange(1, n_thresholds + 1) / n_thresholds
    first = first_step(descending, coverages, n_audit, tolerance, risk)
    return threshold_grid(descending, coverages[first:])


def threshold_grid(descending: NDArray[np.float32], coverages: NDArray[np.float64]) -> list[float]:
    """The score thresholds of these coverages, strictest first, each once. descending: sorted scores."""
    positions = np.ceil(coverages * len(descending)).astype(int) - 1
    return sorted({float(value) for value in descending[positions]}, reverse=True)


def first_step(
    descending: NDArray[np.float32], coverages: NDArray[np.float64], n_audit: int, tolerance: float, risk: float
) -> int:
    """Index of the first coverage to test; len(coverages) when no start is possible.

    Of the possible starts the loosest that is about as likely to pass as the likeliest one: room for errors
    is worth more later than a slightly surer beginning. How likely is guessed from the scores, as if they
    were probabilities of being right, with a margin. A wrong guess costs coverage, never validity.
    """
    errors = 1.5 * np.cumsum(1 - descending.astype(np.float64)) / np.arange(1, len(descending) + 1) + 0.001
    powers: dict[int, float] = {}
    for room, largest in LARGEST_START.items():
        step = _step_with_room(room, coverages, n_audit, tolerance, risk)
        if step < len(coverages) and coverages[step] <= largest:
            at = int(np.ceil(coverages[step] * len(descending))) - 1
            expected = round(n_audit * coverages[step])
            powers[step] = float(stats.binom.cdf(room, expected, min(1.0, errors[at])))
    likeliest = max(powers.values(), default=0.0)
    return max((step for step, power in powers.items() if power >= likeliest - ABOUT), default=len(coverages))


def _step_with_room(room: int, coverages: NDArray[np.float64], n_audit: int, tolerance: float, risk: float) -> int:
    """First step at which the audit is expected, less one standard deviation, to pass with `room` errors.

    Two deviations for a start that has no room at all.
    """
    expected = n_audit * coverages
    deviations = 1 if room else 2
    surely = expected - deviations * np.sqrt(expected * (1 - coverages))
    enough = surely >= audit_labels_needed(tolerance, risk, room)
    return int(enough.argmax()) if enough.any() else len(coverages)


def certify(
    scores: NDArray[np.float32],
    audit_rows: NDArray[np.int64],
    audit_wrong: NDArray[np.bool_],
    tolerance: float,
    risk: float,
    thresholds: Sequence[float] | None = None,
    people: AuditErrors | None = None,
    n_thresholds: int = N_THRESHOLDS,
) -> Certificate | None:
    """Lowest threshold whose automatic labels are certified, or None when not even the strictest is.

    scores: (n,) of every image not labelled by a person otherwise, the audit among them; higher is surer.
    audit_rows: (a,) positions of the audit in `scores`; audit_wrong: (a,) whether the model errs there.
    thresholds: strictest first, chosen without looking at any answer; None: `candidate_thresholds`.
    people: how those err who answered, in the order of `audit_rows`; None: they are right.
    n_thresholds: steps of their grid.
    Fixed-sequence testing from the strictest threshold down, each at the full risk, ending at the first
    failure, keeps the chance of any false certificate at `risk` (Learn then Test, Angelopoulos 2021).
    """
    passed: list[Certificate] = []
    if thresholds is None:
        room = people.room(tolerance) if people else tolerance
        n_audit = len(audit_rows)
        thresholds = candidate_thresholds(scores, n_audit, room, risk, n_thresholds) if room > 0 else []
    for threshold in thresholds:
        tested = _test(scores, audit_rows, audit_wrong, threshold, tolerance, risk, people)
        if tested is None:
            break
        passed.append(tested)
    return _promise(passed, len(thresholds))


def _test(
    scores: NDArray[np.float32],
    audit_rows: NDArray[np.int64],
    audit_wrong: NDArray[np.bool_],
    threshold: float,
    tolerance: float,
    risk: float,
    people: AuditErrors | None,
) -> Certificate | None:
    """The certificate of one threshold, or None when the audit does not refute the hypothesis against it.

    The hypothesis must not depend on the audit's draw: "more than tolerance × (images above the threshold,
    less the most that the audit may take of them) are wrong". Unless the audit took more, that contains "the
    remaining ones are wrong too often".
    """
    population = int((scores >= threshold).sum())
    sampled = scores[audit_rows] >= threshold
    n_sample, errors = int(sampled.sum()), int((sampled & audit_wrong).sum())
    most = most_sampled(len(audit_rows), population / len(scores))
    if people is None:
        worst, left, assumed = hypergeometric_upper_bound(population, n_sample, errors, risk), errors, (0.0, 1.0)
    else:
        worst, *rates = people.most_wrong(population, sampled, errors, risk)
        # With random errors some of the images that count as wrong in the sample may be right: none is taken off.
        left, assumed = errors if people.anywhere else 0, (rates[0], rates[1])
    if n_sample > most or worst > tolerance * (population - most) or population == n_sample:
        return None
    bound = min(1.0, (worst - left) / (population - n_sample))
    return Certificate(tolerance, risk, tolerance, threshold, n_sample, errors, population - n_sample, bound, *assumed)


def most_sampled(n_audit: int, coverage: float) -> int:
    """Audit images above a threshold that are allowed for: the expected number and four standard deviations."""
    expected = n_audit * coverage
    return min(n_audit, math.ceil(expected + 4 * math.sqrt(expected * (1 - coverage))))


def _promise(passed: Sequence[Certificate], n_thresholds: int) -> Certificate | None:
    """The last threshold that passed.

    Its own bound may be promised only when the whole sequence passed: the sequence then goes on, at the
    last threshold, through ever smaller tolerances until the first failure, which is that bound. A
    sequence that stopped earlier promises the tolerance, since where it stopped depends on the answers.
    """
    if not passed:
        return None
    last = passed[-1]
    return last if len(passed) < n_thresholds else replace(last, upper_bound=last.bound_at_threshold)
