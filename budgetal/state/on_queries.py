"""The events of queries: images are asked about, and no more are."""

import math
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
    if data.get("frame") is not None or data.get("n_planned") is not None:
        _draw_in_frame(state, state.frame or _new_frame(state, data), query, data["passed_over"])
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


def _new_frame(state: State, data: Mapping[str, Any]) -> Frame:
    if data.get("n_planned") is None:
        return Frame(float(data["frame"]))
    state.n_weighted_audits += 1
    return Frame(-math.inf, n_planned=data["n_planned"], number=state.n_weighted_audits - 1)


def _draw_in_frame(state: State, frame: Frame, query: Query, hits: Iterable[str]) -> None:
    """A last audit, or more of it: people's answers leave the open images as those of any query do."""
    state.frame = replace(frame, asked=frame.asked.union(query.sample_ids), hits=frame.hits.union(hits))
    state.last_audit.update(dict.fromkeys(query.sample_ids))
    state.queried.update(query.sample_ids)


def on_stopped(state: State, data: Mapping[str, Any]) -> None:
    """No further label is asked for; open queries are withdrawn."""
    state.stop_reason = cast(str, data["reason"])
    state.open_items.clear()
