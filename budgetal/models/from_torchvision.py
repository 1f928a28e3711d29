"""Every classification network of torchvision."""

from pathlib import Path
from typing import Any

from torch import nn

from budgetal.errors import WeightsError
from budgetal.models.backbone_info import BackboneInfo, Network
from budgetal.models.classifier import replace_last_layer
from budgetal.models.weights import file_state, imagenet_state, load_strictly
from budgetal.torchvision_shim import torchvision

# Their position embeddings, or their partition into windows, belong to one input size.
_FIXED_SIZE = ("vit_", "maxvit")
_WITH_AUXILIARY = ("googlenet", "inception_v3")


def torchvision_names() -> list[str]:
    """Names of all of them."""
    models = torchvision().models
    return list(models.list_models(module=models))


def torchvision_info(name: str) -> BackboneInfo:
    """The record of one, from what torchvision says of its weights."""
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
        name.startswith(_FIXED_SIZE),
    )


def torchvision_network(name: str, weights: str) -> Network:
    """Build one without its last layer. Raises WeightsError for weights that cannot be had or do not fit."""
    network, rotated = _weighted(name, weights)
    return Network(network, replace_last_layer(network), rotated)


def _weighted(name: str, weights: str) -> tuple[nn.Module, bool]:
    if weights == "embedded":
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
