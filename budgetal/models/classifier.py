"""A backbone with its last layer replaced by one for the project's classes."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

# Modules that hold blocks in a row, which the search for the last block opens.
_CONTAINERS = ("encoder", "blocks")


@dataclass(frozen=True)
class Normalisation:
    """What a network's weights expect: channel mean and standard deviation of images in [0, 1].

    `rotated`: the weights were trained on images turned by 180 degrees.
    """

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    rotated: bool = False


class Classifier(nn.Module):
    """`backbone` turns normalised images into features, `head` turns features into logits."""

    def __init__(self, backbone: nn.Module, head: nn.Linear, normalisation: Normalisation) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.normalisation = normalisation

    def forward(self, images: Tensor) -> Tensor:
        """Normalised images (n, 3, side, side) to logits (n, classes)."""
        logits: Tensor = self.head(self.embed(images))
        return logits

    def embed(self, images: Tensor) -> Tensor:
        """Normalised images (n, 3, side, side) to features (n, d), the input of the last layer."""
        if self.normalisation.rotated:
            images = images.flip(2, 3)
        return torch.flatten(self.backbone(images), 1)

    @property
    def width(self) -> int:
        """Number of features d."""
        return self.head.in_features

    @property
    def device(self) -> str:
        """Type of the processor that holds the weights: `cpu` or `cuda`."""
        return self.head.weight.device.type

    def last_block(self) -> tuple[nn.Module, ...]:
        """The backbone's last block with weights, and the normalisation layers after it."""
        return tuple(_last_block(self.backbone))


def _last_block(module: nn.Module) -> list[nn.Module]:
    found: list[nn.Module] = []
    for name, child in reversed(list(module.named_children())):
        found += _last_block(child) if _is_container(name, child) else [child] * _has_parameters(child)
        # A normalisation layer has vectors only; the block before it has matrices.
        if any(parameter.ndim > 1 for part in found for parameter in part.parameters()):
            break
    return found


def _has_parameters(module: nn.Module) -> bool:
    return next(module.parameters(), None) is not None


def _is_container(name: str, module: nn.Module) -> bool:
    # Exact types: a subclass such as torchvision's Conv2dNormActivation is one block.
    return type(module) in (nn.Sequential, nn.ModuleList) or name in _CONTAINERS


def replace_last_layer(network: nn.Module) -> int:
    """Cut a torchvision classification network after its features, in place; return their width.

    The last Linear becomes Identity. SqueezeNet ends in a convolution with an output a class, then an
    average: there the averaged input of that convolution is the feature vector.
    """
    name, layer = _last_layer(network)
    if isinstance(layer, nn.Conv2d):
        network.set_submodule(name.rpartition(".")[0], nn.AdaptiveAvgPool2d(1))
        return layer.in_channels
    if not isinstance(layer, nn.Linear):
        raise ValueError(f"{type(network).__name__} ends in a {type(layer).__name__}: nothing to replace")
    network.set_submodule(name, nn.Identity())
    return layer.in_features


def _last_layer(network: nn.Module) -> tuple[str, nn.Module]:
    modules: dict[str, nn.Module] = dict(network.named_modules())
    name = [name for name, module in modules.items() if isinstance(module, (nn.Linear, nn.Conv2d))][-1]
    return name, modules[name]
