"""A project's settings as options: what each says, what it is by default, and how commands come by them."""

import inspect
from collections.abc import Callable, Iterable
from functools import partial, wraps
from typing import Annotated, Any

import typer

from budgetal.config import Config
from budgetal.errors import ConfigError

SETTINGS = {
    "backbone": "Network: `budgetal backbones` lists them.",
    "weights": "embedded, imagenet, none, or a .safetensors or .pth file.",
    "finetune": "What is trained: the last layer (fast), …, or it and a student of the whole pool.",
    "student": "The network that `--finetune cotrain` trains.",
    "student_epochs": "Its epochs in each round.",
    "student_from": "Labels to train on from which there is a student.",
    "unlabelled": "How images without labels teach a trained network.",
    "adaptation": "Fine-tune on `--source-images` too, features alike.",
    "input_size": "Side of the network's input in pixels.",
    "strategy": "Query strategy: `budgetal strategies` lists them.",
    "source_images": "Labelled images to transfer from (transfer strategies).",
    "target_images": "Images of the collection where the model is to work.",
    "passes": "Whose passes `bald` and others compare.",
    "guard": "Fall back to random where the strategy is worse.",
    "auto_labeller": "Who labels the confident images; all but certified and whole give no guarantee.",
    "confidence": "Source of the scores of certified labels (docs/reference.md).",
    "thresholds": "One threshold for all, or every class certified by itself.",
    "ceal_threshold": "Entropy in nats below which ceal labels an image.",
    "ceal_decay": "By how much that falls each round.",
    "propagation_certainty": "Least certainty of propagation's labels, 0 to 1.",
    "annotators_agreement": "Share of pseudo_annotators that have to agree.",
    "outliers": "Rule out what resembles images of no class.",
    "initial": "Labels in the first query.",
    "batch": "Labels in each later query.",
    "audit": "Labels in the audit, which certifies the automatic ones.",
    "last_audit": "Labels kept for the end, for the images that may be certified then.",
    "opinions_per_image": "People who are asked about each image.",
    "gold_per_query": "Images with known labels in each later query, to test people; with --gold one in 20.",
    "second_opinions": "Ask others again where that saves more mistakes than a new image.",
    "audit_opinions": "The same of audit images, if another number.",
    "audit_error_rate": "Share of audit answers that may be wrong, 0 to 1, or estimated; empty: none.",
    "audit_errors": "Which audit answers those are.",
    "budget_money": "Most money to spend on labels.",
    "cost_per_label": "Price of one human label.",
    "cost_per_label_by_annotator": "In place of it for some annotators: NAME=PRICE, comma-separated.",
    "cost_factor_by_class": "Times the price for some classes: CLASS=FACTOR, comma-separated.",
    "cost_per_compute_hour": "Price of an hour of computing, for `budgetal plan`.",
    "cost_per_wrong_label": "Price of a wrong label, for `budgetal plan`.",
    "tolerance": "Accepted share of wrong automatic labels (whole: of all labels), 0 to 1.",
    "risk": "Accepted chance that the certificate is wrong, 0 to 1.",
    "target_coverage": "Stop once this share is labelled, 0 to 1.",
    "plateau_rounds": "Stop after so many rounds without change.",
    "preset": "Recipe of fine-tuning: the paper's, or ours for few labels.",
    "start": "Each round's fine-tuning starts from the given weights, the last round's, or between.",
    "epochs": "Epochs of a fine-tuning round, if not the preset's.",
    "learning_rate": "Learning rate of fine-tuning, if not the preset's.",
    "data_root": "Where named data sets lie or are downloaded to.",
    "test_images": "Labelled images that only measure.",
    "seed": "Same seed, same labels, same curve.",
}
"""Help of each option, in the order of `--help`; types and defaults are those of `Config`, if not given below."""

TYPES: dict[str, Any] = {"confidence": str, "cost_per_wrong_label": float | None}
"""Where one option cannot say all that the setting can be, or says too much of it."""


def with_settings(names: Iterable[str] = SETTINGS) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a command have these options in place of its parameter `settings`, which gets their values by name."""
    options = {name: _option(name) for name in names}

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def run(**arguments: Any) -> None:
            settings = {name: _read(name, arguments.pop(name)) for name in options}
            command(**arguments, settings=settings)

        signature = _in_place_of_settings(inspect.signature(command), options.values())
        vars(run)["__signature__"] = signature
        run.__annotations__ = {name: one.annotation for name, one in signature.parameters.items()}
        return run

    return decorate


def _option(name: str) -> inspect.Parameter:
    field = Config.model_fields[name]
    kind, default = (str, "") if name in READERS else (TYPES.get(name, field.annotation), field.default)
    option = Annotated[kind, typer.Option(help=SETTINGS[name])]  # type: ignore[valid-type]  # known when it runs only
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=option)


def _in_place_of_settings(signature: inspect.Signature, options: Iterable[inspect.Parameter]) -> inspect.Signature:
    parameters = list(signature.parameters.values())
    place = list(signature.parameters).index("settings")
    return signature.replace(parameters=[*parameters[:place], *options, *parameters[place + 1 :]])


def _read(name: str, value: Any) -> Any:
    return READERS[name](value) if name in READERS else value


def error_rate(text: str) -> float | str | None:
    """A rate, "estimated", or None for an empty text. Raises ConfigError for anything else."""
    if text in ("", "estimated"):
        return text or None
    try:
        return float(text)
    except ValueError:
        raise ConfigError(f"Cannot read {text!r} in --audit-error-rate: write a number or estimated") from None


def price_table(text: str, option: str) -> dict[str, float]:
    """ "expert=5,student=0.5" as a table. Raises ConfigError for anything else."""
    table: dict[str, float] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        name, _, number = entry.rpartition("=")
        try:
            table[name.strip()] = float(number)
        except ValueError:
            raise ConfigError(f"Cannot read {entry!r} in {option}: write NAME=NUMBER, comma-separated") from None
        if not name.strip():
            raise ConfigError(f"Cannot read {entry!r} in {option}: write NAME=NUMBER, comma-separated")
    return table


READERS: dict[str, Callable[[str], Any]] = {
    "audit_error_rate": error_rate,
    "cost_per_label_by_annotator": partial(price_table, option="--cost-per-label-by-annotator"),
    "cost_factor_by_class": partial(price_table, option="--cost-factor-by-class"),
}
"""Settings that an option can only say as text, empty for the default."""
