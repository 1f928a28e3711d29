"""The events of a project's settings, images and pauses."""

from collections.abc import Mapping
from typing import Any

from budgetal.annotators.certificate import EARLIER_N_THRESHOLDS, N_THRESHOLDS
from budgetal.config import make_config
from budgetal.state.holding import State


def on_created(state: State, data: Mapping[str, Any]) -> None:
    """A project is made."""
    state.config = state.settings_after[state.seq] = make_config(**data["config"])
    state.simulated = data.get("simulated")
    # Before there was a guard, all of the risk was promised to other looks: nothing is left to pay a verdict with.
    state.has_guard_share = "guard" in data["config"]
    # The settings tell how many thresholds this project's looks have gone through since it was made.
    state.n_thresholds = N_THRESHOLDS if "last_audit" in data["config"] else EARLIER_N_THRESHOLDS


def on_configured(state: State, data: Mapping[str, Any]) -> None:
    """A setting is changed."""
    state.config = make_config(**{**state.settings.model_dump(), **data["changes"]})
    state.settings_after[state.seq] = state.config
    if not data.get("reopens", True):
        return
    # Older journals do not say: a change under way may be a way to stop while a certificate looks good.
    state.replanned = data.get("replans", bool(state.rounds) and not state.finished)
    state.stop_reason, state.finished = None, False


def on_indexed(state: State, data: Mapping[str, Any]) -> None:
    """The images are read."""
    state.index_ref = data["index"]
    state.n_samples, state.n_quarantined = data["n_samples"], data["n_quarantined"]


def on_paused(state: State, _data: Mapping[str, Any]) -> None:
    """No image is handed out until the project goes on."""
    state.paused = True


def on_resumed(state: State, _data: Mapping[str, Any]) -> None:
    """The project goes on after a pause."""
    state.paused = False
