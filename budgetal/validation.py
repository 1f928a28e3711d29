"""Checks of a new project's settings against what exists and against the images."""

from collections.abc import Mapping
from pathlib import Path

from budgetal.budget.ledger import Ledger
from budgetal.config import Config, make_config
from budgetal.data.collection import Collection
from budgetal.data.named import NAMES
from budgetal.errors import ConfigError, DataError
from budgetal.models.backbones import backbone_info
from budgetal.models.joined import JOINT, parts_of, weights_of
from budgetal.query.needs import lacking
from budgetal.query.strategy import strategies
from budgetal.registry import unknown_name
from budgetal.types import NONE_OF_THESE

OF_CLASSES = ("classes", "renamed_classes", "cost_factor_by_class")
"""Settings that a change of the class list replaces."""

_ARRAYS = "what is stored was computed with it"
_VOID = "to choose it after a look at the audit would void the certificate"
_COST = "labels have been paid by it"
WHY_FIXED = {
    **dict.fromkeys(("classes", "renamed_classes"), "classes are added, renamed and merged with `budgetal classes`"),
    **dict.fromkeys(("images", "test_images", "source_images", "target_images", "data_root"), "the images were read"),
    **dict.fromkeys(("backbone", "weights", "finetune", "student", "student_epochs", "student_from"), _ARRAYS),
    **dict.fromkeys(("unlabelled", "adaptation", "preset", "start", "input_size", "seed"), _ARRAYS),
    **dict.fromkeys(("opinions_per_image", "audit_opinions", "audit_error_rate", "audit_errors"), _VOID),
    **dict.fromkeys(("guard", "auto_labeller", "confidence", "thresholds", "tolerance", "risk"), _VOID),
    "target_coverage": _VOID,
    **dict.fromkeys(("cost_per_label", "cost_per_label_by_annotator", "cost_factor_by_class"), _COST),
}
FIXED = frozenset(WHY_FIXED)
"""Settings that cannot change under way, and why."""


def check_names(config: Config) -> None:
    """Raise ConfigError for an unknown strategy or backbone, or a strategy that lacks what it needs.

    So a run says so before anything slow begins.
    """
    _check_needs(config.strategy, config)
    backbone_info(config.backbone)
    _check_training(config)


def _check_training(config: Config) -> None:
    """Which networks go with which way to train them."""
    parts = parts_of(config.backbone)
    if len(set(parts)) < len(parts):
        twice = next(part for part in parts if parts.count(part) > 1)
        raise ConfigError(f"Backbone {config.backbone!r} names {str(twice)!r} twice: name each network once")
    weights_of(config.weights, len(parts))
    if len(parts) > 1 and config.finetune == "last_block":
        raise ConfigError("Setting 'finetune' cannot be 'last_block' for joined networks: use head, cotrain or full")
    if len(parts_of(config.student)) > 1:
        raise ConfigError(f"Setting 'student' cannot be {config.student!r}: name one network")
    backbone_info(config.student)
    _check_unlabelled(config)
    _check_adaptation(config)


def _check_unlabelled(config: Config) -> None:
    """Which ways to learn from images without labels go with which way to train."""
    chosen, trained = config.unlabelled, config.finetune
    if chosen != "pseudo_labels" and trained == "head":
        raise ConfigError(
            f"Setting 'unlabelled' cannot be {chosen!r} with finetune = \"head\": a last layer learns confident "
            "predictions only. Use finetune = cotrain, last_block or full"
        )
    if chosen == "propagation" and trained != "cotrain":
        raise ConfigError(
            f"Setting 'unlabelled' cannot be 'propagation' with finetune = {trained!r}: propagated labels teach a "
            "student. Use finetune = cotrain, or auto_labeller = propagation"
        )


