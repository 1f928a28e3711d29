"""Where a project stands and how it went: the figures of the pages, as records."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from budgetal.state import State
from budgetal.types import Json
from budgetal.web.records import CertificateInfo, LearnerStatus, Standing


def standing(state: State, learner: Mapping[str, Json] | None) -> Standing:
    """Counts, budget, certificate and what the learner does."""
    config = state.settings
    last = state.rounds[-1] if state.rounds else None
    n_auto = state.auto.n if state.auto else 0
    return Standing(
        seq=state.seq,
        n_samples=state.n_samples,
        budget=config.budget,
        n_paid=state.n_paid,
        n_left=_n_left(state),
        n_human=len(state.labels),
        n_auto=n_auto,
        n_open=len(state.open_items),
        n_rounds=len(state.rounds),
        coverage=_coverage(state),
        audit_accuracy=last.audit_accuracy if last else None,
        test_accuracy=last.test_accuracy if last else None,
        certificate=_certificate(state),
        tolerance=config.tolerance,
        strategy=state.strategy,
        stop_reason=state.stop_reason,
        finished=state.finished,
        paused=state.paused,
        learner=LearnerStatus.model_validate(learner) if learner is not None else None,
    )


def _n_left(state: State) -> int:
    """Labels that may still be given, those that are asked for among them; with prices, at least so many.

    Every answer counts as one at the highest price. Were it to count at its own, the figure would fall by less than one
    at a cheap class, but never so at an audit answer, whose price counts as the highest: people could tell them apart.
    """
    ledger = state.ledger
    left = ledger.budget_labels - ledger.spent
    if ledger.budget_money is not None and ledger.prices.highest > 0:
        left = min(left, math.floor(ledger.budget_money / ledger.prices.highest + 1e-6) - ledger.spent)
    return max(left, ledger.reserved)


def _coverage(state: State) -> float:
    """Share labelled by people or automatically, as of the newest automatic labels.

    Answers since would count twice where an image had been labelled automatically before. Were each looked up, the
    figure would tell whoever answers which images the model left to people, and those of an audit are drawn without it.
    """
    if state.auto is None:
        return len(state.labels) / max(1, state.n_samples)
    return (state.auto.n_human + state.auto.n) / max(1, state.n_samples)


def rounds_of(state: State) -> list[dict[str, Any]]:
    """One record a finished round, without its epochs."""
    return [{name: value for name, value in asdict(record).items() if name != "epochs"} for record in state.rounds]


def epochs_of(state: State) -> list[dict[str, Any]]:
    """One record an epoch, of the round under way too."""
    return [{"round": round, **asdict(epoch)} for round, epochs in state.epochs.items() for epoch in epochs.values()]


def n_answers_of(state: State) -> dict[str, int]:
    """How many answers each person gave that were paid for, by name."""
    counts: Counter[str] = Counter()
    for paid, n in state.paid.items():
        counts[paid.annotator] += n
    return {name: n for name, n in counts.items() if n}


def annotators_of(state: State) -> list[str]:
    """Everybody whose answers count."""
    return list(n_answers_of(state))


def _certificate(state: State) -> CertificateInfo | None:
    found = state.certificate
    if found is None:
        return None
    confidence = 1 - state.settings.risk
    return CertificateInfo(
        n_auto=found.n_auto,
        upper_bound=found.upper_bound,
        upper_bound_of_all=found.tolerated if found.n_all else None,
        confidence=confidence,
        n_audit=found.n_audit,
        errors=found.errors,
    )
