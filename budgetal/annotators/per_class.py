"""Certificates for each predicted class, where the audit holds enough images of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from budgetal.annotators.audit_errors import AuditErrors
from budgetal.annotators.bounds import audit_labels_needed
from budgetal.annotators.certificate import N_THRESHOLDS, Certificate, certify, first_step, threshold_grid


@dataclass(frozen=True)
class ClassCertificate:
    """What is promised of the images that are predicted as one class.

    n_open, n_audit: such images that no query touched, and audit images among them; risk: the class's share, 0 where
    the audit holds too few of them; first_threshold: the strictest one tested; certificate: None for "not certified".
    """

    target: int
    n_open: int
    n_audit: int
    risk: float
    first_threshold: float | None
    certificate: Certificate | None

    def covers(self, threshold: float | None) -> bool:
        """Whether the class's images at or above this threshold of `threshold_grid` are certified.

        All thresholds that passed hold together, so any between the first and the last that passed will do.
        """
        if threshold is None or self.certificate is None or self.first_threshold is None:
            return False
        return self.certificate.threshold <= threshold <= self.first_threshold

    def bound_at(self, threshold: float | None) -> float | None:
        """What is promised of the class's images at or above a threshold, if they are certified.

        A smaller bound than the tolerance is promised at the last threshold only.
        """
        if self.certificate is None or not self.covers(threshold):
            return None
        own = self.certificate
        return own.upper_bound if threshold == own.threshold else own.tolerance


def more_audit(n_audit: int, errors: int, tolerance: float, risk: float) -> int | None:
    """Audit images of a class that a certificate of it lacks at least, if no further one is wrong.

    n_audit, errors: those that it has. None where they refute the tolerance: a larger audit would show the same.
    """
    if stats.binom.sf(errors - 1, n_audit, tolerance) < risk:
        return None
    return max(1, audit_labels_needed(tolerance, risk, errors) - n_audit)


@dataclass(frozen=True)
class Part:
    """The open images predicted as one class: scores (n,) and audit, as in `certify`."""

    target: int
    scores: NDArray[np.float32]
    audit_rows: NDArray[np.int64]
    audit_wrong: NDArray[np.bool_]
    people: AuditErrors | None

    def thresholds(self, grid: NDArray[np.float64], tolerance: float, risk: float) -> list[float]:
        """The part of the grid that this class tests; empty where the audit is too small for any."""
        n_audit = len(self.audit_rows)
        tolerance = self.people.room(tolerance) if self.people else tolerance
        if tolerance <= 0 or n_audit < audit_labels_needed(tolerance, risk):
            return []
        descending = np.sort(self.scores)[::-1]
        coverages = (self.scores[None, :] >= grid[:, None]).mean(axis=1)
        return [float(value) for value in grid[first_step(descending, coverages, n_audit, tolerance, risk) :]]

    def certify(self, thresholds: Sequence[float], tolerance: float, risk: float) -> Certificate | None:
        """The class's certificate by itself, as from `certify`."""
        return certify(self.scores, self.audit_rows, self.audit_wrong, tolerance, risk, thresholds, self.people)


@dataclass(frozen=True)
class AuditedPool:
    """Every open image, the audit among them: scores, predicted (n,); audit_rows, audit_wrong as in `certify`.

    people: what is assumed of those who answered the audit; None: they are right.
    """

    scores: NDArray[np.float32]
    predicted: NDArray[np.int64]
    audit_rows: NDArray[np.int64]
    audit_wrong: NDArray[np.bool_]
    people: AuditErrors | None = None

    def by_class(self, n_classes: int) -> list[Part]:
        """The images by predicted class, in the order of classes."""
        return [self._part(target) for target in range(n_classes)]

    def _part(self, target: int) -> Part:
        members = np.flatnonzero(self.predicted == target)
        mine = self.predicted[self.audit_rows] == target
        theirs = self.people.part(mine) if self.people else None
        rows = np.searchsorted(members, self.audit_rows[mine])
        return Part(target, self.scores[members], rows, self.audit_wrong[mine], theirs)


def certify_per_class(
    pool: AuditedPool, tolerance: float, risk: float, n_classes: int, n_thresholds: int = N_THRESHOLDS
) -> tuple[ClassCertificate, ...]:
    """One certificate for each predicted class, in the order of classes; together they hold at 1 - risk.

    The audit's images of a predicted class are a uniform sample of all images of that class, so each class is
    certified by itself, from a start of its own on the grid of all images' thresholds. The classes share the risk
    evenly (Bonferroni), so that no class's errors cost another its certificate; only those that the audit could
    certify take part. Which these are follows from scores and the audit's sizes, not from answers.
    """
    ordered = np.sort(pool.scores)[::-1]
    grid = np.array(threshold_grid(ordered, np.arange(1, n_thresholds + 1) / n_thresholds))
    parts = pool.by_class(n_classes)
    sharing = taking_part(parts, [grid] * n_classes, tolerance, risk)
    share = risk / max(1, len(sharing))
    return tuple(_certify(part, grid, tolerance, share if part.target in sharing else 0.0) for part in parts)


def taking_part(parts: Sequence[Part], grids: Sequence[NDArray[np.float64]], tolerance: float, risk: float) -> set[int]:
    """The largest number of classes that can each be certified at an even share of the risk, best supplied first.

    grids: each class's thresholds, strictest first. Only scores and the audit's sizes enter, no answer.
    """
    supplied = sorted(parts, key=lambda part: (-len(part.audit_rows), part.target))
    for n in range(_most_classes(supplied, tolerance, risk), 0, -1):
        able = [part.target for part in supplied if part.thresholds(grids[part.target], tolerance, risk / n)]
        if len(able) >= n:
            return set(able[:n])
    return set()


def _most_classes(supplied: Sequence[Part], tolerance: float, risk: float) -> int:
    """Classes that the audit's size alone does not rule out."""
    return sum(len(part.audit_rows) >= audit_labels_needed(tolerance, risk) for part in supplied)


def _certify(part: Part, grid: NDArray[np.float64], tolerance: float, risk: float) -> ClassCertificate:
    thresholds = part.thresholds(grid, tolerance, risk) if risk else []
    certificate = part.certify(thresholds, tolerance, risk)
    first = thresholds[0] if thresholds else None
    return ClassCertificate(part.target, len(part.scores), len(part.audit_rows), risk, first, certificate)
