"""Networks by name: the embedded encoder and every classification network of torchvision."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from budgetal.errors import ConfigError, WeightsError
from budgetal.models import embedded
from budgetal.models.classifier import Classifier, Normalisation, replace_last_layer
from budgetal.models.weights import file_state, imagenet_state, load_strictly
from budgetal.registry import unknown_name
from budgetal.torchvision_shim import torchvision

EMBEDDED = "embedded"
# Small images are enlarged so far and no further: three times the side costs nine times the work, and
# more pixels hold no more information.
ENLARGEMENT = 3
SMALLEST_SIDE = 96
# Their position embeddings, or their partition into windows, belong to one input size.
_FIXED_SIZE = ("vit_", "maxvit")
_WITH_AUXILIARY = ("googlenet", "inception_v3")

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class BackboneInfo:
    """What is known of a network without building it. `input_size`: pixels a side its weights expect.

    `parameters`: with the original last layer; None: not known. `min_size`: the smallest side it takes.
    """

    name: str
    source: Literal["embedded", "torchvision"]
    parameters: int | None
    input_size: int
    mean: Triple
    std: Triple
    has_weights: bool
    min_size: int = 1


def list_backbones() -> list[BackboneInfo]:
    """Every backbone, the embedded one first, then torchvision's by name. Builds none of them."""
    models = torchvision().models
    return [_embedded_info(), *map(_torchvision_info, models.list_models(module=models))]


def backbone_info(name: str) -> BackboneInfo:
    """The record of one backbone. Raises ConfigError, with a suggestion, for an unknown name."""
    known = {info.name: info for info in list_backbones()}
    if name not in known:
        raise ConfigError(unknown_name("backbone", name, list(known)))
    return known[name]


@cache
def _embedded_info() -> BackboneInfo:
    with torch.device("meta"):
        parameters = sum(parameter.numel() for parameter in embedded.EmbeddedEncoder().parameters())
    size = embedded.INPUT_SIZE
    return BackboneInfo(EMBEDDED, "embedded", parameters, size, embedded.MEAN, embedded.STD, True, size)


def _torchvision_info(name: str) -> BackboneInfo:
    weights: Any = torchvision().models.get_model_weights(name).DEFAULT
    expected = weights.transforms()
    return BackboneInfo(
        name,
        "torchvision",
        weights.meta["num_params"],
        expected.crop_size[0],
        tuple(expected.mean),
        tuple(expected.std),
        True,
        max(weights.meta.get("min_size", (1, 1))),
    )


def default_input_size(name: str, native_side: int | None) -> int:
    """Pixels a side at which to run a backbone on images of `native_side` (None: large or unknown).

    The embedded encoder: 32. torchvision: what the weights expect, or for small images the next multiple
    of 32 from three times their side, at least 96 and the network's minimum.
    """
    info = backbone_info(name)
    if native_side is None or name == EMBEDDED or name.startswith(_FIXED_SIZE):
        return info.input_size
    wanted = max(SMALLEST_SIDE, ENLARGEMENT * native_side, info.min_size)
    return min(info.input_size, -(-wanted // 32) * 32)


def check_input_size(name: str, side: int) -> None:
    """Raise ConfigError when the backbone cannot run on inputs of `side` pixels."""
    info = backbone_info(name)
    if name.startswith(_FIXED_SIZE) and side != info.input_size:
        raise ConfigError(f"Backbone {name!r} runs at {info.input_size} pixels only, not {side}")
    if name != EMBEDDED and side < info.min_size:
        raise ConfigError(f"Backbone {name!r} needs inputs of {info.min_size} pixels or more, not {side}")


def build_classifier(name: str, weights: str, n_classes: int, rng: np.random.Generator) -> Classifier:
    """A network with a new last layer of `n_classes` outputs, in evaluation mode.

    `weights`: `embedded`, `imagenet`, a .safetensors or .pth file, or `none` (random ones from `rng`).
    Raises ConfigError for an unknown name, WeightsError for weights that cannot be had or do not fit.
    """
    info = backbone_info(name)
    # torch draws initial weights from its global generator: seed a copy of it, and put the old one back.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(rng.integers(2**62)))
        if name == EMBEDDED:
            backbone, rotated = _embedded_backbone(weights)
            width = embedded.EMBEDDING_WIDTH
        else:
            backbone, rotated = _torchvision_network(name, weights)
            width = replace_last_layer(backbone)
        head = nn.Linear(width, n_classes)
    classifier = Classifier(backbone, head, Normalisation(info.mean, info.std, rotated))
    return classifier.to(memory_format=torch.channels_last).eval()  # type: ignore[call-overload,no-any-return]


def _embedded_backbone(weights: str) -> tuple[nn.Module, bool]:
    if weights == EMBEDDED:
        return embedded.load_embedded_encoder(), False
    if weights == "imagenet":
        raise WeightsError(
            "The embedded encoder has no ImageNet weights: use --weights embedded, FILE.safetensors or none"
        )
    encoder = embedded.EmbeddedEncoder()
    if weights == "none":
        return encoder, False
    state, rotated = file_state(Path(weights))
    load_strictly(encoder, state, weights)
    return encoder, rotated


def _torchvision_network(name: str, weights: str) -> tuple[nn.Module, bool]:
    if weights == EMBEDDED:
        raise WeightsError(
            f"Weights 'embedded' are those of --backbone embedded, not of {name!r}: "
            "use --weights imagenet, FILE.safetensors or none"
        )
    if weights == "none":
        return _without_auxiliary(_construct(name, pretrained=False, auxiliary=False)), False
    state, rotated = (imagenet_state(name), False) if weights == "imagenet" else file_state(Path(weights))
    auxiliary = any(key.lower().startswith("aux") for key in state)
    network = _construct(name, pretrained=True, auxiliary=auxiliary)
    load_strictly(network, state, weights)
    return _without_auxiliary(network), rotated


def _construct(name: str, *, pretrained: bool, auxiliary: bool) -> nn.Module:
    settings: dict[str, bool] = {}
    if name in _WITH_AUXILIARY:
        # The published weights were ported from a framework that normalises inputs in another way.
        settings = {"transform_input": pretrained, "aux_logits": auxiliary, "init_weights": not pretrained}
    network: nn.Module = torchvision().models.get_model(name, weights=None, **settings)
    return network


def _without_auxiliary(network: nn.Module) -> nn.Module:
    """Switch off the extra classifiers of GoogLeNet and Inception, which serve training from scratch only."""
    for name in ("aux1", "aux2", "AuxLogits"):
        if name in dict(network.named_children()):
            setattr(network, name, None)
    if "aux_logits" in vars(network):
        vars(network)["aux_logits"] = False
    return network
