"""What is required of ours: never far below random, and little lost where data are harder."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from efficiency.comparisons import BASELINE

OURS = ("margin", "informative")
MOST_BELOW_RANDOM = 0.005
MOST_LOST = {"noise": 0.02, "duplicates": 0.01}
LEAST_RECALL_GAINED = 0.10


@dataclass(frozen=True)
class Check:
    """One requirement: what was measured, the limit, and whether it holds; n: seeds behind it."""

    what: str
    system: str
    measured: float
    limit: float
    holds: bool
    n: int


def never_below_random(figures: Mapping[str, Any], collection: str) -> Iterator[Check]:
    """The least mean lead over random at any budget is above -0.5 points."""
    lead = figures["collections"][collection]["metrics"]["accuracy"]["lead"] or {}
    for name in (name for name in OURS if name in lead):
        worst = lead[name]["mean"]
        yield Check(
            "least lead over random", name, worst, -MOST_BELOW_RANDOM, worst >= -MOST_BELOW_RANDOM, lead[name]["n"]
        )


def little_lost(variant: str, clean: Mapping[str, Any], harder: Mapping[str, Any], collection: str) -> Iterator[Check]:
    """At the end the accuracy of all labels is at most so much below that of the clean run."""
    before, after = (one["collections"][collection]["arms"] for one in (clean, harder))
    for name in (name for name in OURS if name in before and name in after):
        ends = [arms[name]["final"]["accuracy"] for arms in (before, after)]
        lost = ends[0]["mean"] - ends[1]["mean"]
        yield Check(f"lost by {variant}", name, lost, MOST_LOST[variant], lost <= MOST_LOST[variant], ends[1]["n"])


def minority_recall(results: Mapping[str, list[Mapping[str, Any]]]) -> Iterator[Check]:
    """Recall of the rarer half of the classes, at the end, is 10 points above random's. results: by system."""
    recall = {name: np.mean([_rare_recall(result) for result in found]) for name, found in results.items() if found}
    for name in (name for name in OURS if name in recall and BASELINE in recall):
        gained = float(recall[name] - recall[BASELINE])
        holds = gained >= LEAST_RECALL_GAINED
        yield Check("minority recall over random's", name, gained, LEAST_RECALL_GAINED, holds, len(results[name]))


def _rare_recall(result: Mapping[str, Any]) -> float:
    """Classes are in order of size, as `harder.imbalanced` makes them."""
    recall = result["final"]["class_recall"]
    return float(np.mean(recall[len(recall) // 2 :]))
