"""What a network sees on the way: the features of several depths."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from budgetal.errors import ConfigError
from budgetal.models.classifier import Classifier
from budgetal.models.compute import autocast
from budgetal.models.predict import OnProgress, batches, inputs
from budgetal.types import PixelSource


@dataclass(frozen=True)
class Depth:
    """A module after which the resolution changes, the side of its maps there, and how many channels it gives."""

    module: str
    resolution: int
    width: int


def depths(classifier: Classifier, side: int) -> tuple[Depth, ...]:
    """The last module of each resolution, first to last, found by running one image of `side` pixels.

    So every convolutional network has its layers without being asked for their names. Raises ConfigError
    for a network whose maps have one resolution or none, such as a vision transformer.
    """
    seen: dict[int, Depth] = {}

    def note(name: str, maps: Tensor) -> None:
        # A square image has square maps; in some transformers the channels come last. What is enlarged again,
        # as by the pooling before an old classifier, is not seen earlier for that.
        if _is_square(maps) and 1 < maps.shape[2] <= min((side - 1, *seen)):
            seen[maps.shape[2]] = Depth(name, maps.shape[2], maps.shape[1])

    names = [name for name, _ in classifier.backbone.named_modules() if name]
    with _listening(classifier.backbone, names, note), torch.inference_mode():
        classifier.embed(torch.zeros(1, 3, side, side, device=classifier.device))
    if len(seen) < 2:
        raise ConfigError(
            f"Features of several layers need maps of two resolutions or more, and this network has {len(seen)}: "
            "choose a convolutional backbone, or a strategy that needs no layers"
        )
    return tuple(depth for _, depth in sorted(seen.items(), reverse=True))


def layer_features(
    classifier: Classifier,
    pixels: PixelSource,
    found: tuple[Depth, ...],
    *,
    side: int,
    batch: int = 256,
    on_progress: OnProgress | None = None,
) -> NDArray[np.float32]:
    """Channel means of each depth for every image, side by side: (n, sum of widths), rows in pixel order."""
    features = np.empty((len(pixels), sum(depth.width for depth in found)), np.float32)
    done = 0
    means: dict[Depth, Tensor] = {}

    def note(name: str, maps: Tensor) -> None:
        # A module may run at several resolutions: a ReLU that a block uses three times.
        for depth in found:
            if depth.module == name and _is_square(maps) and maps.shape[2] == depth.resolution:
                means[depth] = maps.float().mean(dim=(2, 3))

    with _listening(classifier.backbone, list({depth.module for depth in found}), note), torch.inference_mode():
        for images in inputs(classifier, pixels, batches(len(pixels), batch), side):
            with autocast(classifier.device):
                classifier.embed(images)
            joined = torch.cat([means[depth] for depth in found], dim=1)
            features[done : done + len(images)] = joined.cpu().numpy()
            done += len(images)
            if on_progress:
                on_progress(done, len(pixels))
    return features


def split_by_depth(features: NDArray[np.float32], found: tuple[Depth, ...]) -> list[NDArray[np.float32]]:
    """The parts of `layer_features`, one array (n, width) a depth."""
    return np.split(features, np.cumsum([depth.width for depth in found])[:-1], axis=1)


def _is_square(maps: Tensor) -> bool:
    return maps.ndim == 4 and maps.shape[2] == maps.shape[3]


@contextmanager
def _listening(network: nn.Module, names: list[str], note: Callable[[str, Tensor], None]) -> Iterator[None]:
    """Call `note(name, output)` whenever one of the modules has run."""

    def hook_of(name: str) -> Callable[[nn.Module, object, object], None]:
        return lambda _module, _inputs, output: note(name, output) if isinstance(output, Tensor) else None

    hooks = [network.get_submodule(name).register_forward_hook(hook_of(name)) for name in names]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
