"""Counts over runs, and the table of docs/certificate.md."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import binomtest

from validity.methods import METHODS
from validity.play import Outcome

Results = Mapping[str, Any]


def summarise(
    group: str, risk: float, outcomes: Sequence[Mapping[str, Outcome]], methods: Sequence[str] = METHODS
) -> dict[str, Any]:
    """One group of runs at one risk: by method the broken promises, their p-value and the coverage."""
    return {
        "group": group,
        "risk": risk,
        "runs": len(outcomes),
        "methods": {name: _method([outcome[name] for outcome in outcomes], risk) for name in methods},
    }


def _method(outcomes: Sequence[Outcome], risk: float) -> dict[str, Any]:
    broken = sum(outcome.broken for outcome in outcomes)
    test = binomtest(broken, len(outcomes), risk, alternative="greater")
    coverage = float(np.mean([outcome.coverage for outcome in outcomes]))
    return {"broken": broken, "p_value": round(float(test.pvalue), 4), "coverage": round(coverage, 4)}


def certificate_table(results: Results) -> str:
    """The certificate's broken promises, with the test against its risk."""
    return _certified(results["groups"])


def growing_table(results: Results) -> str:
    """The same of runs whose audit grows; empty before any was played."""
    played = (results.get(name, {"groups": []}) for name in ("growing", "growing_real"))
    return _certified([row for part in played for row in part["groups"]])


def _certified(groups: Sequence[Results]) -> str:
    lines = ["| runs on | risk δ | runs | promise broken | p (more than δ?) | labelled |", "|---|---|---|---|---|---|"]
    for row in groups:
        found = row["methods"][METHODS[0]]
        cells = (row["group"], f"{row['risk']:.0%}", f"{row['runs']:,}", _broken(row, METHODS[0]), _p(found["p_value"]))
        lines.append(f"| {' | '.join(cells)} | {found['coverage']:.1%} |")
    return "\n".join(lines)


def methods_table(results: Results) -> str:
    """Broken promises and coverage of every method, both risks together."""
    groups = list(dict.fromkeys(row["group"] for row in results["groups"]))
    lines = ["| method | " + " | ".join(groups) + " |", "|" + "---|" * (len(groups) + 1)]
    for name in METHODS:
        cells = [_both([row for row in results["groups"] if row["group"] == group], name) for group in groups]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _both(rows: Sequence[Results], name: str) -> str:
    runs = sum(row["runs"] for row in rows)
    broken = sum(row["methods"][name]["broken"] for row in rows)
    coverage = sum(row["methods"][name]["coverage"] * row["runs"] for row in rows) / runs
    return f"{broken / runs:.1%} broken, {coverage:.0%} labelled"


def _broken(row: Results, name: str) -> str:
    broken = row["methods"][name]["broken"]
    return f"{broken:,} ({broken / row['runs']:.1%})"


def _p(value: float) -> str:
    return f"{value:.2f}" if value >= 0.01 else f"{value:.4f}"


RENDERERS = {"certificate": certificate_table, "growing": growing_table, "methods": methods_table}
