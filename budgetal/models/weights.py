"""Pre-trained weights of torchvision networks: from the network, from a file, or none."""

import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from urllib.error import URLError

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from budgetal.errors import WeightsError
from budgetal.torchvision_shim import torchvision

ROTATED = "rotated by 180 degrees"
WAYS_OUT = "use --weights FILE.safetensors, --weights embedded (with --backbone embedded) or --weights none"


def imagenet_state(name: str) -> Mapping[str, Tensor]:
    """Weights that torchvision publishes for `name`, downloaded once and checked by their hash.

    Raises WeightsError with the ways out when there are none or they cannot be reached.
    """
    weights = torchvision().models.get_model_weights(name).DEFAULT
    try:
        state: Mapping[str, Tensor] = weights.get_state_dict(progress=False, check_hash=True)
    except (URLError, OSError, RuntimeError) as error:
        reason = getattr(error, "reason", error)
        raise WeightsError(f"Cannot download ImageNet weights of {name!r} ({reason}): {WAYS_OUT}") from None
    return state


def file_state(path: Path) -> tuple[Mapping[str, Tensor], bool]:
    """Tensors of a .safetensors or .pth file, and whether they expect images turned by 180 degrees.

    Raises WeightsError when the file is missing, damaged or of another kind.
    """
    if not path.is_file():
        raise WeightsError(f"Weights file {str(path)!r} does not exist: {WAYS_OUT}")
    if path.suffix == ".safetensors":
        return _safetensors_state(path)
    if path.suffix in (".pth", ".pt"):
        return _torch_state(path), False
    raise WeightsError(f"Weights file {str(path)!r} must end in .safetensors or .pth")


def _safetensors_state(path: Path) -> tuple[Mapping[str, Tensor], bool]:
    try:
        with safe_open(path, "pt") as file:
            orientation = (file.metadata() or {}).get("input")
            state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no iterator)
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"Weights file {str(path)!r} is damaged: {error}") from None
    if orientation not in (None, ROTATED):
        raise WeightsError(f"Weights file {str(path)!r} expects input {orientation!r}, which is not known here")
    return state, orientation == ROTATED


def _torch_state(path: Path) -> Mapping[str, Tensor]:
    warnings.warn(f"{path.name} is a pickle: only plain tensors are read from it; prefer .safetensors", stacklevel=4)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, OSError, EOFError, ValueError, KeyError) as error:
        first = str(error).partition("\n")[0]
        raise WeightsError(f"Weights file {str(path)!r} cannot be read safely: {first}") from None
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise WeightsError(f"Weights file {str(path)!r} holds no plain dictionary of tensors (a state dict)")
    return state


def load_strictly(network: nn.Module, state: Mapping[str, Tensor], source: str) -> None:
    """Copy `state` into `network`. Raises WeightsError naming the first tensor that does not fit."""
    problem = first_mismatch(network.state_dict(), state)
    if problem:
        raise WeightsError(f"Weights {source!r} do not fit this network: {problem}")
    network.load_state_dict(dict(state), strict=True)


def first_mismatch(expected: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> str | None:
    """What is wrong with the first tensor, in the network's order, that does not fit; None if all fit."""
    for key, tensor in expected.items():
        if key not in state:
            return f"tensor {key!r} is missing"
        if state[key].shape != tensor.shape:
            return f"tensor {key!r} has shape {tuple(state[key].shape)} instead of {tuple(tensor.shape)}"
    unknown = next((key for key in state if key not in expected), None)
    return None if unknown is None else f"tensor {unknown!r} is not in the network"
