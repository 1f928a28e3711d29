"""What strategies may need: how each array is named, checked, put in order, and kept from those who did not ask."""

from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from budgetal.errors import ConfigError
from budgetal.measures.checks import probabilities, unit_vectors
from budgetal.query.view import PoolView, SourceView

Need = Literal[
    "probs",
    "embeddings",
    "labelled_embeddings",
    "labelled_targets",
    "labelled_probs",
    "passes",
    "committee",
    "source",
    "shared_source",
    "target_embeddings",
    "layers",
]
NEEDS: tuple[Need, ...] = get_args(Need)


@dataclass(frozen=True)
class Supply:
    """What a need is called before users, and what to do where a run lacks it."""

    words: str
    advice: str


_BY_THE_RUN = "a project supplies it by itself"
SUPPLIES: dict[Need, Supply] = {
    "probs": Supply("probabilities", _BY_THE_RUN),
    "embeddings": Supply("embeddings", _BY_THE_RUN),
    "labelled_embeddings": Supply("labelled images", _BY_THE_RUN),
    "labelled_targets": Supply("their labels", _BY_THE_RUN),
    "labelled_probs": Supply("their probabilities", _BY_THE_RUN),
    "passes": Supply("several passes", _BY_THE_RUN),
    "committee": Supply("a committee", _BY_THE_RUN),
    "source": Supply("source data", "set source_images to a labelled collection"),
    "shared_source": Supply(
        "source data of the same classes", "set source_images to a collection labelled with the project's classes"
    ),
    "target_embeddings": Supply("target images", "set target_images to the collection where the model is to work"),
    "layers": Supply("features of several layers", _BY_THE_RUN),
}

_ALWAYS: tuple[Need, ...] = ("probs", "embeddings", "labelled_embeddings")
OPTIONAL_FIELDS = frozenset(field.name for field in fields(PoolView) if field.default is None)


def narrowed(name: str, pool: PoolView, needs: tuple[Need, ...]) -> PoolView:
    """`pool` with what `needs` names checked and in float32, and nothing else to be seen.

    What was not asked for is NaN all over (at no memory) or None, so that a strategy cannot read an array
    that it did not name. Raises ConfigError for a need that is not there, ValueError for arrays that are
    not finite or do not belong together.
    """
    for need in needs:
        if getattr(pool, field_of(need)) is None:
            raise ConfigError(lacking(name, need))
    _check_rows(pool)
    named = {field_of(need) for need in needs}
    seen = {field: _checked(field, getattr(pool, field)) for field in named}
    hidden: dict[str, Any] = {field: _unseen(getattr(pool, field)) for field in set(_ALWAYS) - named}
    absent: dict[str, Any] = dict.fromkeys(OPTIONAL_FIELDS - named)
    return replace(pool, **seen, **hidden, **absent)


def lacking(name: str, need: Need) -> str:
    """The one line for strategy `name` in a run without `need`."""
    return f"Strategy {name!r} needs {SUPPLIES[need].words}: {SUPPLIES[need].advice}"


def field_of(need: Need) -> str:
    """The PoolView field that holds what `need` asks for."""
    return "source" if need == "shared_source" else need


def reordered(pool: PoolView, order: Tensor) -> PoolView:
    """`pool` with row `order[i]` as its row i; the same object where nothing moves."""
    if torch.equal(order, torch.arange(len(order), device=order.device)):
        return pool
    return replace(
        pool,
        probs=_moved(pool.probs, order),
        embeddings=_moved(pool.embeddings, order),
        id_ranks=pool.id_ranks[order],
        passes=None if pool.passes is None else pool.passes[:, order],
        committee=None if pool.committee is None else pool.committee[:, order],
        layers=None if pool.layers is None else tuple(layer[order] for layer in pool.layers),
    )


def _check_rows(pool: PoolView) -> None:
    sizes = {len(pool.probs), len(pool.embeddings), len(pool.id_ranks), *_row_counts(pool)}
    if len(sizes) > 1:
        raise ValueError(f"probs, embeddings and id_ranks must have one row an image, got {sorted(sizes)}")
    if len(torch.unique(pool.id_ranks)) != len(pool):
        raise ValueError("id_ranks must differ from row to row: each is the rank of one sample id")


def _row_counts(pool: PoolView) -> set[int]:
    several = [tensor for tensor in (pool.passes, pool.committee) if tensor is not None]
    return {tensor.shape[1] for tensor in several} | {len(layer) for layer in pool.layers or ()}


def _checked(field: str, value: Any) -> Any:
    if field in ("probs", "labelled_probs", "passes", "committee"):
        return probabilities(value)
    if field in ("embeddings", "labelled_embeddings", "target_embeddings"):
        return unit_vectors(value)
    if field == "layers":
        return tuple(unit_vectors(layer) for layer in value)
    return _checked_source(value) if field == "source" else value


def _checked_source(source: SourceView) -> SourceView:
    layers = tuple(unit_vectors(layer) for layer in source.layers)
    return replace(source, embeddings=unit_vectors(source.embeddings), layers=layers)


def _unseen(values: Tensor) -> Tensor:
    return torch.full((), torch.nan, device=values.device).expand(values.shape)


def _moved(values: Tensor, order: Tensor) -> Tensor:
    unseen = values.stride() == (0, 0)
    return values if unseen else values[order]
