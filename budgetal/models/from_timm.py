"""Networks of timm, an extra: `timm:NAME` is any of its models, and two of the paper's have names of their own."""

import difflib
import importlib
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import Tensor, nn

from budgetal.errors import ConfigError, WeightsError
from budgetal.models.backbone_info import BackboneInfo, Network
from budgetal.models.weights import WAYS_OUT, file_state, load_strictly
from budgetal.torchvision_shim import torchvision

PREFIX = "timm:"
INSTALL = "pip install 'budgetal[timm]'"
_HALF = (0.5, 0.5, 0.5)

NAMED = {
    # Szegedy, Ioffe, Vanhoucke & Alemi, "Inception-v4, Inception-ResNet and the Impact of Residual
    # Connections on Learning", AAAI 2017.
    "inception_v4": BackboneInfo("inception_v4", "timm", 42_679_816, 299, _HALF, _HALF, True, 75),
    "inception_resnet_v2": BackboneInfo("inception_resnet_v2", "timm", 55_843_464, 299, _HALF, _HALF, True, 75),
}
"""Listed also where timm is not installed, so that one knows that they can be had."""


def is_timm(name: str) -> bool:
    """Whether timm builds this backbone."""
    return name.startswith(PREFIX) or name in NAMED


def timm_info(name: str) -> BackboneInfo:
    """The record of one. Raises ConfigError for an unknown name, or where timm is not installed."""
    if name in NAMED:
        return NAMED[name]
    config = _config(name)
    side = max(config.input_size[1:])
    smallest = max(config.min_input_size[1:]) if config.min_input_size else 1
    has_weights = bool(config.hf_hub_id or config.url or config.file)
    return BackboneInfo(
        name, "timm", None, side, config.mean, config.std, has_weights, smallest, bool(config.fixed_input_size)
    )


def timm_network(name: str, weights: str) -> Network:
    """Build one without its last layer. Raises WeightsError for weights that cannot be had or do not fit."""
    if weights == "embedded":
        raise WeightsError(
            f"Weights 'embedded' are those of --backbone embedded, not of {name!r}: "
            "use --weights imagenet, FILE.safetensors or none"
        )
    network: Any = _timm().create_model(_model(name))
    rotated = False
    if weights != "none":
        state, rotated = (_published(name), False) if weights == "imagenet" else file_state(Path(weights))
        load_strictly(network, state, weights)
    network.reset_classifier(0)
    # Some networks have a hidden layer between their features and the classifier.
    return Network(network, getattr(network, "head_hidden_size", network.num_features), rotated)


def _published(name: str) -> Mapping[str, Tensor]:
    if not timm_info(name).has_weights:
        raise WeightsError(f"timm has no published weights of {name!r}: use --weights FILE.safetensors or none")
    try:
        network: nn.Module = _timm().create_model(_model(name), pretrained=True)
    except (OSError, RuntimeError) as error:
        first = str(error).partition("\n")[0]
        raise WeightsError(f"Cannot download timm's weights of {name!r} ({first}): {WAYS_OUT}") from None
    return network.state_dict()


def _config(name: str) -> Any:
    timm = _timm()
    try:
        # Of a name with a tag, "NETWORK.WEIGHTS", a wrong tag raises; an unknown network has no record.
        config = timm.get_pretrained_cfg(_model(name)) if timm.is_model(_model(name)) else None
    except RuntimeError:
        config = None
    if config is None:
        raise ConfigError(_unknown(name, [*timm.list_models(), *timm.list_pretrained()]))
    return config


def _unknown(name: str, models: list[str]) -> str:
    close = difflib.get_close_matches(name, [PREFIX + model for model in models], n=1)
    # Without a near one: thousands of names are no answer.
    hint = f"did you mean {close[0]!r}?" if close else "timm.list_models() has their names"
    return f"Unknown backbone {name!r}: {hint}"


def _model(name: str) -> str:
    return name.removeprefix(PREFIX)


def _timm() -> ModuleType:
    torchvision()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=FutureWarning, module="timm")
            return importlib.import_module("timm")
    except ImportError:
        raise ConfigError(f"Networks of timm need the package timm: {INSTALL}") from None
