"""What is due next in a project: pure functions of its state. `project.py` carries them out."""

from collections.abc import Collection
from dataclasses import replace
from typing import Literal

from budgetal.answers import classed, outside_audit
from budgetal.budget.plan import BudgetPlan
from budgetal.opinions import (
    kept_for_the_end,
    opinions_a_training_image,
    opinions_an_audit_image,
    opinions_due,
    people_of,
)
from budgetal.query.stopping import stable, target_reached
from budgetal.state import State
from budgetal.types import Purpose, Query

TARGET = "target reached"
SPENT = "budget spent"
UNCHANGED = "predictions no longer change"
NOTHING_LEFT = "every image was asked"
SHOWN = "the audit shows the tolerance"
PLANNED_ENDS = frozenset({SPENT, UNCHANGED, NOTHING_LEFT, SHOWN})
"""Ends that no certificate seen on the way can bring about, or whose certificate holds whenever one looks."""

BESIDE_THE_RUN = frozenset({"review_budget", "cost_per_compute_hour", "cost_per_wrong_label", "map"})
"""Settings that decide nothing of what is asked, trained or certified."""

Due = Literal["fit", "assess", "nothing"]


def open_query(state: State) -> Query | None:
    """What is left of the oldest query with an unanswered image."""
    if not state.open_items:
        return None
    return _left_of(state, min(state.open_items.values()))


def open_query_for(state: State, annotator: str) -> Query | None:
    """What this person can answer of the oldest open query in which there is anything for them."""
    for query_id in sorted(set(state.open_items.values())):
        query = _left_of(state, query_id)
        mine = tuple(i for i in query.sample_ids if annotator not in query.not_by.get(i, ()))
        if mine:
            return replace(query, sample_ids=mine)
    return None


def _left_of(state: State, query_id: int) -> Query:
    query = state.queries[query_id]
    left = tuple(i for i in query.sample_ids if state.open_items.get(i) == query_id)
    answered = {i: people_of(state, i) for i in left} if query.purpose == "opinion" else {}
    return replace(query, sample_ids=left, not_by=answered)


def next_purpose(state: State, plan: BudgetPlan) -> Purpose:
    """The first query comes before the audit: training can begin while people label the audit.

    Further opinions are asked for as soon as a query is answered, before anything is trained.
    """
    if opinions_due(state):
        return "opinion"
    if plan.initial and state.query_of("initial") is None:
        return "initial"
    if plan.audit and not state.first_audit:
        return "audit"
    return "audit" if n_to_grow(state) else "round"


def n_to_grow(state: State) -> int:
    """Labels by which the audit is smaller than the setting `audit`, which was raised since it was drawn."""
    if not state.first_audit or state.settings.audit is None:
        return 0
    n_open = state.n_samples - len(state.queried | state.passed_over | set(state.audit))
    affordable = state.ledger.available // opinions_an_audit_image(state.settings)
    return max(0, min(state.settings.audit - len(state.audit), n_open, affordable))


def n_for_last_audit(state: State, plan: BudgetPlan) -> int:
    """Labels that are still kept for the end."""
    return min(kept_for_the_end(state), state.ledger.available) if plan.last_audit else 0


def last_audit_due(state: State, plan: BudgetPlan) -> bool:
    """Whether the run has come to a planned end with labels kept for it and a model that is judged."""
    is_judged = bool(state.rounds) and learner_due(state, plan) == "nothing"
    at_end = state.stop_reason is None and stop_reason(state, plan) in PLANNED_ENDS
    return is_judged and at_end and n_for_last_audit(state, plan) > 0


def query_size(state: State, plan: BudgetPlan, purpose: Purpose, n: int | None) -> int:
    """Labels to ask for, within what is left of the budget.

    The first query and the audit are as large as planned, whoever asks for `n` of them at a time.
    """
    if purpose == "opinion":
        return len(opinions_due(state))
    planned = {"initial": plan.initial, "audit": n_to_grow(state) or plan.audit, "round": n or plan.batch}
    kept = n_for_last_audit(state, plan) if purpose == "round" else 0
    # The last images have fewer opinions where the budget does not go up.
    each = opinions_an_audit_image(state.settings) if purpose == "audit" else opinions_a_training_image(state.settings)
    return min(planned[purpose], -(-(state.ledger.available - kept) // each))


def learner_due(state: State, plan: BudgetPlan) -> Due:
    """Whether the round at hand has to be fitted, or was fitted and not judged yet."""
    # A run that ended before its audit still gets a model from what people labelled.
    ended = state.stop_reason is not None or state.ledger.available == n_for_last_audit(state, plan)
    if next_purpose(state, plan) != "round" and not ended:
        return "nothing"
    if state.model_round == len(state.rounds):
        return "assess"
    # Where every answer so far is "none of these", nothing can be fitted yet: people are asked for more.
    return "fit" if state.has_fresh_labels and classed(state, outside_audit(state)) else "nothing"


def stop_reason(state: State, plan: BudgetPlan) -> str | None:
    """Why no further label should be asked for to train on, or None."""
    if n_to_grow(state):
        return None
    config = state.settings
    coverage = state.rounds[-1].coverage if state.rounds else None
    if target_reached(coverage, config.target_coverage):
        return TARGET
    agreements = [record.agreement or 0.0 for record in state.rounds]
    if config.plateau_rounds and stable(agreements, config.plateau_rounds):
        return UNCHANGED
    if state.ledger.available == n_for_last_audit(state, plan):
        return SPENT
    if len(state.queried | set(state.audit)) == state.n_samples and not opinions_due(state):
        return NOTHING_LEFT
    return None


def ended_as_planned(state: State) -> bool:
    """Whether nobody can have chosen the end by what a certificate on the way showed."""
    return state.stop_reason in PLANNED_ENDS and not state.replanned


def reopens(changes: Collection[str]) -> bool:
    """Whether a run that has ended goes on once these settings are changed; without any it does."""
    return not changes or not BESIDE_THE_RUN.issuperset(changes)


def replans(state: State, changes: Collection[str]) -> bool:
    """Whether the next end counts as chosen once these settings are changed; without any the plan stays as it was.

    Under way any change may be a way to stop while a certificate looks good. After a planned end it is a new plan, and
    its look has a share of its own. After a chosen end it is not, a larger budget either: what was seen would have
    decided at which of two planned ends there is a look, and they have one share between them.
    """
    if not state.finished:
        return bool(state.rounds)
    return not ended_as_planned(state) and (state.replanned or bool(changes))


def query_id_of(state: State, sample_id: str) -> int | None:
    """The query in which an image was asked last, or that of its label; None for one nobody was asked about."""
    if sample_id in state.open_items:
        return state.open_items[sample_id]
    skips = [query_id for skipped, query_id in state.skipped_opinions if skipped == sample_id]
    if told := [*skips, *(answer.query_id for answer in state.answers_of(sample_id)[-1:])]:
        return max(told)
    asked_in = (query.query_id for query in reversed(state.queries.values()) if sample_id in query.sample_ids)
    return next(asked_in, None)
