"""The model's help with open images: its guess for each, and which of them look alike.

Only for images that may be helped (`blindness`); of the others it says nothing, whoever asks.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from budgetal.blindness import may_be_helped
from budgetal.data.pool import Pool
from budgetal.errors import StorageError
from budgetal.state import State
from budgetal.store.arrays import ArrayStore

MOST_COMPARED = 200
"""Images among which look-alikes are sought."""


@dataclass(frozen=True)
class Guess:
    """The class that the newest model finds most probable, and its calibrated probability."""

    label: str
    confidence: float


class Guesses:
    """Reads what the newest model predicted. Arrays stay mapped from one request to the next."""

    def __init__(self, arrays: ArrayStore, pool: Pool) -> None:
        self._arrays = arrays
        self._pool = pool
        self._mapped: dict[str, NDArray[np.float32]] = {}

    def of(self, state: State, sample_ids: Iterable[str]) -> dict[str, Guess]:
        """The guess for each of the open images that may be helped; nothing before there is a model."""
        ids = [i for i in sample_ids if _is_open_to_help(state, i)]
        probs = self.array(state.probs_ref) if ids else None
        if probs is None:
            return {}
        found = np.asarray(probs[self._pool.rows(ids)])
        names = state.settings.classes
        return {
            i: Guess(names[int(row.argmax())], round(float(row.max()), 4)) for i, row in zip(ids, found, strict=True)
        }

    def screen(self, state: State, waiting: Sequence[str], n: int) -> tuple[str, ...]:
        """What to show together, of images in the order they wait: look-alikes of the first, or blind ones.

        Look-alikes of the same guess come before others, so that the odd one out is seen. Where the first image is
        asked blind, the blind ones among the next `n` are asked, one at a time.
        """
        near = waiting[:MOST_COMPARED]
        guesses = self.of(state, near)
        embeddings = self.array(state.embeddings_ref)
        if not near or near[0] not in guesses:
            return tuple(i for i in near[:n] if i not in guesses)
        if embeddings is None:
            return tuple(i for i in near if i in guesses)[:n]
        helped = [i for i in near if i in guesses]
        order = _by_likeness(np.asarray(embeddings[self._pool.rows(helped)]))
        first = guesses[helped[0]].label
        alike = sorted((int(place) for place in order), key=lambda place: guesses[helped[place]].label != first)
        return tuple(helped[place] for place in alike[:n])

    def array(self, ref: str | None) -> NDArray[np.float32] | None:
        """A stored array, or None where there is none (any more: the learner removes what it replaced)."""
        if ref is None:
            return None
        try:
            if ref not in self._mapped:
                self._mapped = {**dict(list(self._mapped.items())[-1:]), ref: self._arrays.get(ref)}
        except StorageError:
            return None
        return self._mapped[ref]


def _is_open_to_help(state: State, sample_id: str) -> bool:
    query_id = state.open_items.get(sample_id)
    return query_id is not None and may_be_helped(state, sample_id, query_id)


def _by_likeness(embeddings: NDArray[np.float32]) -> NDArray[np.int64]:
    """Places of `embeddings` (n, d), the most similar to the first one first; the first is always first."""
    centred = embeddings - embeddings.mean(axis=0)
    lengths = np.maximum(np.linalg.norm(centred, axis=1), 1e-9)
    similarity = centred @ centred[0] / lengths
    similarity[0] = np.inf
    return np.argsort(-similarity, kind="stable")
