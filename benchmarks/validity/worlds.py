"""What a run is played on: images with a known class, and a model that improves as labels come."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from scipy.special import expit, logit

from budgetal.engine.head_round import fit_calibrated_head
from budgetal.models.calibration import softmax
from budgetal.project import Project
from budgetal.simulate import true_labels
from budgetal.training.head import standardisation
from budgetal.types import TrainingSet

N_CLASSES = 10
SKILL, SKILL_A_ROUND, DIFFICULTY = 2.4, 0.35, 2.2
CLASS_SHARES = (0.35, 0.2, 0.12, 0.09, 0.07, 0.06, 0.05, 0.03, 0.02, 0.01)
OTHERS = 0.5 ** np.arange(1, N_CLASSES)
FAMILIES = ("calibrated", "over-confident", "shifted", "adversarial")


class World(Protocol):
    """truth: (n,) class of each image."""

    truth: np.ndarray

    def predict(self, round: int, labelled: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Probabilities (n, m) float32 by a model that learnt the classes of the rows `labelled`."""
        ...


@dataclass(frozen=True)
class Synthetic:
    """Made-up images. luck: (n,) uniform; an image is predicted wrongly while its chance to be right is below it."""

    family: str
    truth: np.ndarray
    difficulty: np.ndarray
    luck: np.ndarray
    tolerance: float

    def predict(self, round: int, labelled: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        noise = rng.normal(0, 0.5, len(self.truth))
        easy = expit(SKILL + SKILL_A_ROUND * round - DIFFICULTY * self.difficulty - noise)
        chance = np.clip(0.4 + 0.6 * easy, 0.4, 1 - 1e-6)
        score, right = self._seen(chance)
        return _probabilities(self.truth, right, score)

    def _seen(self, chance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What the model says of its chance to be right, and whether it is."""
        if self.family == "adversarial":
            return chance, self._adversary(chance)
        if self.family == "shifted":
            # Every seventh image comes from another camera: it looks as easy, and is wrong more often.
            chance, seen = np.where(np.arange(len(chance)) % 7 == 0, 0.85 * chance, chance), chance
            return seen, self.luck > 1 - chance
        seen = expit(2.5 * logit(chance)) if self.family == "over-confident" else chance
        return np.clip(seen, 0.4, 1 - 1e-6), self.luck > 1 - chance

    def _adversary(self, chance: np.ndarray) -> np.ndarray:
        """Every set of sure images is wrong a little more often than is tolerated: no certificate would be true."""
        return self.luck > 1.03 * self.tolerance


def _probabilities(truth: np.ndarray, right: np.ndarray, score: np.ndarray) -> np.ndarray:
    """The score on the predicted class, the rest on the others; the truth is second where it is not first."""
    n = len(truth)
    shares = (1 - score)[:, None] * (OTHERS / OTHERS.sum())
    ranked = np.concatenate([score[:, None], shares], axis=1).astype(np.float32)
    first = np.where(right, truth, (truth + 1) % N_CLASSES)
    second = np.where(right, (truth + 1) % N_CLASSES, truth)
    others = (truth[:, None] + np.arange(2, N_CLASSES)) % N_CLASSES
    probs = np.empty((n, N_CLASSES), np.float32)
    np.put_along_axis(probs, np.concatenate([first[:, None], second[:, None], others], axis=1), ranked, axis=1)
    return probs


def synthetic(family: str, n: int, tolerance: float, rng: np.random.Generator) -> Synthetic:
    truth = rng.choice(N_CLASSES, n, p=CLASS_SHARES)
    return Synthetic(family, truth, rng.standard_normal(n), rng.random(n), tolerance)


@dataclass(frozen=True)
class Real:
    """A random part of a real collection: features of a frozen network, and a logistic head as the model."""

    truth: np.ndarray
    features: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    n_classes: int

    def predict(self, round: int, labelled: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        targets, weights = self.truth[labelled], np.ones(len(labelled), np.float32)
        training = TrainingSet(labelled, targets, weights, len(labelled), self.n_classes)
        learnt = self.features[labelled]
        head, temperature, _ = fit_calibrated_head(
            learnt, training, self.mean, self.std, rng=rng, on_epoch=lambda _record: None
        )
        return softmax(head.logits(self.features), temperature)


@dataclass(frozen=True)
class Collection:
    """Features and classes of all images of a finished simulation."""

    name: str
    truth: np.ndarray
    features: np.ndarray
    n_classes: int

    def part(self, n: int, rng: np.random.Generator) -> Real:
        rows = np.sort(rng.choice(len(self.truth), n, replace=False))
        features = np.asarray(self.features[rows])
        return Real(self.truth[rows], features, *standardisation(features), self.n_classes)


def read_collection(folder: Path) -> Collection:
    project = Project.open(folder)
    features = project.workspace.engine.frozen_features()
    return Collection(_name(folder), _targets(project), features, len(project.config.classes))


@dataclass(frozen=True)
class Stored:
    """A random part of a real collection, and what a project's models said of it, one (n, m) array a round."""

    truth: np.ndarray
    probs: Sequence[np.ndarray]

    def predict(self, round: int, labelled: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return self.probs[round]


@dataclass(frozen=True)
class Predictions:
    """What the models of a finished simulation's last rounds said of the images that they were not trained on."""

    name: str
    truth: np.ndarray
    rows: np.ndarray
    probs: Sequence[np.ndarray]

    def part(self, n: int, rng: np.random.Generator) -> Stored:
        rows = np.sort(rng.choice(self.rows, n, replace=False))
        return Stored(self.truth[rows], [probs[rows] for probs in self.probs])


def read_predictions(folder: Path, n_rounds: int) -> Predictions:
    """Of the last `n_rounds` rounds. Raises ValueError for a project with fewer."""
    project = Project.open(folder)
    refs = list(project.state.probs_refs.values())[-n_rounds:]
    if len(refs) < n_rounds:
        raise ValueError(f"{folder} has predictions of {len(refs)} rounds: {n_rounds} are needed")
    rows = np.setdiff1d(np.arange(len(project.samples)), project.learner.views.training_rows(project.state))
    probs = [project.workspace.arrays.get(ref) for ref in refs]
    return Predictions(_name(folder), _targets(project), rows, probs)


def _name(folder: Path) -> str:
    return folder.name.partition("-")[0]


def _targets(project: Project) -> np.ndarray:
    truth, classes = true_labels(project), project.config.classes
    return np.array([classes.index(truth[sample.sample_id]) for sample in project.samples])
