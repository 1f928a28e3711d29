"""A project's settings: few fields, units in their names, unknown keys refused with a suggestion."""

import json
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from budgetal.errors import ConfigError
from budgetal.files import write_atomic
from budgetal.registry import unknown_name

Finetune = Literal["head", "last_block", "full", "cotrain"]
Preset = Literal["paper", "small"]
Start = Literal["restart", "warm", "shrink"]
Unlabelled = Literal["pseudo_labels", "propagation", "fixmatch", "flexmatch"]
Adaptation = Literal["none", "ddc", "mmd"]
Passes = Literal["dropout", "ensemble"]
AutoLabeller = Literal["certified", "whole", "ceal", "propagation", "pseudo_annotators", "none"]
Confidence = Literal[
    "softmax",
    "margin",
    "vector",
    "ensemble",
    "neighbours",
    "learnt",
    "ceal",
    "propagation",
    "pseudo_annotators",
    "chosen",
]
Thresholds = Literal["global", "per_class"]
AuditErrors = Literal["anywhere", "random"]
SecondOpinions = Literal["never", "gain"]
OutlierRule = Literal["auto", "off"]
MapRule = Literal["auto", "off"]
Cost = Annotated[float, Field(ge=0)]
AS_OF = "# The settings as of the journal's event "


