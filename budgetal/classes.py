"""Changes of the class list while a project runs: what each makes of the settings and of labels given before.

A class that was renamed or merged keeps its old name as another word for the new one, so an answer from a page that
still shows the old list is never lost.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from budgetal.config import Config, class_named
from budgetal.errors import ConfigError
from budgetal.registry import unknown_name
from budgetal.types import NONE_OF_THESE

Change = Literal["add", "rename", "merge"]
LONGEST_NAME = 256
FEWEST = 2


@dataclass(frozen=True)
class ClassChange:
    """classes: the new list, in the order of the model's outputs; renamed: old names and what they are called now."""

    change: Change
    classes: tuple[str, ...]
    renamed: Mapping[str, str] = field(default_factory=dict)


def add(config: Config, name: str) -> ClassChange:
    """One class more, the last output of the next model. Raises ConfigError."""
    _check_new(config, name)
    _check_costs(config, "add a class")
    return ClassChange("add", (*config.classes, name))


def rename(config: Config, name: str, new_name: str) -> ClassChange:
    """Another name for a class; it remains the same output of the model. Raises ConfigError."""
    old = _known(config, name)
    if config.renamed_classes.get(new_name) != old:
        _check_new(config, new_name)
    return ClassChange("rename", tuple(new_name if one == old else one for one in config.classes), {old: new_name})


def merge(config: Config, name: str, into: str) -> ClassChange:
    """All that was `name` is `into` from now on. Raises ConfigError."""
    old, kept = _known(config, name), _known(config, into)
    if old == kept:
        raise ConfigError(f"Cannot merge {name!r} into itself: name two classes")
    if len(config.classes) <= FEWEST:
        raise ConfigError(f"Cannot merge {name!r} into {into!r}: a project needs two classes or more")
    _check_costs(config, "merge classes")
    factors = [config.cost_factor_by_class.get(one, 1.0) for one in (old, kept)]
    if factors[0] != factors[1]:
        raise ConfigError(
            f"Cannot merge {name!r} into {into!r}: their labels cost {factors[0]:g} and {factors[1]:g} times the "
            "price, and what labels have cost cannot change"
        )
    return ClassChange("merge", tuple(one for one in config.classes if one != old), {old: kept})


def class_change(config: Config, change: Change, names: Sequence[str]) -> ClassChange:
    """The change that is meant. Raises ConfigError for names that do not fit, or too many or few of them."""
    n_needed = 1 if change == "add" else 2
    if len(names) != n_needed:
        raise ConfigError(f"To {change} takes {n_needed} class name{'s' * (n_needed > 1)}, but {len(names)} came")
    if change == "add":
        return add(config, names[0])
    return (rename if change == "rename" else merge)(config, names[0], names[1])


def with_change(config: Config, change: ClassChange) -> dict[str, object]:
    """The settings that a change replaces."""
    names = change.renamed
    former = {old: names.get(new, new) for old, new in config.renamed_classes.items()} | dict(names)
    factors = {names.get(name, name): factor for name, factor in config.cost_factor_by_class.items()}
    return {
        "classes": change.classes,
        "renamed_classes": {old: new for old, new in former.items() if old not in change.classes},
        "cost_factor_by_class": factors,
    }


def _known(config: Config, name: str) -> str:
    found = class_named(config, name)
    if found not in config.classes:
        raise ConfigError(unknown_name("class", name, list(config.classes)))
    return found


def _check_new(config: Config, name: str) -> None:
    if not name.strip() or name != name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise ConfigError(f"Cannot call a class {name!r}: 1 to {LONGEST_NAME} printable characters")
    if name == NONE_OF_THESE:
        raise ConfigError(f"No class can be called {name!r}: that answer says that an image is of no class")
    if name in config.classes:
        raise ConfigError(f"There is a class {name!r} already: choose another name, or merge the two")
    if name in config.renamed_classes:
        raise ConfigError(
            f"{name!r} was the name of {config.renamed_classes[name]!r}, and pages may still answer so: choose another"
        )


def _check_costs(config: Config, what: str) -> None:
    if isinstance(config.cost_per_wrong_label, tuple):
        raise ConfigError(f"Cannot {what}: 'cost_per_wrong_label' has a row for each class. Make it one number first")
