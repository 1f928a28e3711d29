"""What is known of a network without building it, and a network as a library gives it."""

from dataclasses import dataclass
from typing import Literal

from torch import nn

Triple = tuple[float, float, float]
Source = Literal["embedded", "torchvision", "timm", "budgetal", "joined"]

IMAGENET_MEAN: Triple = (0.485, 0.456, 0.406)
IMAGENET_STD: Triple = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class BackboneInfo:
    """What is known of a network without building it. `input_size`: pixels a side its weights expect.

    `parameters`: with the original last layer; None: not known. `min_size`: the smallest side it takes;
    `fixed_size`: whether `input_size` is the only one.
    """

    name: str
    source: Source
    parameters: int | None
    input_size: int
    mean: Triple
    std: Triple
    has_weights: bool
    min_size: int = 1
    fixed_size: bool = False


@dataclass(frozen=True)
class Network:
    """A network without its last layer, how many features it gives, and whether it expects images turned by 180°."""

    backbone: nn.Module
    width: int
    rotated: bool = False
