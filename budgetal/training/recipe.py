"""How a network is fine-tuned: the paper's recipe, and one for small label sets."""

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from budgetal.types import EpochRecord, RowArray

Preset = Literal["paper", "small"]
# A loss that falls by less than this share has not fallen.
LEAST_GAIN = 0.01


@dataclass(frozen=True)
class Recipe:
    """SGD on weighted cross-entropy, and what goes with it.

    warm_up: share of all steps in which the rate rises; cosine: it falls to 0 afterwards; first_layer: rate of the
    first layer as a share of the last one's, geometric between (Howard & Ruder, ACL 2018); average: decay of the moving
    average of weights that is kept in the end, 0: none (Polyak & Juditsky 1992); balanced: every class as often;
    patience: epochs without a smaller training loss after which it stops; fitted_head: the last layer begins as the one
    that is best on the features at the start (Kumar et al., ICLR 2022); frozen_statistics: normalisation layers keep
    the means and variances of pre-training, which a few labelled images cannot estimate; largest_gradient: the norm to
    which a longer gradient is cut (Pascanu et al., ICML 2013).
    """

    epochs: int
    learning_rate: float
    batch: int
    momentum: float = 0.0
    weight_decay: float = 0.0
    warm_up: float = 0.0
    cosine: bool = False
    first_layer: float = 1.0
    average: float = 0.0
    balanced: bool = False
    patience: int | None = None
    fitted_head: bool = False
    frozen_statistics: bool = False
    largest_gradient: float | None = None


PRESETS: dict[Preset, Recipe] = {
    # Gikunda, "Deep Active Learning with Budget Annotation", section IV-C.
    "paper": Recipe(epochs=15, learning_rate=0.05, batch=32),
    "small": Recipe(
        epochs=20,
        learning_rate=0.002,
        batch=32,
        momentum=0.9,
        weight_decay=5e-4,
        warm_up=0.1,
        cosine=True,
        first_layer=0.1,
        average=0.98,
        balanced=True,
        patience=10,
        fitted_head=True,
        frozen_statistics=True,
        largest_gradient=1.0,
    ),
}


def recipe_of(preset: Preset, epochs: int | None, learning_rate: float | None, batch: int | None) -> Recipe:
    """A preset, with what is not None in place of its own."""
    given = {"epochs": epochs, "learning_rate": learning_rate, "batch": batch}
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    return replace(PRESETS[preset], **changes)


def parameter_groups(parameters: list[nn.Parameter], recipe: Recipe) -> list[dict[str, Any]]:
    """One group a parameter, first layer first, with its own `peak` rate; vectors do not decay."""
    last = max(1, len(parameters) - 1)
    return [
        {
            "params": [parameter],
            "peak": recipe.learning_rate * recipe.first_layer ** (1 - place / last),
            "weight_decay": recipe.weight_decay if parameter.ndim > 1 else 0.0,
        }
        for place, parameter in enumerate(parameters)
    ]


def rate_factors(recipe: Recipe, epoch: int, n_steps: int) -> NDArray[np.float64]:
    """What the peak rate is multiplied by at each step (n_steps,) of an epoch (from 0)."""
    progress = (epoch + (np.arange(n_steps) + 0.5) / n_steps) / recipe.epochs
    factors = np.minimum(1.0, progress / recipe.warm_up) if recipe.warm_up else np.ones(n_steps)
    return factors * (1 + np.cos(math.pi * progress)) / 2 if recipe.cosine else factors


def balanced_order(targets: RowArray, rng: np.random.Generator) -> RowArray:
    """Positions (about n,) in random order with every class in `targets` (n,) equally often, ±0.

    A class with few examples has each of them several times, one with many a random part.
    """
    classes = np.unique(targets)
    share = max(1, round(len(targets) / len(classes)))
    drawn = [_repeated(np.flatnonzero(targets == one), share, rng) for one in classes]
    return rng.permutation(np.concatenate(drawn))


def _repeated(positions: RowArray, n: int, rng: np.random.Generator) -> RowArray:
    """`n` of these: whole random orders one after the other, so that none is drawn twice more than another."""
    orders = [rng.permutation(positions) for _ in range(-(-n // len(positions)))]
    return np.concatenate(orders)[:n]


def has_stalled(recipe: Recipe, records: tuple[EpochRecord, ...]) -> bool:
    """Whether the training loss has not fallen for `patience` epochs."""
    if recipe.patience is None or len(records) <= recipe.patience:
        return False
    losses = [record.train_loss for record in records]
    return min(losses[-recipe.patience :]) > (1 - LEAST_GAIN) * min(losses[: -recipe.patience])


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, decay: float, step: int) -> None:
    """Move `average` towards `network` after its step number `step` (from 0); counts of batches are copied.

    The decay is at most (1 + step) / (10 + step), so that the first weights are soon forgotten.
    """
    kept = min(decay, (1 + step) / (10 + step))
    for mean, now in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if mean.is_floating_point():
            mean.lerp_(now, 1 - kept)
        else:
            mean.copy_(now)
