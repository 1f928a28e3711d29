"""Reading a comparison's TOML file: each mistake is one clear line before anything runs."""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from budgetal.compare.plan import NAME, Axis, Comparison
from budgetal.config import Config, make_config
from budgetal.data.named import NAMES
from budgetal.data.sources import find_splits
from budgetal.errors import ConfigError
from budgetal.registry import unknown_name
from budgetal.types import Json
from budgetal.validation import check_names

KEYS = ("name", "dataset", "seeds", "targets", "pool_size", "baseline", "settings", "axes")
PEOPLE = ("noise", "annotators")
"""Of simulated people; all other settings are a project's."""
BY_THE_COMPARISON = {"images": "dataset", "seed": "seeds", "classes": "dataset"}
PLAIN = ("strategy", "backbone", "auto_labeller", "confidence", "finetune")
"""Settings whose values speak for themselves: elsewhere the setting's name stands before them."""


def load_comparison(path: Path, n_seeds: int | None = None) -> Comparison:
    """Read and check a config file. n_seeds: in place of the file's.

    Text may name environment variables, as `$DATA/mnist`. Raises ConfigError, one line, for whatever is wrong.
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"Cannot read {path}: {error}") from None
    comparison = _comparison(_expanded(found), path.stem, n_seeds)
    for arm in comparison.arms:
        _check_arm(comparison, arm.name, arm.settings)
    return comparison


def _comparison(found: dict[str, Any], stem: str, n_seeds: int | None) -> Comparison:
    for key in found:
        if key not in KEYS:
            raise ConfigError(unknown_name("key", key, list(KEYS)))
    settings = _table(found, "settings")
    _check_setting_names(settings)
    return Comparison(
        name=_text(found.get("name", stem), "name"),
        collections=_collections(found.get("dataset")),
        seeds=_seeds(found.get("seeds", 5) if n_seeds is None else n_seeds),
        settings=settings,
        axes=_axes(_table(found, "axes"), settings),
        targets=_targets(found.get("targets", [])),
        pool_size=_pool_size(found.get("pool_size")),
        baseline=None if found.get("baseline") is None else _text(found["baseline"], "baseline"),
    )


def _expanded(value: Any) -> Any:
    """Every text with its environment variables filled in."""
    if isinstance(value, dict):
        return {key: _expanded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_expanded(item) for item in value]
    if not isinstance(value, str):
        return value
    text = os.path.expandvars(value)
    unset = re.search(r"\$\{?(\w+)", text)
    if unset:
        raise ConfigError(f"{value!r} names {unset[1]}, which is not set: run it as {unset[1]}=… budgetal compare …")
    return text


def _table(found: Mapping[str, Any], key: str) -> dict[str, Any]:
    table = found.get(key, {})
    if not isinstance(table, dict):
        raise ConfigError(f"Key {key!r} cannot be {table!r}: write a table, [{key}]")
    return table


def _text(value: Any, key: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(f"Key {key!r} cannot be {value!r}: write a text")
    return value


def _collections(value: Any) -> dict[str, str]:
    """By name: that of the last folder, or the data set's."""
    places = value if isinstance(value, list) else [value]
    if not places or not all(isinstance(place, str) and place for place in places):
        raise ConfigError(f"Key 'dataset' cannot be {value!r}: name a data set, a folder, or a list of these")
    found = {Path(place).name: place for place in places}
    if len(found) < len(places):
        raise ConfigError(f"Key 'dataset' names two collections alike: {', '.join(places)}")
    for place in places:
        if place not in NAMES and not Path(place).exists():
            raise ConfigError(f"There is no collection {place!r}: name a folder, a manifest, or {', '.join(NAMES)}")
    return found


def _seeds(value: Any) -> tuple[int, ...]:
    seeds = tuple(range(value)) if _is_whole(value) else tuple(value) if isinstance(value, list) else ()
    if not seeds or not all(_is_whole(seed) and seed >= 0 for seed in seeds) or len(set(seeds)) < len(seeds):
        raise ConfigError(f"Key 'seeds' cannot be {value!r}: write how many, or a list of different numbers from 0 up")
    return seeds


