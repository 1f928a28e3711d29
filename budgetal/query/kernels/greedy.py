"""Greedy batch by value · (1 - redundancy)^γ, exact, looking only at rows that can still win.

A row's redundancy only grows while images are picked, so its score only falls: the last score
computed for a row bounds what it is worth now. Rows enter the active set, best bound first, when a
bound reaches the active best.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from budgetal.measures.checks import finite
from budgetal.measures.correlation import redundancy

_FIRST_BLOCK = 2048


@dataclass(frozen=True)
class GreedyPicks:
    """Rows in order of picking, with score and redundancy as they were at that moment."""

    rows: Int[Tensor, " k"]
    scores: Float[Tensor, " k"]
    redundancy: Float[Tensor, " k"]


def greedy_informative(
    values: Float[Tensor, " n"],
    embeddings: Float[Tensor, "n d"],
    chosen: Float[Tensor, "c d"],
    gamma: float,
    k: int,
) -> GreedyPicks:
    """Pick argmax_i values_i · (1 - r_i)^γ k times, r_i = max cosine with `chosen` and earlier picks.

    Cosines are clipped at 0. Ties go to the lowest row. The answer is that of computing every score
    after every pick; time is O(a d (c + k)), where a ≤ n is the number of rows that had to be looked at.
    Raises ValueError for values that are negative or not finite, γ < 0, or k not in 0 … n.
    """
    checked = finite(values, "values")
    if bool((checked < 0).any()) or gamma < 0:
        raise ValueError("values and gamma must not be negative: a bound on the score would not hold")
    if not 0 <= k <= len(values):
        raise ValueError(f"k must be in 0 … {len(values)}, but is {k}")
    search = _Search(checked, embeddings, chosen, gamma)
    for _ in range(k):
        search.pick()
    return search.picks()


class _Search:
    """The active set, a prefix of the queue of rows by their bound: the score at redundancy 0."""

    def __init__(self, values: Tensor, embeddings: Tensor, chosen: Tensor, gamma: float) -> None:
        self._bounds, self._queue = values.sort(descending=True, stable=True)
        self._embeddings, self._known, self._gamma = embeddings, chosen.to(embeddings), gamma
        self._active = embeddings[:0]
        self._redundancy, self._scores = values[:0], values[:0]
        self._places: list[int] = []
        self._taken: list[tuple[Tensor, Tensor]] = []

    def pick(self) -> None:
        while len(self._active) < len(self._queue) and self._next_bound() >= self._best():
            self._grow()
        place = self._lowest_row_of_best()
        self._places.append(place)
        self._taken.append((self._scores[place], self._redundancy[place]))
        self._redundancy = torch.maximum(self._redundancy, self._active @ self._active[place])
        self._rescore()

    def picks(self) -> GreedyPicks:
        if not self._places:
            return GreedyPicks(self._queue[:0], self._bounds[:0], self._bounds[:0])
        scores, redundancies = zip(*self._taken, strict=True)
        return GreedyPicks(self._queue[self._places], torch.stack(scores), torch.stack(redundancies))

    def _next_bound(self) -> float:
        return float(self._bounds[len(self._active)])

    def _best(self) -> float:
        return float(self._scores.max()) if len(self._active) else -1.0

    def _lowest_row_of_best(self) -> int:
        places = torch.nonzero(self._scores == self._scores.max())[:, 0]
        return int(places[self._queue[places].argmin()])

    def _grow(self) -> None:
        """Double the active set: compute what the next rows of the queue are worth now."""
        start = len(self._active)
        vectors = self._embeddings[self._queue[start : start + max(_FIRST_BLOCK, start)]]
        known = torch.cat([self._known, self._active[self._places]])
        self._active = torch.cat([self._active, vectors])
        self._redundancy = torch.cat([self._redundancy, redundancy(vectors, known)])
        self._rescore()

    def _rescore(self) -> None:
        novelty = (1 - self._redundancy).clamp(0, 1)
        self._scores = self._bounds[: len(self._active)] * novelty.pow(self._gamma)
        self._scores[self._places] = -1  # never again, even where all that remains scores 0
