"""Writes docs/strategies.md: every query strategy with its formula and source, from the docstrings themselves.

Usage: python scripts/strategies_page.py
"""

import inspect
from pathlib import Path

from budgetal.query import SUPPLIES, RegisteredStrategy, list_strategies

PAGE = Path(__file__).parents[1] / "docs" / "strategies.md"
HEAD = """# Query strategies

Written by `scripts/strategies_page.py` from the docstrings in `budgetal/query/strategies`; a test compares. `N` images
in the open pool, `L` labelled, `n` asked for, `m` classes, `d` numbers in an embedding. f are embeddings of length 1, p
calibrated probabilities. Every strategy answers in the order of picking, the same for a shuffled pool and the same
seed; equal scores go to the lowest sample id. [Measured speed](performance.md), [your own](how-to/own-strategy.md).
"""


def render() -> str:
    """The page's text."""
    entries = [_entry(strategy) for strategy in list_strategies() if _is_ours(strategy)]
    return HEAD + "".join(entries)


def _is_ours(strategy: RegisteredStrategy) -> bool:
    return strategy.choose.__module__.startswith("budgetal.")


def _entry(strategy: RegisteredStrategy) -> str:
    summary, _, rest = (inspect.getdoc(strategy.choose) or "").partition("\n")
    needs = ", ".join(SUPPLIES[need].words for need in strategy.needs) or "nothing"
    facts = [f"Needs {needs}.", f"{strategy.cost}.", f"{strategy.source}."]
    if strategy.cold_start:
        facts.append("Chooses well before there is a model.")
    if not strategy.prefix_stable:
        facts.append("Asking for more may change the first picks.")
    parts = [f"## `{strategy.name}`", summary, rest.strip(), " ".join(facts)]
    return "\n" + "\n\n".join(part for part in parts if part) + "\n"


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
