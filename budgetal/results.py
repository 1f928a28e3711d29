"""What comes out of a project: every label with its provenance, and the figures of report.json."""

import platform
import resource
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from budgetal.annotators.after_review import AfterReview
from budgetal.annotators.no_guarantee import LABELLERS
from budgetal.annotators.outliers import Outliers
from budgetal.annotators.proposals import Proposals
from budgetal.consensus import people_table
from budgetal.evidence import proposals_of
from budgetal.export.labels import LabelRow
from budgetal.learner import Learner
from budgetal.reviews import Review
from budgetal.ruling_out import outliers_of
from budgetal.state import State
from budgetal.types import AUTOMATIC, NONE_OF_THESE, Json, Provenance, Sample

VERSIONS_OF = ("budgetal", "torch", "torchvision", "numpy", "scipy", "scikit-learn")


def label_rows(
    state: State, samples: Sequence[Sample], learner: Learner, *, with_waiting: bool = False
) -> list[LabelRow]:
    """One row an image, in row order: people's labels before automatic ones before predictions.

    Images that nobody labelled and no model has seen yet are left out; so are, while the run goes on, those that were
    asked and wait for an answer, be it a second opinion: whoever gives it may read this, and has to be blind.
    with_waiting: these too, for figures of the whole collection that nobody reads who labels.
    """
    waiting = frozenset[str]() if state.finished or with_waiting else _waiting(state)
    probs = learner.space.arrays.get(state.probs_ref) if state.probs_ref else None
    proposals = proposals_of(state, learner.space.arrays)
    automatic = set(learner.auto_labels(state)[0].tolist())
    several = learner.views.labels_of_several(state)
    outliers = outliers_of(state, learner.space.arrays)
    rows = []
    for row, sample in enumerate(samples):
        review = state.reviews.of(sample.sample_id)
        if sample.sample_id in waiting:
            continue
        if sample.sample_id in state.labels:
            rows.append(_human_row(state, sample, several.get(sample.sample_id)))
        elif review is not None:
            rows.append(_reviewed_row(state, sample, review))
        elif sample.sample_id in state.broken:
            rows.append(LabelRow(sample.sample_id, sample.paths, "", "broken image"))
        elif proposals is not None and row in automatic:
            machine = _automatic_row(state, sample, proposals, row)
            rows.append(machine if outliers is None else _with_outlier_score(machine, outliers, row))
        elif probs is not None:
            machine = _predicted_row(state, sample, probs[row])
            rows.append(machine if outliers is None else _with_outlier_score(machine, outliers, row))
    return rows


def _waiting(state: State) -> frozenset[str]:
    return frozenset(state.open_items.keys() | (state.skipped - state.labels.keys() - state.broken))


def _human_row(state: State, sample: Sample, consensus: str | None) -> LabelRow:
    given = state.labels[sample.sample_id]
    label = consensus or given.label
    same = [answer.label == label for answer in state.answers_of(sample.sample_id)]
    query = state.queries.get(given.query_id)
    provenance: Provenance = "audit" if state.is_audit(sample.sample_id) else "human"
    return LabelRow(
        sample.sample_id,
        sample.paths,
        label,
        provenance,
        annotator=given.annotator,
        round=query.round if query else None,
        n_opinions=len(same),
        agreement=sum(same) / len(same),
    )


def _reviewed_row(state: State, sample: Sample, review: Review) -> LabelRow:
    same = [one.label == review.label for one in state.reviews.by_image[sample.sample_id]]
    return LabelRow(
        sample.sample_id,
        sample.paths,
        review.label,
        "human (review)",
        annotator=review.annotator,
        round=review.round,
        n_opinions=len(same),
        agreement=sum(same) / len(same),
    )


def _with_outlier_score(machine: LabelRow, outliers: Outliers, row: int) -> LabelRow:
    """A possible outlier keeps the class that it would have, and is said to be one."""
    provenance: Provenance = "possible outlier" if outliers.possible[row] else machine.provenance
    return replace(machine, provenance=provenance, outlier_score=round(float(outliers.scores[row]), 6))


def _automatic_row(state: State, sample: Sample, proposals: Proposals, row: int) -> LabelRow:
    provenance: Provenance = "auto (no guarantee)" if state.settings.auto_labeller in LABELLERS else "auto"
    return _machine_row(state, sample, provenance, int(proposals.targets[row]), float(proposals.scores[row]))


def _predicted_row(state: State, sample: Sample, probs: NDArray[np.float32]) -> LabelRow:
    return _machine_row(state, sample, "predicted", int(probs.argmax()), float(probs.max()))


def _machine_row(state: State, sample: Sample, provenance: Provenance, target: int, confidence: float) -> LabelRow:
    return LabelRow(
        sample.sample_id,
        sample.paths,
        state.settings.classes[target],
        provenance,
        confidence=round(confidence, 6),
        annotator="budgetal",
        round=state.model_round,
    )


