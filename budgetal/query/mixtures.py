"""Mixtures of two images on the boundary between their classes, to be shown as they are.

Query synthesis in input space: on the line between two images that the model puts into different classes
there is a point where it cannot decide; bisection finds it (Wang, Hu, Yuan & Lu, Neurocomputing 2015).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from budgetal.measures.checks import probabilities

Predict = Callable[[UInt8[Tensor, "n h w"]], Float[Tensor, "n classes"]]
"""Class probabilities of grey-scale images."""

# λ in steps of 2^-10: four times finer than the 256 grey levels.
_BISECTIONS = 10


@dataclass(frozen=True)
class Mixtures:
    """Images z = λ x_a + (1-λ) x_b rounded to grey levels, λ = `shares`, and what the model says of them."""

    images: UInt8[Tensor, "n h w"]
    shares: Float[Tensor, " n"]
    probs: Float[Tensor, "n classes"]


def opposite_pairs(
    probs: Float[Tensor, "n classes"], k: int, rng: np.random.Generator
) -> tuple[Int[Tensor, " k"], Int[Tensor, " k"]]:
    """Rows of k pairs of images that the model puts into different classes.

    The first rows are drawn without repetition while there are any, each second one uniformly among all
    images of other classes. Raises ValueError when k < 1 or all images are put into one class.
    """
    predicted = probabilities(probs).argmax(dim=1).cpu().numpy()
    if k < 1 or len(np.unique(predicted)) < 2:
        raise ValueError(f"Cannot make {k} pairs: need at least 1, and images put into two classes or more")
    order = rng.permutation(len(predicted))
    first = order[np.arange(k) % len(order)]
    second = [int(rng.choice(np.flatnonzero(predicted != predicted[row]))) for row in first]
    return torch.from_numpy(first), torch.tensor(second)


def mix(first: UInt8[Tensor, "n h w"], second: UInt8[Tensor, "n h w"], predict: Predict) -> Mixtures:
    """For each pair the mixture on which the model is torn between the classes of its two images.

    a, b are the classes that the model gives to the images. p_a - p_b is > 0 at λ = 1 and < 0 at λ = 0; ten
    bisections leave an interval of 2^-10 in which it changes sign, and λ is the end that is nearer to a tie.
    Where it changes sign several times, one of these places is found. `predict` is called 14 times, with
    n images each. Raises ValueError when both images of a pair are put into one class.
    """
    lead = _lead(first, second, predict)
    low, high = torch.zeros(len(first)), torch.ones(len(first))
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        leads = lead(predict(_mixed(first, second, middle))) > 0
        low, high = torch.where(leads, low, middle), torch.where(leads, middle, high)
    ends = [(share, probabilities(predict(_mixed(first, second, share)))) for share in (low, high)]
    is_low = lead(ends[0][1]).abs() <= lead(ends[1][1]).abs()
    shares = torch.where(is_low, low, high)
    return Mixtures(_mixed(first, second, shares), shares, torch.where(is_low[:, None], ends[0][1], ends[1][1]))


def _lead(first: Tensor, second: Tensor, predict: Predict) -> Callable[[Tensor], Tensor]:
    """p_a - p_b of probabilities, a and b the classes at the two ends."""
    a, b = (probabilities(predict(images)).argmax(dim=1, keepdim=True) for images in (first, second))
    if bool((a == b).any()):
        pair = int(torch.nonzero(a == b)[0, 0])
        raise ValueError(f"The model puts both images of pair {pair} into class {int(a[pair])}: nothing lies between")
    return lambda probs: (probabilities(probs).gather(1, a) - probabilities(probs).gather(1, b))[:, 0]


def _mixed(first: Tensor, second: Tensor, shares: Tensor) -> Tensor:
    weight = shares[:, None, None]
    return (weight * first + (1 - weight) * second).round().clamp(0, 255).to(torch.uint8)