def _check_adaptation(config: Config) -> None:
    if config.adaptation == "none":
        return
    if config.source_images is None:
        raise ConfigError(f"Setting 'adaptation' cannot be {config.adaptation!r} without source_images: give some")
    if config.finetune not in ("last_block", "full"):
        raise ConfigError(
            f"Setting 'adaptation' cannot be {config.adaptation!r} with finetune = {config.finetune!r}: it trains the "
            "network's features. Use finetune = last_block or full"
        )
    if config.unlabelled != "pseudo_labels":
        raise ConfigError(
            f"Setting 'adaptation' cannot be {config.adaptation!r} with unlabelled = {config.unlabelled!r}: choose one"
        )


def _check_needs(name: str, config: Config) -> None:
    given = {
        "source": config.source_images,
        "shared_source": config.source_images,
        "target_embeddings": config.target_images,
    }
    for need in strategies[name].needs:
        if given.get(need, "") is None:
            raise ConfigError(lacking(name, need))


def check_changes(changes: Mapping[str, object]) -> None:
    """Raise ConfigError for a setting that is fixed once a project is made."""
    fixed = FIXED & set(changes)
    if fixed:
        name = min(fixed)
        raise ConfigError(
            f"Setting {name!r} is fixed once a project is made: {WHY_FIXED[name]}. Start a new one to change it"
        )


def check_audit(config: Config, n_drawn: int, n_available: int) -> None:
    """Raise ConfigError for an audit that is smaller than what was drawn already, or larger than labels are left for.

    n_available: labels that may still be asked for under `config`.
    """
    if config.audit is None or not n_drawn:
        return
    if config.audit < n_drawn:
        raise ConfigError(f"Setting 'audit' cannot be {config.audit}: {n_drawn} audit images were drawn already")
    more = (config.audit - n_drawn) * (config.audit_opinions or config.opinions_per_image)
    if more > n_available:
        raise ConfigError(
            f"Setting 'audit' cannot be {config.audit}: of the {more} labels that it takes more, "
            f"{n_available} are left of the budget. Raise the budget with it"
        )


def check_money(ledger: Ledger) -> None:
    """Raise ConfigError where labels could be asked for with money that reviews have cost."""
    missing = ledger.money_missing
    if ledger.reviewed_money and missing > 0:
        raise ConfigError(
            f"Cannot ask for {ledger.available} more labels: reviews have cost {ledger.reviewed_money:g} of the "
            f"budget of money. Raise budget_money by {missing:g} with it"
        )


def with_absolute_paths(config: Config) -> Config:
    """Make the paths that exist independent of the working directory; names of data sets stay."""
    names = ("images", "test_images", "source_images", "target_images", "data_root")
    given = {name: value for name, value in config if name in names and value and Path(value).exists()}
    named = {name for name in given if given[name] in NAMES}
    absolute = {name: str(Path(given[name]).resolve()) for name in given.keys() - named}
    weights = JOINT.join(_absolute_file(part) for part in config.weights.split(JOINT))
    return config.model_copy(update={**absolute, "weights": weights})


def _absolute_file(name: str) -> str:
    return str(Path(name).resolve()) if Path(name).exists() else name


def with_classes(draft: Config, collection: Collection) -> Config:
    """Fill in the classes from the labels found. Raises DataError when they are too few or do not match."""
    classes = draft.classes or tuple(name for name in collection.classes if name != NONE_OF_THESE)
    if NONE_OF_THESE in classes:
        raise ConfigError(f"No class can be called {NONE_OF_THESE!r}: that answer says that an image is of no class")
    if len(set(classes)) < len(classes):
        twice = next(name for name in classes if classes.count(name) > 1)
        raise DataError(f"Class {twice!r} is named twice: name each class once")
    if len(classes) < 2:
        found = ", ".join(classes) or "none"
        raise DataError(f"A project needs two classes or more, found {found}: name them with --classes a,b")
    known = [*classes, NONE_OF_THESE]
    strange = {sample.label for sample in collection.samples if sample.label is not None} - set(known)
    if strange:
        raise DataError(unknown_name("label", min(strange), known))
    return make_config(**{**draft.model_dump(), "classes": tuple(classes)})
