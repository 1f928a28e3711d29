"""A tree of clusters, cut where labels say that clusters are of one class.

Hierarchical sampling (Dasgupta & Hsu, ICML 2008), grown from the top by 2-means and only where needed.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from budgetal.measures.chunks import row_blocks
from budgetal.query.kernels.kmeans import kmeans
from budgetal.query.kernels.spread_rows import spread_rows

_SPLIT_ROWS = 256  # sampled of each kind, to find the two centres of a split
_MOST_LEVELS = 32


@dataclass(frozen=True)
class ClusterTree:
    """Vectors to be labelled and vectors whose class is known, in one space.

    A node is accepted when at most `tolerance` of it can be of another class than its majority.
    """

    vectors: Float[Tensor, "n d"]
    known: Float[Tensor, "l d"]
    targets: Int[Tensor, " l"]
    n_classes: int
    tolerance: float

    def error_bounds(self, rng: np.random.Generator) -> Float[Tensor, " n"]:
        """For each vector, the most of its node that is of another class than the node's majority.

        The nodes are the cut through the tree for which the sum of these bounds is least. A node is split
        unless it is accepted, its labels are of one class, or there is nothing to tell its rows apart.
        """
        everything = torch.arange(len(self.vectors), device=self.vectors.device)
        labels = torch.arange(len(self.known), device=self.vectors.device)
        return self._cut(everything, labels, rng, _MOST_LEVELS)

    def _cut(self, rows: Tensor, labels: Tensor, rng: np.random.Generator, levels: int) -> Tensor:
        counts = torch.bincount(self.targets[labels], minlength=self.n_classes)
        bound = error_bound(counts)
        whole = self.vectors.new_full((len(rows),), bound)
        one_class = int((counts > 0).sum()) < 2
        if bound <= self.tolerance or one_class or levels == 0 or len(rows) < 2:
            return whole
        plane = self._plane(rows, labels, rng)
        beyond, known_beyond = _beyond(self.vectors, rows, plane), _beyond(self.known, labels, plane)
        sides = torch.cat([beyond, known_beyond])
        if bool(sides.all()) or not bool(sides.any()):
            return whole
        parts = torch.empty_like(whole)
        for side, known_side in ((beyond, known_beyond), (~beyond, ~known_beyond)):
            parts[side] = self._cut(rows[side], labels[known_side], rng, levels - 1)
        return parts if float(parts.sum()) < bound * len(rows) else whole

    def _plane(self, rows: Tensor, labels: Tensor, rng: np.random.Generator) -> tuple[Tensor, float]:
        """Direction and threshold between two centres of the node; (0, 0) where it has but one."""
        sample = torch.cat([_some(self.vectors, rows), _some(self.known, labels)])
        second = kmeans(sample, 2, rng) == 1
        if not bool(second.any()) or bool(second.all()):
            return torch.zeros_like(sample[0]), 0.0
        far, near = sample[second].mean(dim=0), sample[~second].mean(dim=0)
        return far - near, float((far.square().sum() - near.square().sum()) / 2)


def error_bound(counts: Int[Tensor, " classes"]) -> float:
    """1 - LCB of the majority's share p among n labels, LCB = max(0, p - 1/n - √(p (1 - p) / n)).

    The bound of Dasgupta & Hsu 2008; 1 where nothing is known, and never below 1/n.
    """
    n = int(counts.sum())
    if n == 0:
        return 1.0
    share = float(counts.max()) / n
    return 1 - max(0.0, share - 1 / n - math.sqrt(share * (1 - share) / n))


def _some(vectors: Tensor, rows: Tensor) -> Tensor:
    return vectors[rows[spread_rows(len(rows), _SPLIT_ROWS, rows.device)]]


def _beyond(vectors: Tensor, rows: Tensor, plane: tuple[Tensor, float]) -> Tensor:
    direction, threshold = plane
    result = torch.empty(len(rows), dtype=torch.bool, device=rows.device)
    for block in row_blocks(len(rows), vectors.shape[1]):
        result[block] = vectors[rows[block]] @ direction > threshold
    return result
