"""What is compared: every combination of the axes on every collection, once a seed."""

import hashlib
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from budgetal.errors import ConfigError
from budgetal.types import Json

NAME = "name"
LONGEST_FOLDER_NAME = 80


@dataclass(frozen=True, eq=False)
class Arm:
    """One system under comparison: settings that all its runs share.

    values: the value on each axis, as text.
    """

    name: str
    values: Mapping[str, str]
    settings: Mapping[str, Json]


@dataclass(frozen=True, eq=False)
class Run:
    """One arm on one collection with one seed."""

    collection: str
    dataset: str
    arm: Arm
    seed: int

    @property
    def folder(self) -> str:
        """Name of its folder: readable, and different for different runs."""
        text = f"{self.collection} {self.arm.name} {self.seed}"
        readable = re.sub(r"[^A-Za-z0-9.=+-]+", "-", text).strip("-.")[:LONGEST_FOLDER_NAME]
        return f"{readable}-{hashlib.blake2b(text.encode(), digest_size=3).hexdigest()}"


@dataclass(frozen=True)
class Axis:
    """One thing that varies. options: by the text of each value, the settings that it stands for."""

    name: str
    options: Mapping[str, Mapping[str, Json]]


@dataclass(frozen=True)
class Comparison:
    """The whole of a config file. collections: place by name; targets: accuracies that labels are counted to.

    pool_size: images drawn at random from each collection before anything else; None: all. baseline: name of the arm
    that no other should fall below.
    """

    name: str
    collections: Mapping[str, str]
    seeds: tuple[int, ...]
    settings: Mapping[str, Json]
    axes: tuple[Axis, ...]
    targets: tuple[float, ...] = ()
    pool_size: int | None = None
    baseline: str | None = None
    arms: tuple[Arm, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "arms", tuple(_arms(self.settings, self.axes)))
        names = [arm.name for arm in self.arms]
        if self.baseline is not None and self.baseline not in names:
            raise ConfigError(f"Unknown baseline {self.baseline!r}: name one of {', '.join(names)}")

    def runs(self) -> tuple[Run, ...]:
        """Seed by seed, so that an early look at the results has something of every arm."""
        return tuple(
            Run(name, place, arm, seed)
            for seed in self.seeds
            for name, place in self.collections.items()
            for arm in self.arms
        )


def _arms(settings: Mapping[str, Json], axes: Sequence[Axis]) -> Iterator[Arm]:
    for values in itertools.product(*(axis.options for axis in axes)):
        found = dict(zip((axis.name for axis in axes), values, strict=True))
        chosen = [axis.options[value] for axis, value in zip(axes, values, strict=True)]
        combined = {name: value for option in chosen for name, value in option.items()}
        yield Arm(_arm_name(found, axes), found, {**settings, **combined})


def _arm_name(values: Mapping[str, str], axes: Sequence[Axis]) -> str:
    """What tells this arm from the others; all of it where there is only one."""
    telling = [values[axis.name] for axis in axes if len(axis.options) > 1] or list(values.values())
    return ", ".join(telling) or "all"
