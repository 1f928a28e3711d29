"""Which images to ask for: query strategies over shared kernels."""

import budgetal.query.peers  # so that strategies of other libraries can be named
import budgetal.query.strategies  # noqa: F401  (registers the strategies that come with budgetal)
from budgetal.query.needs import NEEDS, SUPPLIES, Need
from budgetal.query.plugins import load_plugins as _load_plugins
from budgetal.query.stopping import budget_spent, plateau, target_reached
from budgetal.query.strategy import (
    RegisteredStrategy,
    list_strategies,
    select,
    strategies,
    strategy,
)
from budgetal.query.view import PoolView, QueryStrategy, Selection, SourceView

__all__ = [
    "NEEDS",
    "SUPPLIES",
    "Need",
    "PoolView",
    "QueryStrategy",
    "RegisteredStrategy",
    "Selection",
    "SourceView",
    "budget_spent",
    "list_strategies",
    "plateau",
    "select",
    "strategies",
    "strategy",
    "target_reached",
]

_load_plugins()  # after all that a plugin may import
