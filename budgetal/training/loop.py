"""Fine-tuning: one loop, seen whole. Its recipe says how; a term adds a loss of images beside the labelled ones."""

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from budgetal import seeding
from budgetal.data.parallel import prefetched
from budgetal.errors import BudgetalError
from budgetal.models.classifier import Classifier
from budgetal.models.compute import autocast
from budgetal.models.preprocess import as_tensor, to_input
from budgetal.training.augment import random_crop_flip
from budgetal.training.checkpoint import Checkpoint
from budgetal.training.recipe import Recipe, balanced_order, follow, has_stalled, parameter_groups, rate_factors
from budgetal.types import EpochRecord, PixelSource, RowArray, TrainingSet

# Of an image's side: four pixels of 32, as is usual for CIFAR.
CROP_SHARE = 0.125


class Term(Protocol):
    """A further loss at each step, of images beside the labelled ones."""

    @property
    def state(self) -> nn.Module:
        """What a resumed fit needs besides the network's weights, as buffers."""
        ...

    @property
    def n_steps(self) -> int:
        """Steps in an epoch, at least."""
        ...

    def draw(self, n_steps: int, rng: np.random.Generator) -> list[RowArray]:
        """What each step of an epoch sees."""
        ...

    def load(self, drawn: RowArray, classifier: Classifier, rng: torch.Generator) -> Tensor:
        """Its images (k, 3, side, side), augmented and normalised."""
        ...

    def loss(self, drawn: RowArray, features: Tensor, logits: Tensor) -> Tensor:
        """The loss of those images' features (k, d) and logits (k, m); a number that is 0 or more."""
        ...


def finetune(
    classifier: Classifier,
    pixels: PixelSource,
    training_set: TrainingSet,
    *,
    side: int,
    finetune: Literal["last_block", "full"],
    recipe: Recipe,
    rng: np.random.Generator,
    on_epoch: Callable[[EpochRecord], None],
    checkpoint: Checkpoint | None,
    flip: bool = True,
    term: Term | None = None,
) -> tuple[EpochRecord, ...]:
    """Train `classifier` in place and return what each epoch reached, of the labelled images.

    With a checkpoint, a fit that was killed goes on after its last whole epoch and ends with the same
    weights. `on_epoch` hears of the epochs done before once more, since the kill may have come before it did.
    Raises BudgetalError when the loss is not finite.
    """
    parameters = _set_trainable(classifier, finetune, frozen_statistics=recipe.frozen_statistics)
    data = _Data(classifier, pixels, training_set, side, recipe, flip, term)
    run = _Run(classifier, copy.deepcopy(classifier) if recipe.average else None, parameters, data, recipe)
    # A seed an epoch, and momentum that starts again with each: weights are the only state that a resumed fit needs.
    seeds = rng.integers(2**62, size=recipe.epochs)
    records = checkpoint.resume(run.kept) if checkpoint else ()
    for record in records:
        on_epoch(record)
    for epoch in range(len(records) + 1, recipe.epochs + 1):
        if has_stalled(recipe, records):
            break
        records = (*records, run.epoch(epoch, int(seeds[epoch - 1])))
        if checkpoint:
            checkpoint.save(run.kept, records)
        on_epoch(records[-1])
    if run.average is not None:
        classifier.load_state_dict(run.average.state_dict())
    classifier.eval()
    return records


@dataclass(frozen=True)
class _Run:
    """One fit. average: the moving average of the weights, if there is one."""

    classifier: Classifier
    average: Classifier | None
    parameters: list[nn.Parameter]
    data: "_Data"
    recipe: Recipe

    @property
    def kept(self) -> nn.Module:
        """All that a resumed fit needs."""
        parts: dict[str, nn.Module] = {"network": self.classifier}
        if self.average is not None:
            parts["average"] = self.average
        if self.data.term is not None:
            parts["term"] = self.data.term.state
        return nn.ModuleDict(parts)

    def epoch(self, epoch: int, seed: int) -> EpochRecord:
        """Train one epoch (from 1)."""
        totals = np.zeros(3)
        optimiser = self._optimiser()
        factors = rate_factors(self.recipe, epoch - 1, self.data.n_steps)
        # Dropout draws from torch's global generator: lend it this epoch's seed, then put the old one back.
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            batches = self.data.batches(np.random.default_rng(seed))
            for step, (factor, batch) in enumerate(zip(factors, batches, strict=True)):
                for group in optimiser.param_groups:
                    group["lr"] = float(factor) * group["peak"]
                totals += self._step(optimiser, batch)
                if self.average is not None:
                    done = (epoch - 1) * self.data.n_steps + step
                    follow(self.average, self.classifier, self.recipe.average, done)
        return _record(epoch, *totals.tolist())

    def _optimiser(self) -> torch.optim.Optimizer:
        groups = parameter_groups(self.parameters, self.recipe)
        momentum = self.recipe.momentum
        return torch.optim.SGD(groups, lr=self.recipe.learning_rate, momentum=momentum, nesterov=momentum > 0)

    def _step(self, optimiser: torch.optim.Optimizer, batch: "_Batch") -> np.ndarray:
        n, term = len(batch.targets), self.data.term
        with autocast(self.classifier.device):
            features = self.classifier.embed(batch.images)
            logits = self.classifier.head(features).float()
        losses = batch.weights * F.cross_entropy(logits[:n], batch.targets, reduction="none")
        loss = losses.mean()
        if term is not None and batch.drawn is not None:
            loss = loss + term.loss(batch.drawn, features[n:].float(), logits[n:])
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        if self.recipe.largest_gradient is not None:
            nn.utils.clip_grad_norm_(self.parameters, self.recipe.largest_gradient)
        optimiser.step()
        right = batch.weights * (logits[:n].argmax(1) == batch.targets)
        return np.array([float(losses.detach().sum()), float(right.sum()), float(batch.weights.sum())])


