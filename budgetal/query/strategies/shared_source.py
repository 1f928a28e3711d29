"""What strategies share that take the source's classes for the project's."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from budgetal.query.strategies.given import given
from budgetal.query.view import PoolView, SourceView


def shared_source(pool: PoolView) -> SourceView:
    """The source of `pool`, whose targets are classes of the pool.

    Raises ValueError where it is empty or a target is no class of the pool.
    """
    source = pool.source
    if source is None or len(source.targets) == 0:
        raise ValueError("There is no source image to transfer from: give at least one")
    least, most = int(source.targets.min()), int(source.targets.max())
    if least < 0 or most >= pool.n_classes:
        raise ValueError(
            f"Source targets must be classes 0 … {pool.n_classes - 1} of the project, but reach from {least} to "
            f"{most}: label the source with the project's classes"
        )
    return source


def known_classes(pool: PoolView) -> tuple[Float[Tensor, "l d"], Int[Tensor, " l"]]:
    """Embeddings and classes of all images whose class is known: those of the source, then those labelled.

    Raises ValueError as `shared_source` does, and where the classes of the labelled images are missing.
    """
    source = shared_source(pool)
    targets = given(pool.labelled_targets, "labelled_targets")
    embeddings = torch.cat([source.embeddings, pool.labelled_embeddings])
    return embeddings, torch.cat([source.targets, targets.to(source.targets)])
