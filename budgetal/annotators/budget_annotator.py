"""The budget annotator: labels the confident images itself, and says how wrong it can be."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from budgetal.annotators.audit_errors import AuditErrors
from budgetal.annotators.certificate import N_THRESHOLDS, Certificate, certify
from budgetal.annotators.class_thresholds import certify_each_class, together
from budgetal.annotators.per_class import AuditedPool
from budgetal.annotators.proposals import Proposals, from_probabilities
from budgetal.types import RowArray

MOST_PSEUDO_LABELS_PER_HUMAN = 2


@dataclass(frozen=True)
class Audit:
    """Audit images that no query has passed over: rows of the pool and what people answered.

    targets: (a,) class of each, or -1 where a person could give none; those count as wrong. people: how those err
    who answered; None: they are right.
    """

    rows: RowArray
    targets: RowArray
    people: AuditErrors | None = None

    def wrong(self, predicted: RowArray) -> NDArray[np.bool_]:
        """(a,) which of these predictions for its images count as wrong."""
        return self.people.is_wrong(predicted, self.targets) if self.people else predicted != self.targets


@dataclass(frozen=True)
class AutoLabels:
    """Automatic labels by row of the pool, with the promise on them (None: nothing is certified)."""

    rows: RowArray
    targets: RowArray
    certificate: Certificate | None


@dataclass(frozen=True)
class PseudoLabels:
    """Confident predictions that the next round trains on, with their weight in the loss."""

    rows: RowArray
    targets: RowArray
    weights: NDArray[np.float32]


NOTHING = AutoLabels(np.empty(0, np.int64), np.empty(0, np.int64), None)


def auto_label(
    proposals: Proposals,
    open_rows: RowArray,
    audit: Audit,
    tolerance: float,
    risk: float,
    n_thresholds: int = N_THRESHOLDS,
    n_classes: int | None = None,
) -> AutoLabels:
    """Label every open image above the lowest certified score threshold.

    proposals: of the whole pool; open_rows: images no person was asked about, audit included. Audit images
    keep their human labels and are never among the automatic ones. n_classes: for a threshold of its own for each
    class, all of which keep to the tolerance; None: one threshold for all.
    """
    rows, seen = possible(proposals, open_rows, audit)
    positions = np.searchsorted(rows, seen.rows)
    scores, targets = proposals.scores[rows], proposals.targets[rows]
    if not len(rows):
        return NOTHING
    wrong = seen.wrong(targets[positions])
    if n_classes is None:
        certificate = certify(scores, positions, wrong, tolerance, risk, people=seen.people, n_thresholds=n_thresholds)
    else:
        pool = AuditedPool(scores, targets, positions, wrong, seen.people)
        certificate = together(certify_each_class(pool, tolerance, risk, n_classes, n_thresholds), tolerance, risk)
    if certificate is None:
        return NOTHING
    chosen = certificate.reached(scores, targets)
    chosen[positions] = False
    return AutoLabels(rows[chosen], targets[chosen], certificate)


def possible(proposals: Proposals, open_rows: RowArray, audit: Audit) -> tuple[RowArray, Audit]:
    """The open images that may be labelled automatically, and the audit among them.

    Which these are was decided without any audit answer, so that part of the audit is a uniform sample of them.
    """
    if not np.isin(audit.rows, open_rows, assume_unique=True).all():
        raise ValueError("audit rows must be among the open rows: an image was both asked for and audited")
    may = proposals.possible
    kept = may[audit.rows]
    people = audit.people.part(kept) if audit.people else None
    return open_rows[may[open_rows]], Audit(audit.rows[kept], audit.targets[kept], people)


def pseudo_labels(
    probs: NDArray[np.float32], open_rows: RowArray, tolerance: float, weight: float, most: int
) -> PseudoLabels:
    """Predictions sure enough to train on: confidence at least 1 - tolerance, weight × confidence.

    Of more than `most` an even sample is kept, with weights that make up for the others (up to 1, a human
    label's): more rows would cost time and change little. Audit images are treated like all others and audit
    answers play no part. Otherwise the model would depend on the answers that later certify it, and the
    certificate would no longer be exact.
    """
    sure = open_rows[probs[open_rows].max(axis=1) >= 1 - tolerance]
    return weighted_labels(from_probabilities(probs), sure, weight, most)


def weighted_labels(proposals: Proposals, sure: RowArray, weight: float, most: int) -> PseudoLabels:
    """The proposed labels of the rows `sure` to train on, at weight × score, at most `most` of them."""
    # Rows are in the order of content hashes, so evenly spaced ones are a random sample.
    rows = sure[np.linspace(0, len(sure) - 1, most).astype(np.int64)] if len(sure) > most else sure
    share = min(1.0, weight * len(sure) / max(1, len(rows)))
    return PseudoLabels(rows, proposals.targets[rows], (share * proposals.scores[rows]).astype(np.float32))