def _record(epoch: int, loss: float, right: float, weight: float) -> EpochRecord:
    if not math.isfinite(loss):
        raise BudgetalError(f"The loss is {loss} in epoch {epoch}: set a smaller learning_rate")
    return EpochRecord(epoch, loss / weight, right / weight)


def _set_trainable(
    classifier: Classifier, finetune: Literal["last_block", "full"], *, frozen_statistics: bool
) -> list[nn.Parameter]:
    """Freeze all but the part to train; frozen normalisation layers keep their statistics too."""
    parts = [classifier] if finetune == "full" else [*classifier.last_block(), classifier.head]
    classifier.eval().requires_grad_(False)
    for part in parts:
        part.train().requires_grad_(True)
    for module in classifier.modules() if frozen_statistics else ():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()
    return [parameter for parameter in classifier.parameters() if parameter.requires_grad]


@dataclass(frozen=True)
class _Batch:
    """Labelled images and then those of the term; targets and weights (n,) of the labelled ones."""

    images: Tensor
    targets: Tensor
    weights: Tensor
    drawn: RowArray | None


@dataclass(frozen=True)
class _Data:
    """The training set as a stream of augmented, normalised batches, with what a term adds."""

    classifier: Classifier
    pixels: PixelSource
    training_set: TrainingSet
    side: int
    recipe: Recipe
    flip: bool
    term: Term | None

    @property
    def n_steps(self) -> int:
        """Batches in an epoch: as many as the labelled images make, or as the term asks for."""
        return max(self._own_steps, self.term.n_steps if self.term else 0)

    @property
    def _own_steps(self) -> int:
        return max(1, math.ceil(len(self._used) / self.recipe.batch))

    @property
    def _used(self) -> RowArray:
        return np.flatnonzero(self.training_set.weights > 0)

    def batches(self, rng: np.random.Generator) -> Iterator[_Batch]:
        """One epoch in random order."""
        torch_rng = seeding.torch_generator(rng)
        passes = [self._order(rng) for _ in range(-(-self.n_steps // self._own_steps))]
        # Parts of nearly equal size: batch normalisation cannot train on a last batch of one.
        parts = np.array_split(np.concatenate(passes), self.n_steps)
        drawn = self.term.draw(self.n_steps, rng) if self.term else [None] * self.n_steps
        return prefetched(zip(parts, drawn, strict=True), lambda both: self._load(*both, torch_rng))

    def _order(self, rng: np.random.Generator) -> RowArray:
        used = self._used
        if self.recipe.balanced:
            return used[balanced_order(self.training_set.targets[used], rng)]
        return rng.permutation(used)

    def _load(self, part: RowArray, drawn: RowArray | None, rng: torch.Generator) -> _Batch:
        images = as_tensor(self.pixels.read(self.training_set.rows[part]))
        pad = round(CROP_SHARE * images.shape[1])
        augmented = random_crop_flip(images, rng, pad=pad, flip=self.flip).numpy()
        expected, device = self.classifier.normalisation, self.classifier.device
        inputs = to_input(augmented, self.side, expected.mean, expected.std)
        if self.term is not None and drawn is not None:
            inputs = torch.cat([inputs, self.term.load(drawn, self.classifier, rng)])
        targets, weights = self.training_set.targets[part], self.training_set.weights[part]
        return _Batch(
            inputs.to(device), torch.from_numpy(targets).to(device), torch.from_numpy(weights).to(device), drawn
        )
