"""Checks of a new project's settings against what exists and against the images."""

from budgetal.config import Config, make_config
from budgetal.data.collection import Collection
from budgetal.errors import ConfigError, DataError
from budgetal.models.backbones import backbone_info
from budgetal.query.strategy import strategies
from budgetal.registry import unknown_name

FIXED = frozenset(
    {"images", "classes", "test_images", "data_root", "backbone", "weights", "finetune", "input_size", "seed"}
)
"""Settings that decide what the journal's arrays mean; they cannot change under way."""


def check_names(config: Config) -> None:
    """Raise ConfigError for an unknown strategy or backbone, before anything slow begins."""
    strategies[config.strategy]
    backbone_info(config.backbone)


def check_changes(changes: dict[str, object]) -> None:
    """Raise ConfigError for a setting that is fixed once a project is made."""
    fixed = FIXED & set(changes)
    if fixed:
        raise ConfigError(f"Setting {min(fixed)!r} is fixed once a project is made: start a new one to change it")


def with_classes(draft: Config, collection: Collection) -> Config:
    """Fill in the classes from the labels found. Raises DataError when they are too few or do not match."""
    classes = draft.classes or collection.classes
    if len(set(classes)) < 2:
        found = ", ".join(classes) or "none"
        raise DataError(f"A project needs two classes or more, found {found}: name them with --classes a,b")
    strange = {sample.label for sample in collection.samples if sample.label is not None} - set(classes)
    if strange:
        raise DataError(unknown_name("label", min(strange), list(classes)))
    return make_config(**{**draft.model_dump(), "classes": tuple(classes)})
