"""How unlike known classes an image is transformed on its way through a network's layers."""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from budgetal.measures.chunks import row_blocks

_CELLS_A_CLASS = 8  # numbers held at once for each image and class: distances, orders, runs
_LEAST_SPREAD = 1e-6


def distinctiveness(
    layers: Sequence[Float[Tensor, "n _"]],
    centres: Sequence[Float[Tensor, "c _"]],
    spread: float,
) -> Float[Tensor, " n"]:
    """Distance of each image's transformation pattern from that of the classes it resembles, in [0, 1].

    `centres[l]` are class centres at layer l. With r_l(x) the squared distances from x to all centres at
    layer l, the pattern of x between two layers is r_l(x) - r_l+1(x), and what is expected of it
    Σ_c w_c(x) (r_l(centre c) - r_l+1(centre c)). The answer is the share of pairs of classes that the two
    put in opposite order, (1 - τ) / 2 with Kendall's τ, mean over consecutive layers. The weights
    w are a softmax of -r_last(x) / `spread`. O(n c (Σ d_l + log² c)) in blocks.
    """
    patterns = [landmarks(here) - landmarks(after) for here, after in pairwise(centres)]
    result = layers[0].new_zeros(len(layers[0]))
    width = max(_CELLS_A_CLASS * len(centres[0]), *(layer.shape[1] for layer in layers))
    for block in row_blocks(len(result), width):
        distances = [squared_distances(layer[block], centre) for layer, centre in zip(layers, centres, strict=True)]
        resembles = torch.softmax(-distances[-1] / spread, dim=1)
        for pattern, (here, after) in zip(patterns, pairwise(distances), strict=True):
            result[block] += discordance(here - after, resembles @ pattern)
    return result.div_(max(1, len(patterns)))


def class_centres(layer: Float[Tensor, "s d"], targets: Int[Tensor, " s"]) -> Float[Tensor, "c d"]:
    """Mean of the rows of each class that has any, by class. Raises ValueError for no row."""
    if len(targets) == 0:
        raise ValueError("There are no source images to take class centres from: give at least one a class")
    _, classes, counts = torch.unique(targets, return_inverse=True, return_counts=True)
    totals = layer.new_zeros(len(counts), layer.shape[1], dtype=torch.float64)
    for block in row_blocks(*layer.shape):
        totals.index_add_(0, classes[block], layer[block].double())
    return totals.div_(counts[:, None]).float()


def mean_squared_spread(
    layer: Float[Tensor, "s d"], targets: Int[Tensor, " s"], centres: Float[Tensor, "c d"]
) -> float:
    """Mean squared distance of rows from the centre of their class; never 0."""
    classes = torch.unique(targets, return_inverse=True)[1]
    squares = [(layer[block] - centres[classes[block]]).square().sum() for block in row_blocks(*layer.shape)]
    return max(_LEAST_SPREAD, float(torch.stack(squares).sum()) / len(targets))


def landmarks(centres: Float[Tensor, "c d"]) -> Float[Tensor, "c c"]:
    """Squared distances of the centres from each other."""
    return squared_distances(centres, centres).fill_diagonal_(0)


def squared_distances(vectors: Float[Tensor, "n d"], centres: Float[Tensor, "c d"]) -> Float[Tensor, "n c"]:
    """‖x_i - c_j‖² of every pair."""
    cross = torch.addmm(centres.square().sum(dim=1), vectors, centres.T, alpha=-2)
    return (cross + vectors.square().sum(dim=1, keepdim=True)).clamp(min=0)


def discordance(left: Float[Tensor, "n k"], right: Float[Tensor, "n k"]) -> Float[Tensor, " n"]:
    """Share of pairs of columns that `left` and `right` put in opposite order, row by row; 0 for one column.

    (1 - τ) / 2 with Kendall's τ where nothing is tied; a tied pair is in no opposite order. By merge sort,
    O(n k log² k) (Knight, JASA 1966).
    """
    by_right = right.argsort(dim=1, stable=True)
    by_left = by_right.gather(1, left.gather(1, by_right).argsort(dim=1, stable=True))
    n_pairs = left.shape[1] * (left.shape[1] - 1) / 2
    return _inversions(right.gather(1, by_left)) / max(1.0, n_pairs)


def _inversions(values: Float[Tensor, "n k"]) -> Float[Tensor, " n"]:
    """Pairs of a larger before a smaller value, merging ever longer sorted runs."""
    n, k = values.shape
    size = 1 << (k - 1).bit_length()
    runs = F.pad(values, (0, size - k), value=torch.inf)
    total = values.new_zeros(n)
    for width in (1 << level for level in range(size.bit_length() - 1)):
        halves = runs.reshape(n, -1, 2, width)
        first, second = halves[:, :, 0].contiguous(), halves[:, :, 1].contiguous()
        total += (width - torch.searchsorted(first, second, right=True)).sum(dim=(1, 2))
        runs = halves.reshape(n, -1, 2 * width).sort(dim=2).values
    return total
