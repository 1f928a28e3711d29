"""People's answers, skips and undos as events: each checked against a state that is up to date."""

import dataclasses
from collections.abc import Mapping, Sequence

from budgetal import journal, rounds
from budgetal.blindness import may_be_helped
from budgetal.config import Config, class_named
from budgetal.errors import DataError, ProjectError
from budgetal.gold import check_not_gold
from budgetal.opinions import is_asked_of_another, n_unasked
from budgetal.registry import unknown_name
from budgetal.state import GIVEN, State
from budgetal.store.events import Event, NewEvent
from budgetal.types import NONE_OF_THESE, Annotation, Json


def answered(state: State, annotations: Sequence[Annotation]) -> list[NewEvent]:
    """The events of these answers, in order. Raises DataError, ProjectError or BudgetError for what cannot be told."""
    events = [_answer(state, annotation) for annotation in annotations]
    _reserve_unplanned(state, annotations)
    return events


def check_stored(config: Config, events: Sequence[NewEvent], stored: Sequence[Event]) -> None:
    """Raise ProjectError where a key was known already, and stands for another answer."""
    for event, kept in zip(events, stored, strict=True):
        if _as_now(config, kept.data) != event.data:
            raise ProjectError(f"Key {event.key!r} stands for another answer: use a new key for each")


def skipped(state: State, sample_id: str, *, broken: bool) -> NewEvent:
    """The event of an image that nobody can label. Raises ProjectError where it has a label, or is in no query."""
    query_id = _query_id(state, sample_id)
    if sample_id in state.labels and not is_asked_of_another(state, sample_id):
        raise ProjectError(f"Cannot skip image {sample_id}: it has a label. Undo that first.")
    return journal.skipped(sample_id, query_id, broken=broken)


def undone(state: State, sample_id: str) -> NewEvent:
    """The event that takes an image's last answer, or a skip, back.

    Raises ProjectError where there is nothing to take back, BudgetError where the label is no longer paid for.
    """
    query_id = _query_id(state, sample_id)
    if sample_id in state.open_items:
        raise ProjectError(f"Nothing to undo: image {sample_id} has no answer yet")
    if query_id == GIVEN:
        raise ProjectError(f"Image {sample_id} came with its label: tell() a new one to correct it")
    is_skip = sample_id in state.skipped or (sample_id, query_id) in state.skipped_opinions
    if is_skip and not state.is_audit(sample_id):
        state.ledger.reserve(1)
    return journal.item_event("undone", sample_id, query_id)


def _answer(state: State, annotation: Annotation) -> NewEvent:
    config = state.settings
    known = [*config.classes, NONE_OF_THESE]
    label = class_named(config, annotation.label)
    if label not in known:
        raise DataError(unknown_name("label", annotation.label, known))
    query_id = _query_answered(state, annotation)
    check_not_gold(state, annotation.sample_id, query_id)
    named = _named_as_now(config, annotation)
    _check_suggestion(state, named, query_id)
    return journal.labelled(named, query_id)


def _named_as_now(config: Config, annotation: Annotation) -> Annotation:
    """An answer with its classes as they are called now."""
    shown = annotation.suggestion
    suggestion = None if shown is None else class_named(config, shown)
    return dataclasses.replace(annotation, label=class_named(config, annotation.label), suggestion=suggestion)


def _as_now(config: Config, data: Mapping[str, Json]) -> dict[str, Json]:
    """An answer that was stored, with its class as it is called now."""
    names = {name: class_named(config, str(data[name])) for name in ("label", "suggestion") if name in data}
    return {**data, **names}


def _check_suggestion(state: State, annotation: Annotation, query_id: int) -> None:
    if annotation.suggestion is None:
        return
    classes = state.settings.classes
    if annotation.suggestion not in classes:
        raise DataError(unknown_name("suggested label", annotation.suggestion, list(classes)))
    if not may_be_helped(state, annotation.sample_id, query_id):
        raise ProjectError(
            f"Cannot record an answer for image {annotation.sample_id} that was given with a suggestion: people "
            "answer this image by themselves. Show it without one, and send the answer without `suggestion`."
        )


def _query_answered(state: State, annotation: Annotation) -> int:
    """The query of an answer; of one that corrects its giver's own, the query of that."""
    sample_id = annotation.sample_id
    # The truth of a gold image stands first and is no person's, whatever they are called.
    said = state.answers_of(sample_id)[int(sample_id in state.gold) :]
    mine = next((one for one in said if one.annotator == annotation.annotator), None)
    if mine is None or not (is_asked_of_another(state, sample_id) or sample_id in state.opinions):
        return _query_id(state, sample_id)
    if is_asked_of_another(state, sample_id) and mine.label == annotation.label and annotation.key is None:
        raise ProjectError(
            f"Image {sample_id} waits for another person: {annotation.annotator!r} has given this answer already. "
            "Ask with `annotator`, or name somebody else in the annotation."
        )
    return mine.query_id


def _reserve_unplanned(state: State, annotations: Sequence[Annotation]) -> None:
    """Answers for images that were skipped, or whose query was withdrawn, need budget of their own."""
    ids = {annotation.sample_id for annotation in annotations}
    kept = {sample_id for sample_id in state.skipped if state.is_audit(sample_id)}
    paid_for = state.labels.keys() | state.open_items.keys() | kept
    state.ledger.reserve(len(ids - paid_for) + n_unasked(state, annotations))


def _query_id(state: State, sample_id: str) -> int:
    query_id = rounds.query_id_of(state, sample_id)
    if query_id is None:
        raise ProjectError(f"Cannot record an answer for image {sample_id}: it is in no query. Call ask() first.")
    return query_id
