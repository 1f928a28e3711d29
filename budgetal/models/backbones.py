"""Networks by name: the embedded encoder, those of torchvision and timm, our own, and several joined."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import nn

from budgetal.errors import ConfigError, WeightsError
from budgetal.models import embedded
from budgetal.models.backbone_info import BackboneInfo, Network
from budgetal.models.classifier import Classifier, Normalisation
from budgetal.models.from_timm import NAMED, is_timm, timm_info, timm_network
from budgetal.models.from_torchvision import torchvision_info, torchvision_names, torchvision_network
from budgetal.models.joined import JoinedBackbone, Normalised, Part, is_joined, parts_of, weights_of
from budgetal.models.own import OWN, own_info, own_network
from budgetal.models.weights import file_state, load_strictly
from budgetal.registry import unknown_name

EMBEDDED = "embedded"
# Small images are enlarged so far and no further: three times the side costs nine times the work, and
# more pixels hold no more information.
ENLARGEMENT = 3
SMALLEST_SIDE = 96
_AS_THEY_ARE = Normalisation((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


def list_backbones() -> list[BackboneInfo]:
    """Every backbone with a name here, the embedded one first, then the others by name. Builds none of them."""
    others = [*map(torchvision_info, torchvision_names()), *NAMED.values(), *map(own_info, OWN)]
    return [_embedded_info(), *sorted(others, key=lambda info: info.name)]


def backbone_info(name: str) -> BackboneInfo:
    """The record of one backbone. Raises ConfigError, with a suggestion, for an unknown name."""
    if is_joined(name):
        return _joined_info(name)
    if is_timm(name):
        return timm_info(name)
    known = {info.name: info for info in list_backbones()}
    if name not in known:
        raise ConfigError(unknown_name("backbone", name, list(known)))
    return known[name]


def _joined_info(name: str) -> BackboneInfo:
    infos = [backbone_info(part.name) for part in parts_of(name)]
    counts = [info.parameters for info in infos if info.parameters is not None]
    parameters = sum(counts) if len(counts) == len(infos) else None
    has_weights = all(info.has_weights for info in infos)
    size = default_input_size(name, None)
    return BackboneInfo(name, "joined", parameters, size, _AS_THEY_ARE.mean, _AS_THEY_ARE.std, has_weights)


@cache
def _embedded_info() -> BackboneInfo:
    with torch.device("meta"):
        parameters = sum(parameter.numel() for parameter in embedded.EmbeddedEncoder().parameters())
    size = embedded.INPUT_SIZE
    return BackboneInfo(EMBEDDED, "embedded", parameters, size, embedded.MEAN, embedded.STD, True, size)


def default_input_size(name: str, native_side: int | None) -> int:
    """Pixels a side at which to run a backbone on images of `native_side` (None: large or unknown).

    The embedded encoder: 32. Others: what the weights expect, or for small images the next multiple
    of 32 from three times their side, at least 96 and the network's minimum. Joined networks: the largest of
    theirs, or the images' own side where that is smaller, since each network resizes what it gets.
    """
    if is_joined(name):
        largest = max(_part_side(part, native_side) for part in parts_of(name))
        return largest if native_side is None else min(largest, native_side)
    info = backbone_info(name)
    if native_side is None or name == EMBEDDED or info.fixed_size:
        return info.input_size
    wanted = max(SMALLEST_SIDE, ENLARGEMENT * native_side, info.min_size)
    return min(info.input_size, -(-wanted // 32) * 32)


def check_input_size(name: str, side: int) -> None:
    """Raise ConfigError when the backbone cannot run on inputs of `side` pixels."""
    if is_joined(name):
        for part in parts_of(name):
            check_input_size(part.name, _part_side(part, side))
        return
    info = backbone_info(name)
    if info.fixed_size and side != info.input_size:
        raise ConfigError(f"Backbone {name!r} runs at {info.input_size} pixels only, not {side}")
    if name != EMBEDDED and side < info.min_size:
        raise ConfigError(f"Backbone {name!r} needs inputs of {info.min_size} pixels or more, not {side}")


def _part_side(part: Part, native_side: int | None) -> int:
    return part.side or default_input_size(part.name, native_side)


def build_classifier(
    name: str, weights: str, n_classes: int, rng: np.random.Generator, side: int | None = None
) -> Classifier:
    """A network with a new last layer of `n_classes` outputs, in evaluation mode.

    `weights`: `embedded`, `imagenet`, a .safetensors or .pth file, or `none` (random ones from `rng`); for joined
    networks one each, joined by `+`, or one `none`. `side`: of the images, for joined networks without sizes.
    Raises ConfigError for an unknown name, WeightsError for weights that cannot be had or do not fit.
    """
    # torch draws initial weights from its global generator: seed a copy of it, and put the old one back.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(rng.integers(2**62)))
        network = _joined_network(name, weights, side) if is_joined(name) else _single_network(name, weights)
        head = nn.Linear(network.width, n_classes)
    classifier = Classifier(network.backbone, head, network.normalisation)
    return classifier.to(memory_format=torch.channels_last).eval()  # type: ignore[call-overload,no-any-return]


@dataclass(frozen=True)
class _Expecting:
    """A network without its last layer, how many features it gives, and what it expects."""

    backbone: nn.Module
    width: int
    normalisation: Normalisation


def _joined_network(name: str, weights: str, side: int | None) -> _Expecting:
    parts = parts_of(name)
    given = ("none",) * len(parts) if weights == "none" else weights_of(weights, len(parts))
    networks = [_single_network(part.name, own) for part, own in zip(parts, given, strict=True)]
    joined = JoinedBackbone(
        [for_plain_images(network.backbone, network.normalisation) for network in networks],
        [_part_side(part, side) for part in parts],
    )
    return _Expecting(joined, sum(network.width for network in networks), _AS_THEY_ARE)


def for_plain_images(backbone: nn.Module, expected: Normalisation) -> Normalised:
    """The same network, for images in [0, 1]."""
    return Normalised(backbone, expected.mean, expected.std, rotated=expected.rotated)


def side_by_side(
    one: Classifier, side: int, other: Classifier, other_side: int
) -> tuple[JoinedBackbone, Normalisation]:
    """The backbones of two classifiers as one, for images in [0, 1]; `side`, `other_side`: at which each runs."""
    if isinstance(one.backbone, JoinedBackbone):
        networks, sides = list(one.backbone.networks), list(one.backbone.sides)
    else:
        networks, sides = [for_plain_images(one.backbone, one.normalisation)], [side]
    added = for_plain_images(other.backbone, other.normalisation)
    return JoinedBackbone([*networks, added], [*sides, other_side]), _AS_THEY_ARE


def _single_network(name: str, weights: str) -> _Expecting:
    info = backbone_info(name)
    network = _network(info, weights)
    return _Expecting(network.backbone, network.width, Normalisation(info.mean, info.std, network.rotated))


def _network(info: BackboneInfo, weights: str) -> Network:
    if info.source == "embedded":
        return _embedded_network(weights)
    if info.source == "timm":
        return timm_network(info.name, weights)
    if info.source == "budgetal":
        return own_network(info.name, weights)
    return torchvision_network(info.name, weights)


def _embedded_network(weights: str) -> Network:
    if weights == EMBEDDED:
        return Network(embedded.load_embedded_encoder(), embedded.EMBEDDING_WIDTH)
    if weights == "imagenet":
        raise WeightsError(
            "The embedded encoder has no ImageNet weights: use --weights embedded, FILE.safetensors or none"
        )
    encoder = embedded.EmbeddedEncoder()
    if weights == "none":
        return Network(encoder, embedded.EMBEDDING_WIDTH)
    state, rotated = file_state(Path(weights))
    load_strictly(encoder, state, weights)
    return Network(encoder, embedded.EMBEDDING_WIDTH, rotated)
