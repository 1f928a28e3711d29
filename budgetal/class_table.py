"""What the audit says of the automatic labels of each class."""

import numpy as np
from numpy.typing import NDArray

from budgetal.annotators.budget_annotator import possible
from budgetal.annotators.certificate import Certificate
from budgetal.annotators.class_thresholds import certify_each_class
from budgetal.annotators.per_class import AuditedPool, ClassCertificate, certify_per_class, more_audit
from budgetal.annotators.proposals import Proposals
from budgetal.data.pool import Pool
from budgetal.evidence import evidence
from budgetal.state import State
from budgetal.types import Json, RowArray


def certificate_by_class(
    state: State, certificate: Certificate | None, pool: Pool, proposals: Proposals | None
) -> list[Json] | None:
    """One row a predicted class, in the order of classes, at the risk of the certificate; None without one.

    None as well where the audit was drawn by weight: it is no sample of any class.

    All rows hold together at that risk: beside the certificate's own promise, or as that promise where each class has a
    threshold of its own. state: as the look found it.
    """
    if certificate is None or proposals is None or certificate.n_all is not None:
        return None
    rests_on, settings = evidence(state, pool, proposals), state.settings
    rows, seen = possible(proposals, rests_on.open_rows, rests_on.audit)
    scores, predicted = proposals.scores[rows], proposals.targets[rows]
    audit = np.searchsorted(rows, seen.rows)
    wrong = seen.wrong(predicted[audit])
    terms = settings.tolerance, certificate.risk, len(settings.classes)
    by_class = certify_per_class if certificate.class_thresholds is None else certify_each_class
    found = by_class(AuditedPool(scores, predicted, audit, wrong, seen.people), *terms, state.n_thresholds)
    in_force = certificate.class_thresholds or (certificate.threshold,) * len(found)
    counts = _counts(predicted, certificate.reached(scores, predicted), audit, wrong, len(found))
    # A class without a share of the risk would have to share with all that have one.
    least = certificate.risk / (1 + sum(part.risk > 0 for part in found))
    return [
        _row(settings.classes[part.target], part, threshold, tuple(counts[part.target].tolist()))
        | {"more_audit": _lacking(part, threshold, wrong[predicted[audit] == part.target], terms[0], least)}
        for part, threshold in zip(found, in_force, strict=True)
    ]


def _counts(
    predicted: NDArray[np.int64], above: NDArray[np.bool_], audit: RowArray, wrong: NDArray[np.bool_], n_classes: int
) -> NDArray[np.int64]:
    """Automatic labels, audit images and errors among these, by class, at or above the threshold: (m, 3)."""
    everything = np.bincount(predicted[above], minlength=n_classes)
    sampled = np.bincount(predicted[audit[above[audit]]], minlength=n_classes)
    errors = np.bincount(predicted[audit[above[audit] & wrong]], minlength=n_classes)
    return np.stack([everything - sampled, sampled, errors], axis=1)


def _lacking(
    part: ClassCertificate, threshold: float | None, wrong: NDArray[np.bool_], tolerance: float, risk: float
) -> int | None:
    """Audit images of the class that are missing; None where it is certified or errs too often. wrong: of its own."""
    if part.covers(threshold):
        return None
    return more_audit(len(wrong), int(wrong.sum()), tolerance, part.risk or risk)


def _row(name: str, part: ClassCertificate, threshold: float | None, counts: tuple[int, ...]) -> dict[str, Json]:
    """`certified` is about the labels in force; `own_…` about the lowest threshold certified for the class alone.

    threshold: in force for the class; None: it has no automatic labels.
    """
    n_auto, n_audit, errors = counts
    own, certified = part.certificate, n_auto > 0 and part.covers(threshold)
    return {
        "class": name,
        "n_auto": n_auto,
        "n_audit": n_audit,
        "errors": errors,
        "certified": certified,
        "upper_bound": part.bound_at(threshold) if certified else None,
        "look_risk": part.risk,
        "own_threshold": own.threshold if own else None,
        "own_n_auto": own.n_auto if own else 0,
    }
