"""Records that cross layers: plain, frozen, without behaviour of their own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Json: TypeAlias = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
RowArray: TypeAlias = NDArray[np.int64]
Purpose: TypeAlias = Literal["audit", "initial", "round", "opinion"]
Provenance: TypeAlias = Literal[
    "human",
    "human (review)",
    "audit",
    "auto",
    "auto (no guarantee)",
    "predicted",
    "possible outlier",
    "broken image",
]

AUTOMATIC: tuple[Provenance, ...] = ("auto", "auto (no guarantee)")
"""Labels that the machine gave: certified ones, and those of labellers that promise nothing."""

NONE_OF_THESE = "none of these"
"""The answer for an image that belongs to no class. It is paid for like a label; no class may be called so."""


@dataclass(frozen=True)
class Sample:
    """One image of the collection. `paths` has one entry a byte-identical copy."""

    sample_id: str
    paths: tuple[str, ...]
    label: str | None = None


@dataclass(frozen=True)
class Quarantined:
    """A file that could not become a sample, and why."""

    path: str
    reason: str


class PixelSource(Protocol):
    """Decoded images by row, the one thing that models read. Safe to call from several threads."""

    def __len__(self) -> int: ...

    def read(self, rows: RowArray) -> NDArray[np.uint8]:
        """Return images as uint8, shape (n, height, width, 3), all of one size."""
        ...


@dataclass(frozen=True)
class Query:
    """Images that people are asked to label. `sample_ids` are in the order they were picked.

    not_by: who has answered an image already, where another person's opinion is asked for.
    """

    query_id: int
    purpose: Purpose
    round: int
    sample_ids: tuple[str, ...]
    not_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Frame:
    """A last audit: drawn uniformly from the open images that the newest model scored `threshold` or more.

    asked: images that people were asked about for it; hits: audit images that the draw met, answered before.
    n_planned: of one that is drawn by weight from all open images, how many draws its bets are tuned to; else None.
    number: of one by weight, how many such audits were begun before; each has a share of the risk.
    """

    threshold: float
    asked: frozenset[str] = frozenset()
    hits: frozenset[str] = frozenset()
    n_planned: int | None = None
    number: int = 0


@dataclass(frozen=True)
class Annotation:
    """One person's answer for one image. `key` makes a repeated delivery harmless.

    suggestion: the model's guess that the person was shown with the image; None: they saw none.
    """

    sample_id: str
    label: str
    annotator: str = "human"
    key: str | None = None
    suggestion: str | None = None


@dataclass(frozen=True)
class Prediction:
    """What a model says of every image of the pool, by row.

    probs: calibrated class probabilities, (n, classes) float32, rows sum to 1.
    embeddings: L2-normalised penultimate features, (n, d) float32.
    """

    probs: NDArray[np.float32]
    embeddings: NDArray[np.float32]


@dataclass(frozen=True)
class TrainingSet:
    """What one round trains on: rows of the pool, a class for each, and its weight in the loss.

    `n_human` rows come first; the rest are automatic labels with smaller weights.
    """

    rows: RowArray
    targets: RowArray
    weights: NDArray[np.float32]
    n_human: int
    n_classes: int


@dataclass(frozen=True)
class EpochRecord:
    """Losses and accuracy after one epoch (or one block of solver iterations of a convex fit)."""

    epoch: int
    train_loss: float
    train_accuracy: float


@dataclass(frozen=True)
class FittedModel:
    """A trained model as names of stored arrays, and how it was calibrated."""

    weights_ref: str
    temperature: float
    train_loss: float
    epochs: tuple[EpochRecord, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
