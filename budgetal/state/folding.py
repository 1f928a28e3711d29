"""How a journal becomes a state: one function for each kind of event, and nothing else changes a State.

So whatever the journal holds can be rebuilt from it.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from budgetal.errors import ProjectError
from budgetal.state import on_answers, on_classes, on_queries, on_rounds, on_settings
from budgetal.state.holding import State
from budgetal.store.events import Event

HANDLERS: Mapping[str, Callable[[State, Mapping[str, Any]], None]] = {
    "created": on_settings.on_created,
    "configured": on_settings.on_configured,
    "classes_changed": on_classes.on_classes_changed,
    "paused": on_settings.on_paused,
    "resumed": on_settings.on_resumed,
    "indexed": on_settings.on_indexed,
    "asked": on_queries.on_asked,
    "labelled": on_answers.on_labelled,
    "gold_given": on_answers.on_gold_given,
    "skipped": on_answers.on_skipped,
    "undone": on_answers.on_undone,
    "labels_shown": on_answers.on_labels_shown,
    "reviewed": on_answers.on_reviewed,
    "review_undone": on_answers.on_review_undone,
    "epoch_ended": on_rounds.on_epoch_ended,
    "fitted": on_rounds.on_fitted,
    "predicted": on_rounds.on_predicted,
    "judged": on_rounds.on_judged,
    "auto_labelled": on_rounds.on_auto_labelled,
    "round_ended": on_rounds.on_round_ended,
    "stopped": on_queries.on_stopped,
    "finished": on_rounds.on_finished,
}
"""What applies an event of each kind to a state."""


def fold(state: State, events: Iterable[Event]) -> None:
    """Bring `state` up to date with `events`. Raises ProjectError for a kind that this version does not know."""
    for event in events:
        handler = HANDLERS.get(event.kind)
        if handler is None:
            raise ProjectError(
                f"Event {event.seq} is of unknown kind {event.kind!r}: upgrade budgetal to open this project"
            )
        state.seq, state.at_unix_s = event.seq, event.time_unix_s
        handler(state, event.data)
