"""What a strategy sees and what it answers. It never sees which images are in the audit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class PoolView:
    """All that a strategy may look at: the images without a label, as arrays on one device.

    Rows are positions in this view. `id_ranks[row]` is the rank of the row's sample id among all: it
    breaks ties and makes the answer independent of the order of rows. Embeddings are L2-normalised.
    """

    probs: Float[Tensor, "n classes"]
    embeddings: Float[Tensor, "n d"]
    id_ranks: Int[Tensor, " n"]
    labelled_embeddings: Float[Tensor, "l d"]
    n_labelled: int

    def __len__(self) -> int:
        return len(self.id_ranks)


@dataclass(frozen=True)
class Selection:
    """Picked rows in the order of picking, so that a prefix is an answer too, and why they were picked.

    `uncertainty`, `correlation` and `redundancy` are the picks' measures where the strategy has them,
    `redundancy` as it was at the moment of picking. `weights` go into the journal of the round.
    """

    rows: Int[Tensor, " k"]
    scores: Float[Tensor, " k"]
    uncertainty: Float[Tensor, " k"] | None = None
    correlation: Float[Tensor, " k"] | None = None
    redundancy: Float[Tensor, " k"] | None = None
    weights: Mapping[str, float] = field(default_factory=dict)


@runtime_checkable
class QueryStrategy(Protocol):
    """Picks at most n rows of a pool. Pure: randomness comes from `rng` only, arguments are not changed.

    `select` presents the pool in the order of sample ids and n between 1 and its size.
    """

    def __call__(self, pool: PoolView, n: int, rng: np.random.Generator) -> Selection:
        """Return the picked rows in order, each once."""
        ...
