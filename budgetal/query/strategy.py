"""Strategies by name, and the one door through which they are called."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from budgetal.measures.checks import finite, probabilities, unit_vectors
from budgetal.query.view import PoolView, QueryStrategy, Selection
from budgetal.registry import Registry

Need = Literal["probs", "embeddings", "labelled_embeddings"]


@dataclass(frozen=True)
class RegisteredStrategy:
    """A strategy with what the user should know of it. `needs` names the arrays that it reads.

    `prefix_stable` promises that, once there are labels, asking for more images only adds picks at
    the end.
    """

    name: str
    summary: str
    needs: tuple[Need, ...]
    source: str
    cost: str
    choose: QueryStrategy
    prefix_stable: bool = True


strategies: Registry[RegisteredStrategy] = Registry("strategy")


def strategy(
    name: str, *, needs: tuple[Need, ...], source: str, cost: str, prefix_stable: bool = True
) -> Callable[[QueryStrategy], QueryStrategy]:
    """Decorator that registers a function under `name`; its docstring's first line is the summary.

    Raises ValueError when the name is taken or the docstring is missing.
    """

    def add(choose: QueryStrategy) -> QueryStrategy:
        summary = (inspect.getdoc(choose) or "").partition("\n")[0]
        if not summary:
            raise ValueError(f"Strategy {name!r} needs a docstring: its first line is shown to users")
        strategies.register(name)(RegisteredStrategy(name, summary, needs, source, cost, choose, prefix_stable))
        return choose

    return add


def list_strategies() -> list[RegisteredStrategy]:
    """All registered strategies, by name."""
    return [strategies[name] for name in strategies]


def select(name: str, pool: PoolView, n: int, rng: np.random.Generator) -> Selection:
    """Let strategy `name` pick min(n, pool size) rows of `pool`.

    The answer does not depend on the order of the pool's rows: the strategy sees them sorted by
    sample id, so "the lowest row" of a kernel is "the lowest sample id". Half precision is computed
    in float32. Raises ConfigError for an unknown name and ValueError for n < 0, for a pool that is
    not finite, and for a strategy that answers with repeated or impossible rows.
    """
    chosen = strategies[name]
    if n < 0:
        raise ValueError(f"Cannot query {n} images: ask for 0 or more")
    checked = _checked(pool)
    if n == 0 or len(pool) == 0:
        return _nothing(checked)
    order = torch.argsort(checked.id_ranks)
    wanted = min(n, len(pool))
    selection = chosen.choose(_reordered(checked, order), wanted, rng)
    _check_answer(name, selection, wanted, len(pool))
    return replace(selection, rows=order[selection.rows])


def _checked(pool: PoolView) -> PoolView:
    sizes = {len(pool.probs), len(pool.embeddings), len(pool.id_ranks)}
    if len(sizes) > 1:
        raise ValueError(f"probs, embeddings and id_ranks must have one row an image, got {sorted(sizes)}")
    if len(torch.unique(pool.id_ranks)) != len(pool):
        raise ValueError("id_ranks must differ from row to row: each is the rank of one sample id")
    return replace(
        pool,
        probs=probabilities(pool.probs),
        embeddings=unit_vectors(pool.embeddings),
        labelled_embeddings=unit_vectors(pool.labelled_embeddings),
    )


def _reordered(pool: PoolView, order: Tensor) -> PoolView:
    if torch.equal(order, torch.arange(len(order), device=order.device)):
        return pool
    return replace(pool, probs=pool.probs[order], embeddings=pool.embeddings[order], id_ranks=pool.id_ranks[order])


def _check_answer(name: str, selection: Selection, wanted: int, n_pool: int) -> None:
    rows = selection.rows
    inside = bool(((rows >= 0) & (rows < n_pool)).all())
    if len(rows) != wanted or not inside or len(torch.unique(rows)) != len(rows):
        raise ValueError(f"Strategy {name!r} must answer {wanted} different rows of {n_pool}, got {rows.tolist()}")
    finite(selection.scores, f"scores of strategy {name!r}")


def _nothing(pool: PoolView) -> Selection:
    return Selection(rows=pool.id_ranks.new_zeros(0, dtype=torch.int64), scores=pool.probs.new_zeros(0))
