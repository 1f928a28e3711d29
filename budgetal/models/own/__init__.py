"""Networks of the paper that neither torchvision nor timm has: small modules of our own, without published weights."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from torch import nn

from budgetal.errors import WeightsError
from budgetal.models.backbone_info import IMAGENET_MEAN, IMAGENET_STD, BackboneInfo, Network
from budgetal.models.own import enet, inception_v2, nin, zfnet
from budgetal.models.weights import file_state, load_strictly

IMAGENET_CLASSES = 1000


@dataclass(frozen=True)
class _Own:
    """How to build one: its features' width, the smallest side it takes, whether it was made to classify images."""

    build: Callable[[], nn.Module]
    width: int
    min_size: int
    classifies: bool = True


_OWN = {
    "nin": _Own(nin.NetworkInNetwork, nin.WIDTH, nin.MIN_SIZE),
    "enet": _Own(enet.ENetEncoder, enet.WIDTH, enet.MIN_SIZE, classifies=False),
    "zfnet": _Own(zfnet.ZFNet, zfnet.WIDTH, zfnet.MIN_SIZE),
    "inception_v2": _Own(inception_v2.InceptionV2, inception_v2.WIDTH, inception_v2.MIN_SIZE),
}
OWN = tuple(_OWN)
INPUT_SIZE = 224


@cache
def own_info(name: str) -> BackboneInfo:
    """The record of one; its parameters count a last layer of 1,000 classes where it was made to have one."""
    own = _OWN[name]
    with torch.device("meta"):
        parameters = sum(parameter.numel() for parameter in own.build().parameters())
    parameters += IMAGENET_CLASSES * (own.width + 1) if own.classifies else 0
    return BackboneInfo(name, "budgetal", parameters, INPUT_SIZE, IMAGENET_MEAN, IMAGENET_STD, False, own.min_size)


def own_network(name: str, weights: str) -> Network:
    """Build one. Raises WeightsError for published weights, which none has, and for a file that does not fit."""
    own = _OWN[name]
    network = own.build()
    if weights == "none":
        return Network(network, own.width)
    if weights in ("imagenet", "embedded"):
        raise WeightsError(f"There are no published weights of {name!r}: use --weights FILE.safetensors or none")
    state, rotated = file_state(Path(weights))
    load_strictly(network, state, weights)
    return Network(network, own.width, rotated)
