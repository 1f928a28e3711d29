"""Do two libraries pick the same images where they define the same thing? Near ties, within `TIE`, are left out.

Computed in float64, apart from both: rows whose values differ by less than rounding in float32 may come in any order.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

TIE = 2e-6

Rows = NDArray[np.int64]
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Agreement:
    """How many picks could be compared, and the share of them that both made."""

    compared: int
    share: float


def compare(strategy: str, folder: Path, ours: Rows, theirs: Rows) -> Agreement | None:
    """None where the two do not define the same thing, or leave it to chance."""
    if strategy == "core_set":
        return compare_k_center(folder, ours, theirs)
    if strategy not in UNCERTAINTIES:
        return None
    file, measure = UNCERTAINTIES[strategy]
    probs = np.load(folder / file, mmap_mode="r").astype(np.float64)
    return compare_top(measure(probs), ours, theirs)


def compare_top(values: Values, ours: Rows, theirs: Rows) -> Agreement:
    """Picks of the k highest values, without those that tie with the lowest value picked."""
    threshold = np.sort(values)[-len(ours)]
    clear = {row for row in (*ours, *theirs) if abs(values[row] - threshold) > TIE}
    same = clear & set(ours) & set(theirs)
    return Agreement(len(clear), len(same) / len(clear) if clear else 1.0)


def compare_k_center(folder: Path, ours: Rows, theirs: Rows) -> Agreement:
    """Picks in their order, up to the first place where two different rows were equally far."""
    differs = np.flatnonzero(ours != theirs)
    if not len(differs):
        return Agreement(len(ours), 1.0)
    first = int(differs[0])
    left, right = (distance_at(folder, ours[:first], rows[first]) for rows in (ours, theirs))
    compared = first if abs(left - right) < TIE else len(ours)
    return Agreement(compared, len(set(ours[:compared]) & set(theirs[:compared])) / max(compared, 1))


def distance_at(folder: Path, picked: Rows, row: int) -> float:
    """Distance of a row to the nearest labelled or picked one."""
    pool = np.load(folder / "embeddings.npy", mmap_mode="r")
    centres = np.concatenate([np.load(folder / "labelled_embeddings.npy"), pool[picked]]).astype(np.float64)
    return float(np.linalg.norm(centres - pool[row].astype(np.float64), axis=1).min())


def margin(probs: Values) -> Values:
    highest = np.sort(probs, axis=1)
    return 1 - (highest[:, -1] - highest[:, -2])


def entropy(probs: Values) -> Values:
    safe = np.where(probs > 0, probs, 1)
    return -(probs * np.log(safe)).sum(axis=-1)


def least_confidence(probs: Values) -> Values:
    return 1 - probs.max(axis=1)


def bald(passes: Values) -> Values:
    """Mutual information of label and model, over passes (t, n, classes)."""
    return entropy(passes.mean(axis=0)) - entropy(passes).mean(axis=0)


UNCERTAINTIES: Mapping[str, tuple[str, Callable[[Values], Values]]] = {
    "margin": ("probs.npy", margin),
    "entropy": ("probs.npy", entropy),
    "least_confidence": ("probs.npy", least_confidence),
    "bald": ("passes.npy", bald),
}
