"""A threshold of its own for each predicted class: the automatic labels of every class keep to the tolerance."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from budgetal.annotators.certificate import N_THRESHOLDS, Certificate, threshold_grid
from budgetal.annotators.per_class import AuditedPool, ClassCertificate, Part, taking_part


def certify_each_class(
    pool: AuditedPool, tolerance: float, risk: float, n_classes: int, n_thresholds: int = N_THRESHOLDS
) -> tuple[ClassCertificate, ...]:
    """The lowest threshold certified for each predicted class, in the order of classes; all hold together at 1 - risk.

    Each class goes through equal steps of its own coverage, from a start of its own; `share_out` tells at what risk.
    Who takes part, and with which thresholds, follows from scores and the audit's sizes alone.
    """
    parts = pool.by_class(n_classes)
    grids = [_own_grid(part.scores, n_thresholds) for part in parts]
    taking = sorted(taking_part(parts, grids, tolerance, risk))
    share = risk / max(1, len(taking))
    steps = {target: parts[target].thresholds(grids[target], tolerance, share) for target in taking}
    found = share_out([parts[target] for target in taking], steps, tolerance, risk)
    return tuple(_of_class(part, steps.get(part.target), found) for part in parts)


def share_out(
    parts: Sequence[Part], steps: Mapping[int, Sequence[float]], tolerance: float, risk: float
) -> dict[int, tuple[float, Certificate | None]]:
    """By class the share of the risk that it was tested at last, and what is certified of it.

    steps: each class's thresholds, strictest first, one at least. All classes are tested at an even share; one that
    passed all its thresholds has no more use for its own, and the others are tested again at an even share of the
    whole (Holm, Scand. J. Statist. 1979, with a fixed sequence in each class). That is exact: let T be the classes with
    a threshold that must not pass. Until one of these passes falsely, all of T are among those that share, so each
    is tested at risk / |T| at most, and the first false threshold of its sequence passes with that chance at most.

    The bound is the tolerance. Only where every class passed all thresholds is any risk left for smaller ones: then
    either nothing false has passed, or the union above was hit. Each class has an even share of the whole again.
    """
    found, left = dict[int, tuple[float, Certificate | None]](), list(parts)
    while left:
        share, ended = risk / len(left), set[int]()
        for part in left:
            passed = part.certify(steps[part.target], tolerance, share)
            found[part.target] = share, replace(passed, upper_bound=tolerance) if passed else None
            if passed and passed.threshold == steps[part.target][-1]:
                ended.add(part.target)
        if not ended:
            return found
        left = [part for part in left if part.target not in ended]
    return {part.target: _smaller(part, found[part.target], tolerance, risk / len(parts)) for part in parts}


def _smaller(
    part: Part, found: tuple[float, Certificate | None], tolerance: float, share: float
) -> tuple[float, Certificate | None]:
    """What passed, with the bound that its counts give at this share where that is below the tolerance."""
    last = found[1]
    again = part.certify([last.threshold], tolerance, share) if last else None
    return (share, again) if again else found


def _own_grid(scores: NDArray[np.float32], n_thresholds: int) -> NDArray[np.float64]:
    if not len(scores):
        return np.empty(0)
    coverages = np.arange(1, n_thresholds + 1) / n_thresholds
    return np.array(threshold_grid(np.sort(scores)[::-1], coverages))


def _of_class(
    part: Part, steps: Sequence[float] | None, found: Mapping[int, tuple[float, Certificate | None]]
) -> ClassCertificate:
    risk, certificate = found.get(part.target, (0.0, None))
    first = steps[0] if steps else None
    return ClassCertificate(part.target, len(part.scores), len(part.audit_rows), risk, first, certificate)


def together(classes: Sequence[ClassCertificate], tolerance: float, risk: float) -> Certificate | None:
    """One certificate of all classes' automatic labels; None where no class has any.

    Counts are sums, bounds the means of the classes' by their automatic labels: where each class keeps to its
    bound, all labels keep to that. `threshold` is the lowest of any class.
    """
    thresholds = tuple(part.certificate.threshold if part.certificate else None for part in classes)
    own = [part.certificate for part in classes if part.certificate]
    if not own:
        return None
    n_auto = sum(one.n_auto for one in own)
    return Certificate(
        tolerance,
        risk,
        min(tolerance, sum(one.upper_bound * one.n_auto for one in own) / n_auto),
        min(one.threshold for one in own),
        sum(one.n_audit for one in own),
        sum(one.errors for one in own),
        n_auto,
        sum(one.bound_at_threshold * one.n_auto for one in own) / n_auto,
        max(one.audit_error for one in own),
        min(one.detection for one in own),
        thresholds,
    )
