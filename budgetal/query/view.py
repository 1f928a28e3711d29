"""What a strategy sees and what it answers. It never sees which images are in the audit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class SourceView:
    """Labelled images of another collection, embedded by the network that embeds the pool.

    `targets` are indices into the pool's classes for strategies that need a `shared_source`, into the
    source's own classes otherwise. `layers` are as in PoolView.
    """

    embeddings: Float[Tensor, "s d"]
    targets: Int[Tensor, " s"]
    layers: tuple[Float[Tensor, "s _"], ...] = ()


@dataclass(frozen=True)
class PoolView:
    """All that a strategy may look at: the images without a label, as arrays on one device.

    Rows are positions in this view. `id_ranks[row]` is the rank of the row's sample id among all: it
    breaks ties and makes the answer independent of the order of rows. Embeddings are L2-normalised.
    A run supplies what its strategy needs; the rest may be None.

    labelled_targets, labelled_probs: class given and probabilities predicted for each labelled image.
    passes: probabilities of t passes with dropout, or of t heads, as the run is set.
    committee: probabilities of t heads, each fitted to a bootstrap sample of the labels.
    source: labelled images of another collection, to transfer from.
    target_embeddings: unlabelled images of the collection where the model is to work, if not this one.
    layers: features of the pool at several depths of the network, first layer first, each of length 1.
    """

    probs: Float[Tensor, "n classes"]
    embeddings: Float[Tensor, "n d"]
    id_ranks: Int[Tensor, " n"]
    labelled_embeddings: Float[Tensor, "l d"]
    n_labelled: int
    labelled_targets: Int[Tensor, " l"] | None = None
    labelled_probs: Float[Tensor, "l classes"] | None = None
    passes: Float[Tensor, "t n classes"] | None = None
    committee: Float[Tensor, "c n classes"] | None = None
    source: SourceView | None = None
    target_embeddings: Float[Tensor, "u d"] | None = None
    layers: tuple[Float[Tensor, "n _"], ...] | None = None

    def __len__(self) -> int:
        return len(self.id_ranks)

    @property
    def n_classes(self) -> int:
        """Number of classes m, known even where nothing is predicted yet."""
        return self.probs.shape[1]


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
