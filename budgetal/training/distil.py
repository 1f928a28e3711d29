"""Train a small network on soft labels of the whole pool: what a better but frozen model says of each image.

Knowledge distillation (Hinton, Vinyals & Dean 2015) with the human labels in their places, as in self-training with a
student (Xie et al., "Noisy Student", CVPR 2020): the student sees distorted images and must agree with what was said of
the plain ones.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from budgetal import seeding
from budgetal.data.parallel import prefetched
from budgetal.errors import BudgetalError
from budgetal.models.classifier import Classifier
from budgetal.models.compute import autocast
from budgetal.models.preprocess import as_tensor, to_input
from budgetal.training.checkpoint import Checkpoint
from budgetal.training.distort import Distortion
from budgetal.types import EpochRecord, PixelSource, RowArray

BATCH = 256
LEARNING_RATE = 0.1
WARM_UP = 0.1
MOMENTUM = 0.9
WEIGHT_DECAY = 5e-4


@dataclass(frozen=True)
class SoftLabels:
    """What to learn of each image of the pool. probs: (N, m), rows sum to 1; weights: (N,) in the loss."""

    probs: NDArray[np.float32]
    weights: NDArray[np.float32]


@dataclass(frozen=True)
class Lesson:
    """The pool as a stream of distorted, normalised batches. side: pixels a side of the student's input."""

    pixels: PixelSource
    labels: SoftLabels
    side: int
    distortion: Distortion

    def batches(self, student: Classifier, rng: np.random.Generator) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """One epoch in random order: images (n, 3, side, side), probabilities (n, m), weights (n,)."""
        torch_rng = seeding.torch_generator(rng)
        order = rng.permutation(len(self.pixels))
        # Parts of nearly equal size: batch normalisation cannot train on a last batch of one.
        parts = np.array_split(order, self.n_steps)
        return prefetched(parts, lambda part: self._load(np.sort(part), student, torch_rng))

    @property
    def n_steps(self) -> int:
        """Batches in an epoch."""
        return max(1, math.ceil(len(self.pixels) / BATCH))

    def _load(self, rows: RowArray, student: Classifier, rng: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        distorted = self.distortion(as_tensor(self.pixels.read(rows)), rng).numpy()
        expected, device = student.normalisation, student.device
        return (
            to_input(distorted, self.side, expected.mean, expected.std).to(device),
            torch.from_numpy(self.labels.probs[rows]).to(device),
            torch.from_numpy(self.labels.weights[rows]).to(device),
        )


def distil(
    student: Classifier,
    lesson: Lesson,
    *,
    epochs: int,
    rng: np.random.Generator,
    on_epoch: Callable[[EpochRecord], None],
    checkpoint: Checkpoint | None = None,
) -> tuple[EpochRecord, ...]:
    """Train `student` in place and return what each epoch reached: mean cross-entropy, agreement with the labels.

    The rate rises over the first tenth of the steps, then falls to 0. With a checkpoint, a training that was killed
    goes on after its last whole epoch and ends with the same weights. Raises BudgetalError when the loss is not finite.
    """
    student.train().requires_grad_(True)
    # A seed an epoch, and momentum that starts again with each: weights are the only state that a resumed fit needs.
    seeds = rng.integers(2**62, size=epochs)
    records = checkpoint.resume(student) if checkpoint else ()
    for record in records:
        on_epoch(record)
    for epoch in range(len(records) + 1, epochs + 1):
        rates = learning_rates(epoch - 1, epochs, lesson.n_steps)
        record = _run_epoch(student, lesson, epoch, rates, int(seeds[epoch - 1]))
        records = (*records, record)
        if checkpoint:
            checkpoint.save(student, records)
        on_epoch(record)
    student.eval().requires_grad_(False)
    return records


def learning_rates(epoch: int, epochs: int, n_steps: int) -> NDArray[np.float64]:
    """The rate of each step of an epoch (from 0)."""
    progress = (epoch + (np.arange(n_steps) + 0.5) / n_steps) / epochs
    return LEARNING_RATE * np.minimum(progress / WARM_UP, (1 - progress) / (1 - WARM_UP))


def _run_epoch(student: Classifier, lesson: Lesson, epoch: int, rates: NDArray[np.float64], seed: int) -> EpochRecord:
    optimiser, totals = _optimiser(student), np.zeros(3)
    # Dropout draws from torch's global generator: lend it this epoch's seed, then put the old one back.
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for rate, batch in zip(rates, lesson.batches(student, np.random.default_rng(seed)), strict=True):
            for group in optimiser.param_groups:
                group["lr"] = float(rate)
            totals += _step(student, optimiser, *batch)
    loss, right, weight = totals.tolist()
    if not math.isfinite(loss):
        raise BudgetalError(f"The loss of the student is {loss} in epoch {epoch}: choose another --student")
    return EpochRecord(epoch, loss / weight, right / weight)


def _step(
    student: Classifier, optimiser: torch.optim.Optimizer, images: Tensor, probs: Tensor, weights: Tensor
) -> NDArray[np.float64]:
    with autocast(student.device):
        logits = student(images).float()
    losses = weights * -(probs * F.log_softmax(logits, dim=1)).sum(dim=1)
    optimiser.zero_grad()
    losses.mean().backward()  # type: ignore[no-untyped-call]
    optimiser.step()
    right = weights * (logits.argmax(1) == probs.argmax(1))
    return np.array([float(losses.detach().sum()), float(right.sum()), float(weights.sum())])


def _optimiser(student: Classifier) -> torch.optim.Optimizer:
    matrices = [parameter for parameter in student.parameters() if parameter.ndim > 1]
    vectors = [parameter for parameter in student.parameters() if parameter.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": WEIGHT_DECAY}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.SGD(groups, lr=LEARNING_RATE, momentum=MOMENTUM, nesterov=True)
