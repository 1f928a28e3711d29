"""The event of a changed class list: what people said follows it, what a model said is forgotten."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from budgetal.classes import ClassChange, with_change
from budgetal.config import make_config
from budgetal.state.holding import State
from budgetal.state.records import HumanLabel
from budgetal.state.votes import count_votes


def on_classes_changed(state: State, data: Mapping[str, Any]) -> None:
    """A class is added, renamed or merged into another."""
    change = ClassChange(data["change"], tuple(data["classes"]), data["renamed"])
    state.former_classes.append(state.settings.classes)
    state.n_class_changes += 1
    state.config = make_config(**{**state.settings.model_dump(), **with_change(state.settings, change)})
    state.settings_after[state.seq] = state.config
    if change.renamed:
        _relabel(state, change.renamed)
    if change.change != "rename":
        _forget_model(state)


def _relabel(state: State, names: Mapping[str, str]) -> None:
    """Labels of the past as they are called now."""
    state.labels = {i: _renamed(label, names) for i, label in state.labels.items()}
    state.opinions = {i: [_renamed(one, names) for one in given] for i, given in state.opinions.items()}
    for sample_id in state.opinions:
        count_votes(state, sample_id)
    state.reviews.rename(names)
    paid, state.paid = state.paid, Counter()
    for kind, n in paid.items():
        state.paid[kind._replace(label=names.get(kind.label, kind.label))] += n


def _renamed(answer: HumanLabel, names: Mapping[str, str]) -> HumanLabel:
    return replace(answer, label=names.get(answer.label, answer.label))


def _forget_model(state: State) -> None:
    """What was predicted was predicted of other classes: a new fit is due, and a new look."""
    state.model, state.model_round = None, len(state.rounds) - 1
    state.probs_refs, state.proposals_ref, state.outliers = {}, None, None
    state.auto, state.certificate = None, None
    state.last_label_seq, state.finished = state.seq, False
