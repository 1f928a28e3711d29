"""What the model said of images before people did, beside what they said then: its errors, image by image.

Each image counts with the guess of the model that chose it, which had not seen its label. Rounds go in whole or not at
all: one in which a part of the audit was asked stays out with all its images, as the first query does, before which
there was no model. So no audit image is shown with a guess, and that an image is missing does not tell that it is one.
A round goes in when it is over: nobody who answers sees by the counts whether that was an image of the audit.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from budgetal.answers import classed, targets_of
from budgetal.data.pool import Pool
from budgetal.errors import StorageError
from budgetal.metrics import confusion_matrix
from budgetal.state import State
from budgetal.store.arrays import ArrayStore
from budgetal.types import RowArray


@dataclass(frozen=True)
class Lessons:
    """Images, newest first, with what people said (n,) and what the model had said (n,)."""

    sample_ids: tuple[str, ...]
    targets: RowArray
    guesses: RowArray

    def confusion(self, n_classes: int) -> NDArray[np.int64]:
        """Counts (m, m), true by guessed."""
        return confusion_matrix(self.targets, self.guesses, n_classes)

    def between(self, target: int, guess: int) -> list[str]:
        """Images of class `target` that the model took for `guess`."""
        chosen = np.flatnonzero((self.targets == target) & (self.guesses == guess))
        return [self.sample_ids[place] for place in chosen]


def lessons_of(state: State, pool: Pool, arrays: ArrayStore) -> Lessons:
    """All that there are; a round whose probabilities are gone is left out."""
    sample_ids: list[str] = []
    guesses: list[int] = []
    for round in reversed(shown_rounds(state)):
        asked = [i for query in state.queries.values() if query.round == round for i in query.sample_ids]
        answered = [i for i in classed(state, asked) if i not in state.open_items]
        try:
            probs = arrays.get(state.probs_refs[round - 1])
        except StorageError:
            continue
        sample_ids += answered
        guesses += probs[pool.rows(answered)].argmax(axis=1).tolist()
    return Lessons(tuple(sample_ids), targets_of(state, sample_ids), np.array(guesses, dtype=np.int64))


def shown_rounds(state: State) -> list[int]:
    """Rounds that are over, whose queries a model chose, and in which nothing but those was asked."""
    purposes: dict[int, set[str]] = {}
    for query in state.queries.values():
        purposes.setdefault(query.round, set()).add(query.purpose)
    over = {round: found for round, found in purposes.items() if round < len(state.rounds)}
    return sorted(round for round, found in over.items() if found == {"round"} and round - 1 in state.probs_refs)
