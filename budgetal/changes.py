"""Settings and classes changed while a project runs: checked against its state, and as events."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from budgetal import journal, rounds
from budgetal.budget.plan import plan_budget
from budgetal.classes import Change, class_change
from budgetal.config import load_config, make_config, save_config, saved_as_of
from budgetal.errors import ConfigError
from budgetal.opinions import none_to_ask_again
from budgetal.review_list import check_blind
from budgetal.state import State
from budgetal.store.events import NewEvent
from budgetal.validation import OF_CLASSES, check_audit, check_changes, check_money, check_names


def configured(state: State, changes: Mapping[str, Any], annotator: str | None) -> NewEvent:
    """The event of these changes. Raises ConfigError or ProjectError where they do not fit."""
    check_changes(changes)
    _check_fallback(state, changes)
    config = make_config(**{**state.settings.model_dump(), **changes})
    check_names(config)
    plan = plan_budget(config, state.n_samples, state.n_given)
    reopens, replans = rounds.reopens(changes), rounds.replans(state, changes)
    changed = dataclasses.replace(state, config=config)
    if reopens:
        check_blind(changed, plan)
        check_money(changed.ledger)
    if "audit" in changes:
        check_audit(config, len(state.audit), changed.ledger.available)
    return journal.configured(changes, annotator, reopens=reopens, replans=replans)


def _check_fallback(state: State, changes: Mapping[str, Any]) -> None:
    if "strategy" in changes and state.fallback_round is not None:
        raise ConfigError(
            f"Cannot change the strategy to {changes['strategy']!r}: queries are random since round "
            f"{state.fallback_round}, when the guard found the strategy worse"
        )


def classes_changed(
    state: State, change: Change, names: Sequence[str], annotator: str | None, *, ask_again: bool
) -> tuple[NewEvent, ...]:
    """The change's event, then the answers "none of these" that are taken back. Raises ConfigError."""
    changed = journal.classes_changed(class_change(state.settings, change, names), annotator)
    none = none_to_ask_again(state) if ask_again else ()
    return changed, *(journal.item_event("undone", i, state.labels[i].query_id) for i in none)


def changes_in_file(state: State, path: Path) -> dict[str, Any]:
    """What was edited in the settings' file since it was written.

    One that is gone, or was written before the journal's last change (whoever made that was killed), is written again:
    the journal is right, and what a person edited in the old file is still an edit.
    """
    if not path.exists():
        write_settings(state, path)
        return {}
    wanted, current = load_config(path).model_dump(), state.settings.model_dump()
    written = state.settings_after.get(saved_as_of(path), state.settings).model_dump()
    if wanted["classes"] in state.former_classes:
        # A file that does not say when it was written.
        wanted |= {name: current[name] for name in OF_CLASSES}
        written |= {name: current[name] for name in OF_CLASSES}
    edits = {name: value for name, value in wanted.items() if value not in (written[name], current[name])}
    if not edits and wanted != current:
        write_settings(state, path)
    return edits


def write_settings(state: State, path: Path) -> None:
    """Write the settings in force, and after which event they are."""
    save_config(state.settings, path, max(state.settings_after, default=0))
