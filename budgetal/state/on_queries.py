"""The events of queries: images are asked about, and no more are."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

from budgetal.state.holding import State
from budgetal.types import Frame, Query


def on_asked(state: State, data: Mapping[str, Any]) -> None:
    """A query is made."""
    query = Query(data["query"], data["purpose"], data["round"], tuple(data["sample_ids"]))
    _open(state, query)
    state.passed_over.update(data.get("passed_over", ()))
    if data.get("frame") is not None:
        _draw_in_frame(state, Frame(float(data["frame"]), n_planned=data.get("planned")), query, data["passed_over"])
    elif query.purpose == "opinion":
        state.n_opinions_asked.update(query.sample_ids)
    else:
        state.frame = None
        (state.audit.update if query.purpose == "audit" else state.queried.update)(dict.fromkeys(query.sample_ids))
    if data.get("weights"):
        state.strategy_weights[query.round] = data["weights"]


def _open(state: State, query: Query) -> None:
    """Its images wait for answers."""
    was_felt = state.felt_fallback is not None
    state.queries[query.query_id] = query
    if state.felt_fallback is not None and not was_felt:
        # From here on the run is another outcome of the guard, whose looks have shares of their own.
        state.rounds_looked_at.clear()
    state.open_items.update(dict.fromkeys(query.sample_ids, query.query_id))


def _draw_in_frame(state: State, new: Frame, query: Query, hits: Iterable[str]) -> None:
    """A last audit, or more of it: people's answers leave the open images as those of any query do."""
    frame = state.frame or new
    state.frame = replace(frame, asked=frame.asked.union(query.sample_ids), hits=frame.hits.union(hits))
    state.last_audit.update(dict.fromkeys(query.sample_ids))
    state.queried.update(query.sample_ids)


def on_stopped(state: State, data: Mapping[str, Any]) -> None:
    """No further label is asked for; open queries are withdrawn."""
    state.stop_reason = cast(str, data["reason"])
    state.open_items.clear()
