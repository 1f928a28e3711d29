"""What the learner does next while people go on labelling: pure functions of the state and of people's pace.

`rounds` says what is due when everybody waits for the learner. Here nobody waits: the next query is opened while
the last images of the one before are still in people's hands, by the newest model there is.

Nothing here can tell the learner which images are in the audit, or what people said of them. The first model is
trained on the first query once that is answered, whenever that is. Every later one waits until the whole audit is
answered; so which labels it sees may depend on how fast people were with other images, and on nothing of the audit.
"""

import math
from dataclasses import dataclass
from typing import Literal

from budgetal import rounds
from budgetal.budget.plan import BudgetPlan
from budgetal.opinions import opinions_due
from budgetal.state import State
from budgetal.types import Purpose

Step = Literal["fit", "assess", "ask", "stop", "finish", "wait"]
EARLY_ENDS = frozenset({rounds.TARGET, rounds.UNCHANGED})
SLACK = 1.5
"""How much longer than last time the machine may take before people run out of images."""


@dataclass(frozen=True)
class Lead:
    """How far ahead of people the queue is kept.

    n_people: those who label now, each with an image before them. used_up: images they answer while the machine
    trains, predicts and chooses. is_short: somebody came for an image and found none free.
    """

    n_people: int = 1
    used_up: int = 0
    is_short: bool = False

    @property
    def n(self) -> int:
        """Images that must still wait when the machine begins."""
        return max(1, self.n_people) + self.used_up

    def is_reached(self, n_open: int) -> bool:
        """Whether so few images wait that the machine must begin."""
        return self.is_short or n_open <= self.n


def lead_for(n_people: int, labels_per_s: float, machine_s: float, *, is_short: bool = False) -> Lead:
    """The lead at people's pace so far, when the last round took the machine `machine_s`."""
    return Lead(n_people, math.ceil(SLACK * labels_per_s * machine_s), is_short)


def next_step(state: State, plan: BudgetPlan, lead: Lead, n_fresh: int) -> Step:
    """What to do now. n_fresh: labels outside the audit since the newest model was trained."""
    if state.stop_reason is not None:
        return _after_the_end(state, plan)
    # With labels kept for the end, what is in people's hands is answered and learnt before they are asked.
    if rounds.stop_reason(state, plan) in EARLY_ENDS - ({rounds.UNCHANGED} if plan.last_audit else set()):
        return "stop"
    due = rounds.learner_due(state, plan)
    if due == "assess" and _may_assess(state, lead):
        return "assess"
    if due == "fit" and _may_fit(state, plan, lead, n_fresh):
        return "fit"
    if _may_ask(state, plan, lead):
        return "ask"
    return "wait" if state.open_items or due != "nothing" else _at_the_end(state, plan)


def size_ahead(plan: BudgetPlan, lead: Lead) -> int:
    """Images of a later query: a batch, or what people use up while the machine works if that is more."""
    return max(plan.batch, lead.n)


def _after_the_end(state: State, plan: BudgetPlan) -> Step:
    due = rounds.learner_due(state, plan)
    if due != "nothing":
        return due
    return "wait" if state.finished else "finish"


def _at_the_end(state: State, plan: BudgetPlan) -> Step:
    if rounds.last_audit_due(state, plan):
        return "ask"
    return "stop" if rounds.stop_reason(state, plan) is not None else "wait"


def _may_assess(state: State, lead: Lead) -> bool:
    """The first look waits for the audit, whose missing answers count as wrong, until people run out of images."""
    return not _open_audit(state) or len(state.open_items) <= lead.n


def _may_fit(state: State, plan: BudgetPlan, lead: Lead, n_fresh: int) -> bool:
    n_open, n_audit = len(state.open_items), _open_audit(state)
    if state.model is None:
        return n_open == n_audit
    if n_open == 0:
        return True
    if n_audit or not _can_ask_more(state, plan):
        return False
    return n_fresh >= plan.batch or (lead.is_reached(n_open) and 2 * n_fresh >= plan.batch)


def _may_ask(state: State, plan: BudgetPlan, lead: Lead) -> bool:
    """Whether a query can be made, and has to be for nobody to run out of images."""
    if not _can_ask_more(state, plan) or not lead.is_reached(len(state.open_items)):
        return False
    purpose: Purpose = rounds.next_purpose(state, plan)
    return purpose != "round" or state.probs_ref is not None or _nothing_to_learn_from(state, plan)


def _nothing_to_learn_from(state: State, plan: BudgetPlan) -> bool:
    """Every image so far was skipped, say."""
    return not state.open_items and rounds.learner_due(state, plan) == "nothing"


def _can_ask_more(state: State, plan: BudgetPlan) -> bool:
    kept = 0 if rounds.n_to_grow(state) else rounds.n_for_last_audit(state, plan)
    if rounds.stop_reason(state, plan) is not None:
        return False
    has_images = len(state.queried | state.audit.keys()) < state.n_samples or bool(opinions_due(state))
    return state.ledger.available > kept and has_images


def _open_audit(state: State) -> int:
    return sum(state.is_audit(sample_id) for sample_id in state.open_items)
