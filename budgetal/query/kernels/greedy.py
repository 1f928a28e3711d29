"""Greedy batch by value · (1 - redundancy)^γ, exact, looking only at rows that can still win."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from budgetal.measures.checks import finite
from budgetal.measures.rows import Rows
from budgetal.query.kernels.lazy_greedy import lazy_greedy


@dataclass(frozen=True)
class GreedyPicks:
    """Rows in order of picking, with score and redundancy as they were at that moment."""

    rows: Int[Tensor, " k"]
    scores: Float[Tensor, " k"]
    redundancy: Float[Tensor, " k"]


def greedy_informative(
    values: Float[Tensor, " n"], embeddings: Rows, chosen: Float[Tensor, "c d"], gamma: float, k: int
) -> GreedyPicks:
    """Pick argmax_i values_i · (1 - r_i)^γ k times, r_i = max cosine with `chosen` and earlier picks.

    Cosines are clipped at 0. Ties go to the lowest row. The answer is that of computing every score after
    every pick, since a redundancy only grows; time is O(a d (c + k)), where a ≤ n is the number of rows that
    had to be looked at, memory O(n + (c + k) d).
    Raises ValueError for values that are negative or not finite, γ < 0, or k not in 0 … n.
    """
    checked = finite(values, "values")
    if bool((checked < 0).any()) or gamma < 0:
        raise ValueError("values and gamma must not be negative: a bound on the score would not hold")
    novelty = _Novelty(checked, embeddings, chosen, gamma, k)
    rows, scores = lazy_greedy(checked, k, novelty.score, novelty.take)
    return GreedyPicks(rows, scores, novelty.redundancy[rows])


class _Novelty:
    """Each row's redundancy with what was known when it was last looked at: `chosen`, then the picks in order."""

    def __init__(self, values: Tensor, embeddings: Rows, chosen: Tensor, gamma: float, k: int) -> None:
        self._values, self._embeddings, self._gamma = values, embeddings, gamma
        self._known = torch.cat([chosen.to(values), values.new_empty(k, chosen.shape[1])])
        self._n_known = len(chosen)
        self._n_seen = torch.zeros(len(values), dtype=torch.int64, device=values.device)
        self.redundancy = torch.zeros_like(values)

    def score(self, rows: Tensor) -> Tensor:
        unseen = self._known[int(self._n_seen[rows].min()) : self._n_known]
        if len(unseen):
            nearest = (self._embeddings[rows] @ unseen.T).amax(dim=1).clamp(0, 1)
            self.redundancy[rows] = torch.maximum(self.redundancy[rows], nearest)
        self._n_seen[rows] = self._n_known
        return self._values[rows] * (1 - self.redundancy[rows]).pow(self._gamma)

    def take(self, row: int) -> None:
        self._known[self._n_known] = self._embeddings[row : row + 1][0]
        self._n_known += 1