class Config(BaseModel):
    """Everything that decides a run, so that the same config and seed give the same result."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    images: str = Field(min_length=1, description="folder, manifest, npy folder or data set name")
    classes: tuple[str, ...] = Field(description="class names, in the order of the model's outputs")
    renamed_classes: dict[str, str] = Field(default={}, description="former class names and what they are called now")
    test_images: str | None = Field(default=None, description="labelled images for evaluation only")
    source_images: str | None = Field(default=None, description="labelled images to transfer from")
    target_images: str | None = Field(default=None, description="where the model is to work, if not here")
    data_root: str | None = Field(default=None, description="where named data sets are kept")
    backbone: str = "embedded"
    weights: str = Field(default="", description="empty: the package's own for `embedded`, else ImageNet's")
    finetune: Finetune = "head"
    student: str = Field(default="embedded", description="the network that cotrain trains")
    student_epochs: int = Field(default=2, ge=1, le=1000, description="epochs of cotrain a round")
    student_from: int = Field(default=0, ge=0, description="labels below which cotrain has no student")
    unlabelled: Unlabelled = Field(default="pseudo_labels", description="how images without labels teach")
    adaptation: Adaptation = Field(default="none", description="of a fine-tuning to source images")
    preset: Preset = Field(default="paper", description="recipe of a fine-tuning")
    start: Start = Field(default="restart", description="weights from which a fine-tuning starts each round")
    input_size: int | None = Field(default=None, ge=8, le=1024, description="pixels; None: chosen")
    strategy: str = Field(default="informative", description="how the images that people label are chosen")
    passes: Passes = Field(default="dropout", description="whose passes `bald` and others compare")
    n_passes: int = Field(default=10, ge=2, le=100, description="dropout passes, or members of a committee")
    dropout: float = Field(default=0.5, gt=0, lt=1, description="share of features that a pass drops")
    guard: bool = Field(default=True, description="fall back to random once the strategy is worse")
    auto_labeller: AutoLabeller = "certified"
    confidence: Confidence = Field(default="softmax", description="source of the automatic labels' scores")
    thresholds: Thresholds = Field(default="global", description="one for all, or each class certified by itself")
    ceal_threshold: float = Field(default=0.05, ge=0, description="entropy in nats below which `ceal` labels")
    ceal_decay: float = Field(default=0.0033, ge=0, description="by how much that falls each round")
    propagation_certainty: float = Field(default=0.1, ge=0, le=1, description="least certainty of `propagation`")
    annotators_agreement: float = Field(default=1.0, gt=0, le=1, description="share of `pseudo_annotators`")
    outliers: OutlierRule = Field(default="auto", description="rule out what resembles images of no class")
    budget: int = Field(ge=1, description="human labels, audit included")
    budget_money: float | None = Field(default=None, gt=0, description="most to spend; None: no limit")
    cost_per_label: float = Field(default=1.0, ge=0)
    cost_per_label_by_annotator: dict[str, Cost] = Field(default={}, description="in place of cost_per_label")
    cost_factor_by_class: dict[str, Cost] = Field(default={}, description="times the price of a label")
    cost_per_compute_hour: float = Field(default=0.0, ge=0, description="for the plan")
    cost_per_wrong_label: float | tuple[tuple[float, ...], ...] | None = Field(
        default=None, description="one number, or true class by label given"
    )
    review_budget: int | None = Field(default=None, ge=0, description="reviews of automatic labels; None: any number")
    audit: int | None = Field(default=None, ge=0, description="labels in the audit; None: chosen")
    last_audit: int = Field(default=0, ge=0, description="labels kept for the end, drawn where it decides")
    initial: int | None = Field(default=None, ge=1, description="labels in the first query; None: as batch")
    batch: int | None = Field(default=None, ge=1, description="labels in each later query; None: chosen")
    opinions_per_image: int = Field(default=1, ge=1, le=25, description="people who are asked about each image")
    gold_per_query: int = Field(default=0, ge=0, description="images with known labels asked in each later query")
    second_opinions: SecondOpinions = Field(default="never", description="ask again where it saves more mistakes")
    audit_opinions: int | None = Field(default=None, ge=1, le=25, description="of audit images; None: as all")
    tolerance: float = Field(default=0.05, ge=1e-6, lt=1, description="accepted auto-label error")
    risk: float = Field(default=0.05, ge=1e-6, lt=1, description="chance that the certificate is wrong")
    audit_error_rate: Annotated[float, Field(ge=0, lt=1)] | Literal["estimated"] | None = Field(
        default=None, description="share of audit answers that may be wrong; None: all are right"
    )
    audit_errors: AuditErrors = Field(default="anywhere", description="where: on any images, or at random")
    target_coverage: float | None = Field(default=None, gt=0, le=1, description="stop once reached")
    plateau_rounds: int | None = Field(default=None, ge=2, description="stop after so many flat rounds; None: never")
    auto_label_weight: float = Field(default=0.05, ge=0, le=1, description="loss weight, human = 1")
    epochs: int | None = Field(default=None, ge=1, le=1000, description="of a fine-tuning; None: the preset's")
    learning_rate: float | None = Field(default=None, gt=0, description="None: the preset's")
    train_batch: int | None = Field(default=None, ge=1, description="None: the preset's")
    map: MapRule = Field(default="auto", description="draw a map of the images while somebody looks at it")
    seed: int = Field(default=0, ge=0)

    @property
    def labels_everything(self) -> bool:
        """Whether every image is to get a label, with a promise on all of them, from an audit by weight at the end."""
        return self.auto_labeller == "whole"

    @model_validator(mode="before")
    @classmethod
    def _choose_weights(cls, settings: dict[str, Any]) -> dict[str, Any]:
        """Spell out the default, so that the settings file says which weights are used."""
        return {**settings, "weights": settings.get("weights") or default_weights(settings.get("backbone", "embedded"))}


def class_named(config: Config, name: str) -> str:
    """What a class is called now that was called `name`; any other name as it is."""
    return config.renamed_classes.get(name, name)


def default_weights(backbone: str) -> str:
    """The package's own weights for its encoder, ImageNet's for other networks, joined as the networks are."""
    names = [part.partition("@")[0].strip() for part in str(backbone).split("+")]
    return "+".join("embedded" if name == "embedded" else "imagenet" for name in names)


def make_config(**settings: Any) -> Config:
    """Build a Config. Raises ConfigError with one clear line for an unknown or invalid setting."""
    for name in settings:
        if name not in Config.model_fields:
            raise ConfigError(unknown_name("setting", name, list(Config.model_fields)))
    try:
        config = Config(**settings)
    except ValidationError as error:
        raise ConfigError(_first_problem(error)) from None
    _check_costs(config)
    _check_audit_errors(config)
    _check_labeller(config)
    _check_whole(config)
    if config.last_audit and (config.audit_opinions or config.opinions_per_image) > 1:
        raise ConfigError("Setting 'last_audit' goes with one opinion an audit image: raise 'audit' in its place")
    return config


def _check_labeller(config: Config) -> None:
    if config.auto_labeller not in ("certified", "whole", "none") and config.confidence != "softmax":
        raise ConfigError(
            f"Setting 'confidence' cannot be {config.confidence!r} with auto_labeller = {config.auto_labeller!r}: that "
            f"has scores of its own. Leave it out, or certify with confidence = {config.auto_labeller!r}"
        )

    if config.auto_labeller != "certified" and config.thresholds != "global":
        raise ConfigError(
            f"Setting 'thresholds' cannot be {config.thresholds!r} with auto_labeller = {config.auto_labeller!r}: "
            "only certified labels have thresholds that the audit sets"
        )


def _check_whole(config: Config) -> None:
    """What does not go with labelling every image: its audit is drawn at the end, by weight."""
    if not config.labels_everything:
        return
    unfit = {
        "audit": (config.audit, "its audit is drawn at the end. Leave it out, or say how large with last_audit"),
        "target_coverage": (config.target_coverage, "it labels every image at the end. Leave it out"),
        "audit_error_rate": (config.audit_error_rate, "it takes audit answers to be right. Leave it out, or certify"),
    }
    for name, (value, why) in unfit.items():
        if value:
            raise ConfigError(f"Setting {name!r} cannot be {value!r} with auto_labeller = 'whole': {why}")
    if (config.audit_opinions or config.opinions_per_image) > 1:
        raise ConfigError("auto_labeller = 'whole' goes with one opinion an audit image: set audit_opinions to 1")


def _check_audit_errors(config: Config) -> None:
    if config.audit_error_rate != "estimated":
        return
    if config.audit_errors != "random":
        raise ConfigError(
            "Setting 'audit_error_rate' can be 'estimated' with audit_errors = \"random\" only: two people show no "
            "error that both make. State a rate instead"
        )
    if (config.audit_opinions or config.opinions_per_image) < 2:
        raise ConfigError("An estimated 'audit_error_rate' needs 'audit_opinions' of 2 or more: it compares people")


def _check_costs(config: Config) -> None:
    """Compare cost tables with the classes, once these are known."""
    strange = [name for name in config.cost_factor_by_class if name not in config.classes]
    if config.classes and strange:
        raise ConfigError(unknown_name("class in setting 'cost_factor_by_class'", strange[0], list(config.classes)))
    costs = config.cost_per_wrong_label
    if isinstance(costs, float) and costs < 0:
        raise ConfigError(f"Setting 'cost_per_wrong_label' cannot be {costs}: a cost is 0 or more")
    if isinstance(costs, tuple) and config.classes:
        _check_matrix(costs, len(config.classes))


def _check_matrix(costs: tuple[tuple[float, ...], ...], n_classes: int) -> None:
    name = "Setting 'cost_per_wrong_label'"
    if [len(row) for row in costs] != [n_classes] * n_classes:
        raise ConfigError(f"{name} needs a row and a column for each of the {n_classes} classes, in their order")
    if any(row[i] != 0 for i, row in enumerate(costs)):
        raise ConfigError(f"{name} must be 0 from a class to itself: a right label is no mistake")
    if min(min(row) for row in costs) < 0:
        raise ConfigError(f"{name} cannot hold {min(min(row) for row in costs)}: a cost is 0 or more")


def _first_problem(error: ValidationError) -> str:
    problem = error.errors()[0]
    # A setting of several types names the one that was tried last.
    name = ".".join(str(part) for part in problem["loc"] if part not in ("float", "constrained-float"))
    return f"Setting {name!r} cannot be {problem['input']!r}: {problem['msg'].lower()}"


def load_config(path: Path) -> Config:
    """Read `budgetal.toml`. Raises ConfigError when it is not valid TOML or not a valid config."""
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"Cannot read {path}: {error}") from None
    return make_config(**settings)


def save_config(config: Config, path: Path, seq: int = 0) -> None:
    """Write the settings that are not None as TOML, whole or not at all. seq: the journal's event that made them so."""
    lines = [f"{name} = {_toml(value)}" for name, value in config if value is not None]
    write_atomic(path, "\n".join([f"{AS_OF}{seq}", *lines, ""]).encode())


def saved_as_of(path: Path) -> int:
    """The event after which `save_config` wrote the file; 0 where the file does not say."""
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    number = first.removeprefix(AS_OF)
    return int(number) if number != first and number.isdecimal() else 0


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, dict):
        items = (f"{_toml(name)} = {_toml(item)}" for name, item in value.items())
        return "{" + ", ".join(items) + "}"
    # A JSON string, number or boolean is a valid TOML one.
    return json.dumps(value, ensure_ascii=False)