def summarise(
    state: State,
    rows: Sequence[LabelRow],
    truth: Mapping[str, str] | None = None,
    curve: Sequence[float] = (),
    by_class: list[Json] | None = None,
    n_reviewed: int = 0,
    review: AfterReview | None = None,
) -> dict[str, Json]:
    """The content of report.json.

    truth: a simulation's answers, for the true error rates; curve: as from `true_curve`, one value a round;
    by_class: as from `class_table.certificate_by_class`; n_reviewed, review: as from `review_list`.
    """
    config, n_auto = state.settings, (state.auto.n if state.auto else 0) - n_reviewed
    n_audit = sum(state.is_audit(i) for i in state.labels)
    n_of_reviews = sum(i not in state.labels for i in state.reviews.by_image)
    return {
        "n_samples": state.n_samples,
        "n_human_labels": len(state.labels),
        "n_paid_labels": state.n_paid,
        "n_audit_labels": n_audit,
        "n_second_opinions": sum(max(0, len(answers) - 1) for answers in state.opinions.values()),
        "n_gold_images": len(state.gold),
        "annotators": people_table(state),
        "n_reviewed_labels": n_of_reviews,
        "n_auto_labels": n_auto,
        "n_unlabelled": state.n_samples - len(state.labels) - n_of_reviews - n_auto,
        "auto_label_error_true": _true_auto_error(rows, truth),
        "dataset_accuracy_true": _true_accuracy(rows, truth),
        "test_accuracy": state.rounds[-1].test_accuracy if state.rounds else None,
        "certificate": _certificate(state),
        "certificate_by_class": by_class,
        "certificate_after_review": asdict(review) if review else None,
        "rounds": list(_rounds(state, curve)),
        "seconds_total": sum(record.seconds for record in state.rounds),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "seed": config.seed,
        "versions": {"python": platform.python_version(), **{name: version(name) for name in VERSIONS_OF}},
        "budget": config.budget,
        "tolerance": config.tolerance,
        "risk": config.risk,
        "risk_spent": state.risk_spent,
        "classes": list(config.classes),
        "n_quarantined": state.n_quarantined,
        "stop_reason": state.stop_reason,
        "strategy": config.strategy,
        "auto_labeller": config.auto_labeller,
        "confidence": config.confidence,
        "thresholds": config.thresholds,
        "fallback_round": state.felt_fallback,
        "backbone": config.backbone,
    }


def _certificate(state: State) -> dict[str, Json] | None:
    if state.certificate is None:
        return None
    fields = asdict(state.certificate)
    # The promise has the project's risk: every look it may take has a share of that, this one `look_risk`.
    of_all = state.certificate.tolerated if state.certificate.n_all else None
    return {**fields, "risk": state.settings.risk, "look_risk": fields["risk"], "upper_bound_of_all": of_all}


def true_curve(state: State, samples: Sequence[Sample], learner: Learner, truth: Mapping[str, str]) -> list[float]:
    """Share of right labels among the images of the classes after each round; people's are as they are now.

    Empty once the classes changed: what was predicted of others is not kept.
    """
    if any(record.round not in state.probs_refs for record in state.rounds):
        return []
    names = np.array(state.settings.classes)
    targets = np.array([truth[sample.sample_id] for sample in samples])
    since = np.full(len(samples), np.inf)
    ids = list(state.labels)
    queries = (state.queries.get(state.labels[i].query_id) for i in ids)
    by_people = np.zeros(len(samples), dtype=names.dtype)
    several = learner.views.labels_of_several(state)
    by_people[learner.pool.rows(ids)] = [several.get(i) or state.labels[i].label for i in ids]
    since[learner.pool.rows(ids)] = [query.round if query else -1 for query in queries]
    curve = []
    for record in state.rounds:
        predicted = names[learner.space.arrays.get(state.probs_refs[record.round]).argmax(axis=1)]
        right = np.where(since <= record.round, by_people == targets, predicted == targets)
        curve.append(float(right[targets != NONE_OF_THESE].mean()))
    return curve


def _rounds(state: State, curve: Sequence[float]) -> Iterator[dict[str, Json]]:
    for record, accuracy in zip_longest(state.rounds, curve):
        fields = asdict(record)
        del fields["epochs"]
        yield {**fields, "dataset_accuracy_true": accuracy}


def _true_auto_error(rows: Sequence[LabelRow], truth: Mapping[str, str] | None) -> float | None:
    automatic = [row for row in rows if row.provenance in AUTOMATIC]
    if truth is None or not automatic:
        return None
    return sum(row.label != truth[row.sample_id] for row in automatic) / len(automatic)


def _true_accuracy(rows: Sequence[LabelRow], truth: Mapping[str, str] | None) -> float | None:
    """Share of right labels among the images of the classes, people's among them."""
    if truth is None or not rows:
        return None
    of_a_class = [row for row in rows if truth[row.sample_id] != NONE_OF_THESE]
    right = sum(row.label == truth[row.sample_id] for row in of_a_class)
    return right / len(of_a_class) if of_a_class else None
