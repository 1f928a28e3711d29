"""Normalisation layers of weights that were made for inference, brought back before training.

Converters fold batch normalisations into the convolutions before them. Where the layer is kept it has mean 0 and
variance 1: evaluated it changes nothing, but trained with the statistics of batches it normalises what was never
normalised, and what the network knew is lost.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from torch import Tensor, nn

from budgetal.models.classifier import Classifier
from budgetal.models.preprocess import to_input
from budgetal.types import PixelSource

N_IMAGES = 256
"""Images by which means and variances are measured."""
# A folded layer has variance 1, or that less its epsilon.
TOLERANCE = 2e-3
LEAST_VARIANCE = 1e-6

BatchNorm = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d


def unfold(classifier: Classifier, parts: Iterable[nn.Module], pixels: PixelSource, side: int) -> int:
    """Measure the statistics of folded normalisation layers, in place; return how many there were.

    Each gets the mean and variance that its input has on images of the pool, and the scale and offset that undo them:
    evaluated, the network is the function that it was, up to rounding. parts: of the network, those with given weights;
    a layer that was never trained looks like a folded one. side: pixels a side of the network's input.
    """
    folded = [norm for part in parts for norm in folded_norms(part)]
    if not folded:
        return 0
    expected, rows = classifier.normalisation, np.unique(np.linspace(0, len(pixels) - 1, N_IMAGES).astype(np.int64))
    images = to_input(pixels.read(rows), side, expected.mean, expected.std)
    was_training = classifier.training
    # In the order of the network: each layer's input is that of the given weights.
    hooks = [norm.register_forward_pre_hook(_measure) for norm in folded]
    try:
        with torch.no_grad():
            classifier.eval()(images.to(classifier.device))
    finally:
        for hook in hooks:
            hook.remove()
        classifier.train(was_training)
    return len(folded)


def folded_norms(network: nn.Module) -> Iterator[BatchNorm]:
    """The layers that normalise nothing as they are."""
    for module in network.modules():
        if not isinstance(module, BatchNorm) or not module.affine or not module.track_running_stats:
            continue
        mean, variance = module.get_buffer("running_mean"), module.get_buffer("running_var")
        if bool((mean.abs() <= TOLERANCE).all() and ((variance - 1).abs() <= TOLERANCE).all()):
            yield module


def _measure(norm: BatchNorm, inputs: tuple[Tensor, ...]) -> None:
    seen = inputs[0].float()
    mean = seen.mean(dim=[0, *range(2, seen.ndim)])
    variance = seen.var(dim=[0, *range(2, seen.ndim)], unbiased=False).clamp_min(LEAST_VARIANCE)
    its_mean, its_variance = norm.get_buffer("running_mean"), norm.get_buffer("running_var")
    scale = norm.weight / (its_variance + norm.eps).sqrt()
    norm.bias.add_((mean - its_mean) * scale)
    norm.weight.copy_(scale * (variance + norm.eps).sqrt())
    its_mean.copy_(mean)
    its_variance.copy_(variance)
