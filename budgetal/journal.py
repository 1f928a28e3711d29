"""The events that a project writes, built in one place. `state/` reads them back."""

from collections.abc import Mapping
from dataclasses import asdict

from budgetal.annotators.certificate import Certificate
from budgetal.annotators.guard import Verdict
from budgetal.classes import ClassChange
from budgetal.config import Config
from budgetal.store.events import NewEvent
from budgetal.types import Annotation, EpochRecord, FittedModel, Json, Purpose


def created(config: Config, simulated: Mapping[str, Json] | None = None) -> NewEvent:
    """The first event of every journal. simulated: how the people are played, where none take part."""
    played = None if simulated is None else dict(simulated)
    return NewEvent("created", {"config": config.model_dump(mode="json"), "simulated": played}, "created")


def indexed(facts: Mapping[str, Json]) -> NewEvent:
    """Which images the collection has: the index's hash and counts."""
    return NewEvent("indexed", facts, "indexed")


def asked(
    query_id: int,
    purpose: Purpose,
    round: int,
    sample_ids: tuple[str, ...],
    passed_over: tuple[str, ...] = (),
    weights: Mapping[str, float] | None = None,
    frame: float | None = None,
    n_planned: int | None = None,
) -> NewEvent:
    """A query: images to label, and audit images that the draw came past.

    frame: the lowest score of a last audit; n_planned: draws that one by weight is planned to have.
    """
    return NewEvent(
        "asked",
        {
            "query": query_id,
            "purpose": purpose,
            "round": round,
            "sample_ids": list(sample_ids),
            "passed_over": list(passed_over),
            "weights": dict(weights or {}),
            "frame": frame,
            "n_planned": n_planned,
        },
    )


def labelled(annotation: Annotation, query_id: int) -> NewEvent:
    """One answer of one person; `suggestion` only where the model's guess was shown with the image."""
    data: dict[str, Json] = {
        "sample_id": annotation.sample_id,
        "label": annotation.label,
        "annotator": annotation.annotator,
        "query": query_id,
    }
    if annotation.suggestion is not None:
        data["suggestion"] = annotation.suggestion
    # A name space of its own: no key that a client makes up can meet one of ours.
    return NewEvent("labelled", data, f"label-{annotation.key}" if annotation.key else None)


def gold_given(labels: Mapping[str, str], annotator: str) -> NewEvent:
    """The truth of gold images by sample id. annotator: who gave it."""
    return NewEvent("gold_given", {"labels": dict(labels), "annotator": annotator})


def item_event(kind: str, sample_id: str, query_id: int) -> NewEvent:
    """An image skipped, or an answer undone."""
    return NewEvent(kind, {"sample_id": sample_id, "query": query_id})


def reviewed(annotation: Annotation, automatic: str, round: int) -> NewEvent:
    """One person's word on the automatic label of an image, by the model of `round`."""
    data: dict[str, Json] = {
        "sample_id": annotation.sample_id,
        "label": annotation.label,
        "annotator": annotation.annotator,
        "automatic": automatic,
        "round": round,
    }
    return NewEvent("reviewed", data, f"review-{annotation.key}" if annotation.key else None)


def review_undone(sample_id: str, annotator: str) -> NewEvent:
    """A person's review taken back."""
    return NewEvent("review_undone", {"sample_id": sample_id, "annotator": annotator})


def classes_changed(change: ClassChange, annotator: str | None) -> NewEvent:
    """Another class list. annotator: who changed it."""
    data: dict[str, Json] = {
        "change": change.change,
        "classes": list(change.classes),
        "renamed": dict(change.renamed),
        "annotator": annotator,
    }
    return NewEvent("classes_changed", data)


def configured(changes: Mapping[str, Json], annotator: str | None, *, reopens: bool, replans: bool) -> NewEvent:
    """Settings that are changed under way. annotator: who changed them.

    reopens: whether a run that has ended goes on; replans: whether its next end counts as chosen.
    """
    data = {"changes": dict(changes), "annotator": annotator, "reopens": reopens, "replans": replans}
    return NewEvent("configured", data)


def stopped(reason: str, annotator: str | None = None) -> NewEvent:
    """No further label is asked for. annotator: who ended the run; None: it came to its end by itself."""
    return NewEvent("stopped", {"reason": reason, "annotator": annotator})


def skipped(sample_id: str, query_id: int, *, broken: bool) -> NewEvent:
    """An image that nobody can label; broken: because there is nothing to see."""
    reason: dict[str, Json] = {"reason": "broken"} if broken else {}
    return NewEvent("skipped", {"sample_id": sample_id, "query": query_id, **reason})


def epoch_ended(round: int, epoch: EpochRecord, n_class_changes: int = 0) -> NewEvent:
    """Losses while training runs; the key makes a repeated fit write them once.

    n_class_changes: so far; a fit of a round that was fitted before they changed is another fit.
    """
    key = f"epoch-{round}-{epoch.epoch}" + (f"-{n_class_changes}" if n_class_changes else "")
    return NewEvent("epoch_ended", {"round": round, **asdict(epoch)}, key)


def fitted(round: int, model: FittedModel, up_to_seq: int) -> NewEvent:
    """A model trained on every label up to event `up_to_seq`."""
    return NewEvent(
        "fitted",
        {
            "round": round,
            "weights": model.weights_ref,
            "temperature": model.temperature,
            "train_loss": model.train_loss,
            "extra": dict(model.extra),
            "up_to_seq": up_to_seq,
        },
    )


def predicted(
    round: int,
    probs_ref: str,
    embeddings_ref: str,
    proposals_ref: str | None = None,
    outliers: Mapping[str, Json] | None = None,
) -> NewEvent:
    """What the round's model says of the pool, as stored arrays; without proposals they are the probabilities'.

    outliers: `scores`, a ref, and `threshold`, above which an image is a possible outlier; None: nobody looked.
    """
    refs = {"probs": probs_ref, "embeddings": embeddings_ref, "proposals": proposals_ref}
    return NewEvent("predicted", {"round": round, **refs, "outliers": dict(outliers) if outliers else None})


def judged(round: int, verdict: Verdict) -> NewEvent:
    """How the strategy did against random labels; `worse` means that queries are random from now on."""
    return NewEvent("judged", {"round": round, **asdict(verdict), "worse": verdict.worse})


def auto_labelled(
    round: int,
    labels_ref: str,
    counts: tuple[int, int, int],
    certificate: Certificate | None,
    risk_spent: float,
    *,
    final: bool,
) -> NewEvent:
    """The automatic labels in force from now on. counts: all, added, taken back; final: the run has ended."""
    n, n_added, n_taken_back = counts
    return NewEvent(
        "auto_labelled",
        {
            "round": round,
            "labels": labels_ref,
            "n": n,
            "n_added": n_added,
            "n_taken_back": n_taken_back,
            "certificate": asdict(certificate) if certificate else None,
            "risk_spent": risk_spent,
            "final": final,
        },
    )
