"""The events of the machine's part of a round: fits, predictions, verdicts, automatic labels, figures."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from budgetal.annotators.certificate import read_certificate
from budgetal.state.holding import State
from budgetal.state.records import AutoLabelRef, OutliersRef, RoundRecord
from budgetal.types import EpochRecord, FittedModel


def on_epoch_ended(state: State, data: Mapping[str, Any]) -> None:
    """An epoch, or a block of solver iterations, is over."""
    record = EpochRecord(data["epoch"], data["train_loss"], data["train_accuracy"])
    earlier = state.epochs.get(data["round"], {})
    # A number that is no higher is of another fit: the classes have changed since.
    goes_on = not earlier or record.epoch > max(earlier)
    state.epochs[data["round"]] = {**(earlier if goes_on else {}), record.epoch: record}


def on_fitted(state: State, data: Mapping[str, Any]) -> None:
    """A model is trained."""
    state.model = FittedModel(data["weights"], data["temperature"], data["train_loss"], extra=data["extra"])
    state.model_round = data["round"]
    state.frame = None
    state.trained_up_to_seq = data["up_to_seq"]


def on_predicted(state: State, data: Mapping[str, Any]) -> None:
    """The model has predicted the pool."""
    state.probs_refs[data["round"]] = data["probs"]
    state.embeddings_ref = data["embeddings"]
    # Older journals name none: their proposals are the most probable classes.
    state.proposals_ref = data.get("proposals")
    found = data.get("outliers")
    state.outliers = OutliersRef(**found) if found else None


def on_judged(state: State, data: Mapping[str, Any]) -> None:
    """The guard has compared the strategy with random labels."""
    if data["worse"] and state.fallback_round is None:
        state.fallback_round = data["round"]


def on_auto_labelled(state: State, data: Mapping[str, Any]) -> None:
    """Automatic labels are computed afresh."""
    refs = data["labels"], state.probs_ref, state.proposals_ref
    state.look_refs = frozenset(ref for ref in refs if ref is not None)
    counts = data["n"], data["n_added"], data["n_taken_back"]
    state.auto = AutoLabelRef(data["labels"], *counts, state.seq, len(state.labels))
    state.certificate = read_certificate(data["certificate"])
    state.risk_spent += data["risk_spent"]
    if data["risk_spent"] and not data["final"]:
        state.rounds_looked_at.add(data["round"])
    state.n_final_looks += data["final"]
    if data["risk_spent"] and state.frame is not None and state.frame.n_planned is not None:
        state.n_weighted_audits_paid = state.n_weighted_audits


def on_round_ended(state: State, data: Mapping[str, Any]) -> None:
    """A round is measured."""
    epochs = tuple(state.epochs.get(data["round"], {}).values())
    record = RoundRecord(**data)
    state.rounds.append(replace(record, epochs=epochs))


def on_finished(state: State, _data: Mapping[str, Any]) -> None:
    """The final certificate is issued."""
    state.finished = True
