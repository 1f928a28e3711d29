"""Strategies by name, and the one door through which they are called."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from budgetal.measures.checks import finite
from budgetal.query.needs import NEEDS, Need, narrowed, reordered
from budgetal.query.view import PoolView, QueryStrategy, Selection
from budgetal.registry import Registry, unknown_name


@dataclass(frozen=True)
class RegisteredStrategy:
    """A strategy with what the user should know of it. `needs` names the arrays that it reads.

    `prefix_stable` promises that, once there are labels, asking for more images only adds picks at
    the end. `cold_start` says that it chooses well before there is any model; a run begins with
    `random` where it does not.
    """

    name: str
    summary: str
    needs: tuple[Need, ...]
    source: str
    cost: str
    choose: QueryStrategy
    prefix_stable: bool = True
    cold_start: bool = False


strategies: Registry[RegisteredStrategy] = Registry("strategy")


def strategy(
    name: str,
    *,
    needs: tuple[Need, ...],
    source: str,
    cost: str,
    prefix_stable: bool = True,
    cold_start: bool = False,
) -> Callable[[QueryStrategy], QueryStrategy]:
    """Decorator that registers a function under `name`; its docstring's first line is the summary.

    Raises ValueError when the name is taken, a need is unknown or the docstring is missing.
    """
    for need in needs:
        if need not in NEEDS:
            raise ValueError(unknown_name("need", need, list(NEEDS)))

    def add(choose: QueryStrategy) -> QueryStrategy:
        summary = (inspect.getdoc(choose) or "").partition("\n")[0]
        if not summary:
            raise ValueError(f"Strategy {name!r} needs a docstring: its first line is shown to users")
        entry = RegisteredStrategy(name, summary, needs, source, cost, choose, prefix_stable, cold_start)
        strategies.register(name)(entry)
        return choose

    return add


def list_strategies() -> list[RegisteredStrategy]:
    """All registered strategies, by name."""
    return [strategies[name] for name in strategies]


def select(name: str, pool: PoolView, n: int, rng: np.random.Generator) -> Selection:
    """Let strategy `name` pick min(n, pool size) rows of `pool`.

    The answer does not depend on the order of the pool's rows: the strategy sees them sorted by
    sample id, so "the lowest row" of a kernel is "the lowest sample id". Half precision is computed
    in float32. A strategy sees only the arrays that it named. Raises ConfigError for an unknown name and for
    an array that the strategy needs and the pool lacks; ValueError for n < 0, for a pool that is not
    finite, and for a strategy that answers with repeated or impossible rows.
    """
    chosen = strategies[name]
    if n < 0:
        raise ValueError(f"Cannot query {n} images: ask for 0 or more")
    checked = narrowed(name, pool, chosen.needs)
    if n == 0 or len(pool) == 0:
        return _nothing(checked)
    order = torch.argsort(checked.id_ranks)
    wanted = min(n, len(pool))
    selection = chosen.choose(reordered(checked, order), wanted, rng)
    _check_answer(name, selection, wanted, len(pool))
    return replace(selection, rows=order[selection.rows])


def _check_answer(name: str, selection: Selection, wanted: int, n_pool: int) -> None:
    rows = selection.rows
    inside = bool(((rows >= 0) & (rows < n_pool)).all())
    if len(rows) != wanted or not inside or len(torch.unique(rows)) != len(rows):
        raise ValueError(f"Strategy {name!r} must answer {wanted} different rows of {n_pool}, got {rows.tolist()}")
    finite(selection.scores, f"scores of strategy {name!r}")


def _nothing(pool: PoolView) -> Selection:
    return Selection(rows=pool.id_ranks.new_zeros(0, dtype=torch.int64), scores=pool.probs.new_zeros(0))
