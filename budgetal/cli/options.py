"""Options that several commands share."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from budgetal.errors import ConfigError

ProjectFolder = Annotated[Path, typer.Argument(help="The project's folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout and nothing else.")]
Backbone = Annotated[str, typer.Option(help="Network: `budgetal backbones` lists them.")]
Weights = Annotated[str, typer.Option(help="embedded, imagenet, none, or a .safetensors or .pth file.")]
Finetune = Annotated[
    Literal["head", "last_block", "full", "cotrain"],
    typer.Option(help="What is trained: the last layer (fast), …, or it and a student of the whole pool."),
]
Student = Annotated[str, typer.Option(help="The network that `--finetune cotrain` trains.")]
StudentEpochs = Annotated[int, typer.Option(help="Its epochs in each round.")]
StudentFrom = Annotated[int, typer.Option(help="Labels to train on from which there is a student.")]
InputSize = Annotated[int | None, typer.Option(help="Side of the network's input in pixels.")]
Strategy = Annotated[str, typer.Option(help="Query strategy: `budgetal strategies` lists them.")]
SourceImages = Annotated[str | None, typer.Option(help="Labelled images to transfer from (transfer strategies).")]
TargetImages = Annotated[str | None, typer.Option(help="Images of the collection where the model is to work.")]
Passes = Annotated[Literal["dropout", "ensemble"], typer.Option(help="Whose passes `bald` and others compare.")]
Guard = Annotated[bool, typer.Option(help="Fall back to random where the strategy is worse.")]
AutoLabeller = Annotated[
    Literal["certified", "ceal", "propagation", "pseudo_annotators", "none"],
    typer.Option(help="Who labels the confident images; all but certified give no guarantee."),
]
Confidence = Annotated[str, typer.Option(help="Source of the scores of certified labels (docs/reference.md).")]
Thresholds = Annotated[
    Literal["global", "per_class"], typer.Option(help="One threshold for all, or every class certified by itself.")
]
CealThreshold = Annotated[float, typer.Option(help="Entropy in nats below which ceal labels an image.")]
CealDecay = Annotated[float, typer.Option(help="By how much that falls each round.")]
PropagationCertainty = Annotated[float, typer.Option(help="Least certainty of propagation's labels, 0 to 1.")]
AnnotatorsAgreement = Annotated[float, typer.Option(help="Share of pseudo_annotators that have to agree.")]
Outliers = Annotated[Literal["auto", "off"], typer.Option(help="Rule out what resembles images of no class.")]
Initial = Annotated[int | None, typer.Option(help="Labels in the first query.")]
Batch = Annotated[int | None, typer.Option(help="Labels in each later query.")]
Budget = Annotated[int, typer.Option(help="Human labels in all, the audit included.")]
BudgetMoney = Annotated[float | None, typer.Option(help="Most money to spend on labels.")]
CostPerLabel = Annotated[float, typer.Option(help="Price of one human label.")]
CostPerLabelByAnnotator = Annotated[
    str, typer.Option(help="In place of it for some annotators: NAME=PRICE, comma-separated.")
]
CostFactorByClass = Annotated[
    str, typer.Option(help="Times the price for some classes: CLASS=FACTOR, comma-separated.")
]
CostPerComputeHour = Annotated[float, typer.Option(help="Price of an hour of computing, for `budgetal plan`.")]
CostPerWrongLabel = Annotated[float | None, typer.Option(help="Price of a wrong label, for `budgetal plan`.")]
OpinionsPerImage = Annotated[int, typer.Option(help="People who are asked about each image.")]
GoldPerQuery = Annotated[int, typer.Option(help="Images with given labels in each later query, to test people.")]
SecondOpinions = Annotated[
    Literal["never", "gain"], typer.Option(help="Ask others again where that saves more mistakes than a new image.")
]
AuditErrorRate = Annotated[
    str, typer.Option(help="Share of audit answers that may be wrong, 0 to 1, or estimated; empty: none.")
]
AuditErrors = Annotated[Literal["anywhere", "random"], typer.Option(help="Which audit answers those are.")]
AuditOpinions = Annotated[int | None, typer.Option(help="The same of audit images, if another number.")]
Audit = Annotated[int | None, typer.Option(help="Labels in the audit, which certifies the automatic ones.")]
LastAudit = Annotated[int, typer.Option(help="Labels kept for the end, for the images that may be certified then.")]
Tolerance = Annotated[float, typer.Option(help="Accepted share of wrong automatic labels, 0 to 1.")]
Risk = Annotated[float, typer.Option(help="Accepted chance that the certificate is wrong, 0 to 1.")]
TargetCoverage = Annotated[float | None, typer.Option(help="Stop once this share is labelled, 0 to 1.")]
PlateauRounds = Annotated[int | None, typer.Option(help="Stop after so many rounds without change.")]
Preset = Annotated[
    Literal["paper", "small"], typer.Option(help="Recipe of fine-tuning: the paper's, or ours for few labels.")
]
Start = Annotated[
    Literal["restart", "warm", "shrink"],
    typer.Option(help="Each round's fine-tuning starts from the given weights, the last round's, or between."),
]
Unlabelled = Annotated[
    Literal["pseudo_labels", "propagation", "fixmatch", "flexmatch"],
    typer.Option(help="How images without labels teach a trained network."),
]
Adaptation = Annotated[
    Literal["none", "ddc", "mmd"], typer.Option(help="Fine-tune on `--source-images` too, features alike.")
]
Epochs = Annotated[int | None, typer.Option(help="Epochs of a fine-tuning round, if not the preset's.")]
LearningRate = Annotated[float | None, typer.Option(help="Learning rate of fine-tuning, if not the preset's.")]
Seed = Annotated[int, typer.Option(help="Same seed, same labels, same curve.")]
DataRoot = Annotated[str | None, typer.Option(help="Where named data sets lie or are downloaded to.")]


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
