"""Small pools, ordinary and degenerate, with everything that any strategy may need."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from budgetal.query import PoolView, Selection, SourceView, select
from budgetal.query.needs import OPTIONAL_FIELDS

FLOAT_FIELDS = (
    "probs",
    "embeddings",
    "labelled_embeddings",
    "labelled_probs",
    "passes",
    "committee",
    "target_embeddings",
)
TENSOR_FIELDS = (*FLOAT_FIELDS, "id_ranks", "labelled_targets")


def make_pool(n: int = 60, n_labelled: int = 8, n_classes: int = 4, width: int = 6, seed: int = 0) -> PoolView:
    """A pool with everything that any strategy may need."""
    rng = np.random.default_rng(seed)
    embeddings = unit_rows(rng, n + n_labelled, width)
    source = SourceView(
        embeddings=unit_rows(rng, 30, width),
        targets=torch.from_numpy(rng.integers(n_classes, size=30)),
        layers=(unit_rows(rng, 30, 3), unit_rows(rng, 30, 5)),
    )
    return PoolView(
        probs=softmaxes(rng, n, n_classes),
        embeddings=embeddings[:n],
        id_ranks=torch.from_numpy(rng.permutation(n + 20)[:n]),
        labelled_embeddings=embeddings[n:],
        n_labelled=n_labelled,
        labelled_targets=torch.from_numpy(rng.integers(n_classes, size=n_labelled)),
        labelled_probs=softmaxes(rng, n_labelled, n_classes),
        passes=softmaxes(rng, 5, n, n_classes),
        committee=softmaxes(rng, 3, n, n_classes),
        source=source,
        target_embeddings=unit_rows(rng, 20, width),
        layers=(unit_rows(rng, n, 3), unit_rows(rng, n, 5)),
    )


def unit_rows(rng: np.random.Generator, n: int, width: int) -> Tensor:
    """Random embeddings (n, width)."""
    return F.normalize(torch.from_numpy(rng.standard_normal((n, width)).astype(np.float32)), dim=1)


def softmaxes(rng: np.random.Generator, *shape: int) -> Tensor:
    """Random probabilities over the last axis."""
    return torch.softmax(2 * torch.from_numpy(rng.standard_normal(shape).astype(np.float32)), dim=-1)


def in_order(pool: PoolView, order: Tensor) -> PoolView:
    """The same images in another order of rows."""
    moved = _over_rows(pool, lambda array, axis: array.index_select(axis, order))
    return replace(moved, id_ranks=pool.id_ranks[order])


def all_alike(pool: PoolView) -> PoolView:
    """Every image is the first one."""
    return _over_rows(pool, lambda array, axis: array.narrow(axis, 0, 1).expand_as(array).contiguous())


def certain(pool: PoolView) -> PoolView:
    """Every pass is sure of class 2."""
    one_hot = torch.eye(pool.n_classes)[2]
    names = ("probs", "labelled_probs", "passes", "committee")
    return changed(pool, **{name: one_hot.expand_as(getattr(pool, name)).contiguous() for name in names})


def in_half(pool: PoolView) -> PoolView:
    """Every float array in half precision, the embeddings from row 30 on zero."""
    half: dict[str, Any] = {field: getattr(pool, field).half() for field in FLOAT_FIELDS}
    half["embeddings"][30:] = 0
    halved = _over_rows(changed(pool, **half), lambda array, _axis: array.half())
    return changed(halved, source=replace(the_source(pool), embeddings=the_source(pool).embeddings.half()))


def changed(pool: PoolView, **fields: Any) -> PoolView:
    """`pool` with other values in some fields, whatever their types."""
    return replace(pool, **fields)


def the_source(pool: PoolView) -> SourceView:
    """The source that every pool of these tests has."""
    if pool.source is None:
        raise ValueError("This pool has no source")
    return pool.source


def _over_rows(pool: PoolView, change: Callable[[Tensor, int], Tensor]) -> PoolView:
    """`change(array, axis of its rows)` for every float array that has a row for each image."""
    axes = {"probs": 0, "embeddings": 0, "passes": 1, "committee": 1}
    arrays = {name: change(getattr(pool, name), axis) for name, axis in axes.items()}
    return changed(pool, **arrays, layers=tuple(change(layer, 0) for layer in pool.layers or ()))


def pick(name: str, pool: PoolView, n: int = 10, seed: int = 0) -> Selection:
    """What strategy `name` selects."""
    return select(name, pool, n, np.random.default_rng(seed))


def picked_ids(name: str, pool: PoolView, n: int = 10, seed: int = 0) -> list[int]:
    """Id ranks of the picks, which stay when the pool is shuffled."""
    ids: list[int] = pool.id_ranks[pick(name, pool, n, seed).rows].tolist()
    return ids


def unlabelled(pool: PoolView) -> PoolView:
    """The same images before any has a label."""
    names = ("labelled_embeddings", "labelled_targets", "labelled_probs")
    arrays = {name: getattr(pool, name) for name in names}
    return changed(pool, n_labelled=0, **{name: array[:0] for name, array in arrays.items() if array is not None})


def plain(pool: PoolView) -> PoolView:
    """The same images with what every pool has and nothing else."""
    return changed(pool, **dict.fromkeys(OPTIONAL_FIELDS))


def assert_valid(selection: Selection, n: int, n_pool: int) -> None:
    """`n` different rows of the pool, every score and measure finite."""
    rows = selection.rows.tolist()
    assert len(rows) == len(set(rows)) == n
    assert all(0 <= row < n_pool for row in rows)
    for measure in (selection.uncertainty, selection.correlation, selection.redundancy):
        assert measure is None or (len(measure) == n and bool(torch.isfinite(measure).all()))
    assert len(selection.scores) == n
    assert bool(torch.isfinite(selection.scores).all())