def _targets(value: Any) -> tuple[float, ...]:
    if not isinstance(value, list) or not all(isinstance(item, float | int) and 0 < item <= 1 for item in value):
        raise ConfigError(f"Key 'targets' cannot be {value!r}: write a list of shares, as [0.9, 0.95]")
    return tuple(float(item) for item in value)


def _pool_size(value: Any) -> int | None:
    if value is not None and not (_is_whole(value) and value > 1):
        raise ConfigError(f"Key 'pool_size' cannot be {value!r}: write a number of images")
    return None if value is None else int(value)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _check_setting_names(settings: Mapping[str, Any]) -> None:
    known = [*Config.model_fields, *PEOPLE]
    for name in settings:
        if name in BY_THE_COMPARISON:
            raise ConfigError(
                f"Setting {name!r} is the comparison's: write {BY_THE_COMPARISON[name]!r} above [settings]"
            )
        if name not in known:
            raise ConfigError(unknown_name("setting", name, known))


def _axes(table: Mapping[str, Any], settings: Mapping[str, Any]) -> tuple[Axis, ...]:
    axes = tuple(_axis(name, values) for name, values in table.items())
    given = dict.fromkeys(settings, "[settings]")
    for axis in axes:
        mine = {name for option in axis.options.values() for name in option}
        for name in sorted(mine & given.keys()):
            if given[name] != "[settings]" or name == axis.name:
                raise ConfigError(f"Setting {name!r} is given twice: by axis {axis.name!r} and by {given[name]}")
        given |= dict.fromkeys(mine, f"axis {axis.name!r}")
    return axes


def _axis(name: str, values: Any) -> Axis:
    if not isinstance(values, list) or not values:
        raise ConfigError(f"Axis {name!r} cannot be {values!r}: write a list of values")
    is_setting = name in Config.model_fields or name in PEOPLE
    pairs = [(_value_text(name, value), {name: value}) if is_setting else _named(name, value) for value in values]
    options = dict(pairs)
    if len(options) < len(pairs):
        raise ConfigError(f"Axis {name!r} has a value twice: {values!r}")
    for settings in options.values():
        _check_setting_names(settings)
    return Axis(name, options)


def _value_text(name: str, value: Json) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if name in PLAIN else f"{name.replace('_', ' ')} {text}"


def _named(axis: str, value: Any) -> tuple[str, dict[str, Json]]:
    """An entry of an axis that is no setting: a table of settings with a name."""
    if not isinstance(value, dict):
        known = [*Config.model_fields, *PEOPLE]
        raise ConfigError(f"{unknown_name('setting', axis, known)}; an axis of your own has tables with a {NAME!r}")
    settings = {key: item for key, item in value.items() if key != NAME}
    return _text(value.get(NAME), f"axes.{axis}.{NAME}"), settings


def _check_arm(comparison: Comparison, name: str, settings: Mapping[str, Json]) -> None:
    """Raise ConfigError with the arm's name where its settings do not fit."""
    try:
        for place in comparison.collections.values():
            check_project_settings(place, settings)
    except ConfigError as error:
        raise ConfigError(f"Arm {name!r}: {error}") from None


def check_project_settings(place: str, settings: Mapping[str, Json]) -> None:
    """Raise ConfigError for settings with which no project of the images at `place` can be made."""
    images, test = find_splits(place)
    own = {key: value for key, value in settings.items() if key not in PEOPLE}
    if "budget" not in own:
        raise ConfigError("Setting 'budget' is missing: human labels in all, the audit included")
    check_names(make_config(**{"images": images, "test_images": test, "classes": (), **own}))
    noise: Any = settings.get("noise", 0.0)
    annotators: Any = settings.get("annotators", 1)
    if isinstance(noise, bool) or not isinstance(noise, float | int) or not 0 <= noise < 1:
        raise ConfigError(f"Setting 'noise' cannot be {noise!r}: a share of wrong answers, 0 or more and below 1")
    if not _is_whole(annotators) or annotators < 1:
        raise ConfigError(f"Setting 'annotators' cannot be {annotators!r}: a number of people, 1 or more")
