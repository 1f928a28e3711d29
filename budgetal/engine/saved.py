"""A trained model as a folder: model.json and the files of weights that it names say everything."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor

from budgetal.data.parallel import prefetched
from budgetal.engine.saved_outliers import OutlierHead, read_outliers, write_outliers
from budgetal.errors import ProjectError, StorageError
from budgetal.files import write_atomic
from budgetal.models.backbones import build_classifier
from budgetal.models.calibration import softmax
from budgetal.models.classifier import Classifier, Normalisation
from budgetal.models.predict import Views, batches, features_of
from budgetal.models.preprocess import to_input
from budgetal.types import PixelSource

FORMAT = 1


@dataclass(frozen=True)
class ModelCard:
    """What must be known to use the weights.

    `classes` are in the order of the outputs; `views` as in models.predict.embed.
    """

    backbone: str
    classes: tuple[str, ...]
    input_size: int
    temperature: float
    normalisation: Normalisation
    views: Views = 1


@dataclass(frozen=True)
class Judged:
    """What a model says of one image: its most probable class, and whether it may be none of the classes.

    outlier_score: how probably it is none of them; None where the model's project ruled nothing out.
    """

    label: str
    confidence: float
    outlier_score: float | None
    possible_outlier: bool


@dataclass(frozen=True)
class SavedModel:
    """A model loaded from its folder. outliers: what it rules out; None: nothing."""

    card: ModelCard
    classifier: Classifier
    outliers: OutlierHead | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, in the order of the probabilities."""
        return self.card.classes

    @property
    def side(self) -> int:
        """Pixels a side of the network's input."""
        return self.card.input_size

    def predict(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Calibrated probabilities (n, classes) of images uint8 (n, h, w, 3)."""
        return self.predict_with_outliers(batch)[0]

    def predict_with_outliers(self, batch: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """Probabilities as from `predict`, and how probably each image is none of the classes (n,), where it knows."""
        expected = self.card.normalisation
        images = to_input(batch, self.side, expected.mean, expected.std).to(self.classifier.device)
        with torch.inference_mode():
            features = features_of(self.classifier, images, self.card.views)
            logits = self.classifier.head(features)
        scores = None if self.outliers is None else self.outliers.scores(features.cpu().numpy())
        return softmax(logits.cpu().numpy(), self.card.temperature), scores

    def label(self, pixels: PixelSource, batch: int = 256) -> Iterator[tuple[str, float]]:
        """The most probable class of each image, by row, and its probability."""
        return ((judged.label, judged.confidence) for judged in self.judge(pixels, batch))

    def judge(self, pixels: PixelSource, batch: int = 256) -> Iterator[Judged]:
        """The same, and whether it may be none of the classes."""
        for images in prefetched(batches(len(pixels), batch), pixels.read):
            probs, scores = self.predict_with_outliers(images)
            found = [None] * len(probs) if scores is None else scores.tolist()
            for best, confidence, score in zip(probs.argmax(axis=1), probs.max(axis=1), found, strict=True):
                yield Judged(self.classes[int(best)], float(confidence), score, self.rules_out(score))

    def rules_out(self, score: float | None) -> bool:
        """Whether an image that is none of the classes with this probability is a possible outlier."""
        return self.outliers is not None and score is not None and score > self.outliers.threshold


def write_model(classifier: Classifier, card: ModelCard, folder: Path, outliers: OutlierHead | None = None) -> None:
    """Write the folder; the card goes last and names the other files by their hashes."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {key: tensor.detach().cpu().contiguous() for key, tensor in classifier.state_dict().items()}
    weights = safetensors.torch.save(state)
    write_atomic(folder / "model.safetensors", weights)
    described = {"format": FORMAT, **asdict(card), "sha256": hashlib.sha256(weights).hexdigest()}
    described["outliers"] = write_outliers(outliers, folder)
    write_atomic(folder / "model.json", (json.dumps(described, indent=1) + "\n").encode())


def load_model(folder: Path) -> SavedModel:
    """Read what `write_model` wrote.

    Raises ProjectError when the folder holds no model or one of a newer version, StorageError when its
    files are damaged.
    """
    card, sha256, ruling = _read_card(folder / "model.json")
    classifier = build_classifier(card.backbone, "none", len(card.classes), np.random.default_rng(0), card.input_size)
    classifier.normalisation = card.normalisation
    try:
        classifier.load_state_dict(_read_weights(folder / "model.safetensors", sha256))
    except RuntimeError as error:
        raise StorageError(f"{folder} holds weights of another network: {error}") from None
    return SavedModel(card, classifier.eval(), read_outliers(ruling, folder))


def _read_card(path: Path) -> tuple[ModelCard, str, dict[str, Any] | None]:
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ProjectError(f"{path.parent} holds no model: there is no {path.name} in it") from None
    except ValueError as error:
        raise StorageError(f"{path} is damaged: {error}") from None
    if described.get("format") != FORMAT:
        raise ProjectError(f"{path} has format {described.get('format')}, known here is {FORMAT}: upgrade budgetal")
    try:
        return _card(described), described["sha256"], described.get("outliers")
    except (KeyError, TypeError, ValueError) as error:
        raise StorageError(f"{path} is damaged: {error!r}") from None


def _card(described: dict[str, object]) -> ModelCard:
    normalisation = described["normalisation"]
    classes = described["classes"]
    if not isinstance(normalisation, dict) or not isinstance(classes, list):
        raise TypeError("classes and normalisation")
    mean, std = tuple(normalisation["mean"]), tuple(normalisation["std"])
    return ModelCard(
        str(described["backbone"]),
        tuple(classes),
        int(str(described["input_size"])),
        float(str(described["temperature"])),
        Normalisation(mean, std, bool(normalisation["rotated"])),
        2 if described["views"] == 2 else 1,
    )


def _read_weights(path: Path, sha256: str) -> dict[str, Tensor]:
    try:
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != sha256:
            raise StorageError(f"{path} is damaged: it is not what model.json describes")
        return safetensors.torch.load(content)
    except (OSError, SafetensorError) as error:
        raise StorageError(f"Cannot read {path}: {error}") from None
