"""Fine-tuning: one loop, seen whole. Plain SGD, as in the paper (learning rate 0.05, batch 32, 15 epochs)."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from budgetal import seeding
from budgetal.errors import BudgetalError
from budgetal.models.classifier import Classifier
from budgetal.models.compute import autocast
from budgetal.models.prefetch import prefetched
from budgetal.models.preprocess import as_tensor, to_input
from budgetal.training.augment import random_crop_flip
from budgetal.training.checkpoint import Checkpoint
from budgetal.types import EpochRecord, PixelSource, RowArray, TrainingSet

# Of an image's side: four pixels of 32, as is usual for CIFAR.
CROP_SHARE = 0.125


def finetune(
    classifier: Classifier,
    pixels: PixelSource,
    training_set: TrainingSet,
    *,
    side: int,
    finetune: Literal["last_block", "full"],
    epochs: int,
    learning_rate: float,
    batch: int,
    rng: np.random.Generator,
    on_epoch: Callable[[EpochRecord], None],
    checkpoint: Checkpoint | None,
    flip: bool = True,
) -> tuple[EpochRecord, ...]:
    """Train `classifier` in place and return what each epoch reached.

    With a checkpoint, a fit that was killed goes on after its last whole epoch and ends with the same
    weights. `on_epoch` hears of the epochs done before once more, since the kill may have come before it did.
    Raises BudgetalError when the loss is not finite.
    """
    parameters = _set_trainable(classifier, finetune)
    optimiser = torch.optim.SGD(parameters, lr=learning_rate)
    data = _Data(classifier, pixels, training_set, side, batch, flip)
    # A seed an epoch, and SGD without momentum: weights are the only state that a resumed fit needs.
    seeds = rng.integers(2**62, size=epochs)
    records = checkpoint.resume(classifier) if checkpoint else ()
    for record in records:
        on_epoch(record)
    for epoch in range(len(records) + 1, epochs + 1):
        record = _run_epoch(classifier, optimiser, data, epoch, int(seeds[epoch - 1]))
        records = (*records, record)
        if checkpoint:
            checkpoint.save(classifier, records)
        on_epoch(record)
    classifier.eval()
    return records


def _run_epoch(
    classifier: Classifier, optimiser: torch.optim.Optimizer, data: "_Data", epoch: int, seed: int
) -> EpochRecord:
    totals = np.zeros(3)
    # Dropout draws from torch's global generator: lend it this epoch's seed, then put the old one back.
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for images, targets, weights in data.batches(np.random.default_rng(seed)):
            with autocast(classifier.device):
                logits = classifier(images).float()
            losses = weights * F.cross_entropy(logits, targets, reduction="none")
            optimiser.zero_grad()
            losses.mean().backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            right = weights * (logits.argmax(1) == targets)
            totals += [float(losses.detach().sum()), float(right.sum()), float(weights.sum())]
    return _record(epoch, *totals.tolist())


def _record(epoch: int, loss: float, right: float, weight: float) -> EpochRecord:
    if not math.isfinite(loss):
        raise BudgetalError(f"The loss is {loss} in epoch {epoch}: set a smaller learning_rate")
    return EpochRecord(epoch, loss / weight, right / weight)


def _set_trainable(classifier: Classifier, finetune: Literal["last_block", "full"]) -> list[nn.Parameter]:
    """Freeze all but the part to train; frozen normalisation layers keep their statistics too."""
    parts = [classifier] if finetune == "full" else [*classifier.last_block(), classifier.head]
    classifier.eval().requires_grad_(False)
    for part in parts:
        part.train().requires_grad_(True)
    return [parameter for parameter in classifier.parameters() if parameter.requires_grad]


@dataclass(frozen=True)
class _Data:
    """The training set as a stream of augmented, normalised batches."""

    classifier: Classifier
    pixels: PixelSource
    training_set: TrainingSet
    side: int
    batch: int
    flip: bool

    def batches(self, rng: np.random.Generator) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """One epoch in random order: images (n, 3, side, side), targets (n,), weights (n,)."""
        torch_rng = seeding.torch_generator(rng)
        order = rng.permutation(np.flatnonzero(self.training_set.weights > 0))
        # Parts of nearly equal size: batch normalisation cannot train on a last batch of one.
        parts = np.array_split(order, max(1, math.ceil(len(order) / self.batch)))
        return prefetched(parts, lambda part: self._load(part, torch_rng))

    def _load(self, part: RowArray, rng: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        images = as_tensor(self.pixels.read(self.training_set.rows[part]))
        pad = round(CROP_SHARE * images.shape[1])
        augmented = random_crop_flip(images, rng, pad=pad, flip=self.flip).numpy()
        expected, device = self.classifier.normalisation, self.classifier.device
        return (
            to_input(augmented, self.side, expected.mean, expected.std).to(device),
            torch.from_numpy(self.training_set.targets[part]).to(device),
            torch.from_numpy(self.training_set.weights[part]).to(device),
        )
