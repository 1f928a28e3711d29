"""What the map says of each image: its label, who gave it, how unsure the model is. Pure functions.

Nothing here reads which images are in the audit, and nothing that it says depends on it:

- An image that people were asked about and have not answered is "open", without any word of the model, whatever it was
  asked for; so is one that waits for another person's opinion, whose answers so far would lead that person.
- An answered image shows its label and no word of the model: what the model trained on it is surer of than what it
  only audits, so its uncertainty would tell the two apart.
- The model's labels and its uncertainty are those of images that nobody was asked about, none of which is in the audit.
  Its labels are told once a review began, after which no audit grows.
- Who only annotates sees the own answers and where the images lie: neither the model nor others lead the next answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from budgetal.data.pool import Pool
from budgetal.measures.uncertainty import margin
from budgetal.state import State
from budgetal.types import NONE_OF_THESE, RowArray

NO_LABEL, NONE_LABEL = 0xFFFF, 0xFFFE
OPEN, BY_PEOPLE, AUTOMATIC = 0, 1, 2
UNTOLD = 255
STEPS = 254
"""Steps of uncertainty, 0: sure, 254: the two likeliest classes are equally likely."""


@dataclass(frozen=True)
class Marks:
    """Of all images, by row: labels (N,) uint16, provenance (N,) and uncertainty (N,) uint8."""

    labels: NDArray[np.uint16]
    provenance: NDArray[np.uint8]
    uncertainty: NDArray[np.uint8]

    def packed(self, rows: RowArray) -> bytes:
        """Those of `rows`, one column after another, little-endian."""
        return b"".join(
            (
                self.labels[rows].astype("<u2").tobytes(),
                self.provenance[rows].tobytes(),
                self.uncertainty[rows].tobytes(),
            )
        )


@dataclass(frozen=True)
class Known:
    """What a state says of the images. labels: by people; touched: asked or labelled; refs: of the newest arrays.

    auto_ref: of the automatic labels, once they may be reviewed and somebody began to.
    """

    labels: Mapping[str, str]
    touched: frozenset[str]
    auto_ref: str | None
    probs_ref: str | None


def known_of(state: State, annotator: str | None) -> Known:
    """What is known to somebody who sees all labels by people, or only those that `annotator` gave."""
    asked = {i for query in state.queries.values() for i in query.sample_ids}
    labels = {
        sample_id: given[-1]
        for sample_id in state.labels
        if sample_id not in state.open_items and (given := _given(state, sample_id, annotator))
    }
    touched = frozenset(asked | state.labels.keys() | state.open_items.keys())
    # Until a review began an audit may grow: whoever answers its images must not have seen such a label.
    shown = state.auto.ref if state.auto and state.reviews.were_shown else None
    return Known(labels, touched, shown, state.probs_ref)


def marks_of(
    pool: Pool,
    classes: tuple[str, ...],
    known: Known,
    automatic: tuple[RowArray, RowArray] | None,
    uncertainty: NDArray[np.uint8] | None,
) -> Marks:
    """automatic: rows and classes; uncertainty: (N,), by row; each None where it is not to be seen."""
    found = _blank(len(pool))
    target_of = {name: target for target, name in enumerate(classes)} | {NONE_OF_THESE: NONE_LABEL}
    untouched = np.ones(len(pool), dtype=bool)
    untouched[pool.rows(known.touched)] = False
    if automatic is not None:
        kept = untouched[automatic[0]]
        rows, targets = automatic[0][kept], automatic[1][kept]
        found.labels[rows], found.provenance[rows] = targets, AUTOMATIC
    if uncertainty is not None:
        found.uncertainty[untouched] = uncertainty[untouched]
    rows = pool.rows(known.labels)
    found.labels[rows] = [target_of.get(label, NO_LABEL) for label in known.labels.values()]
    found.provenance[rows] = BY_PEOPLE
    return found


def uncertainty_of(probs: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Probabilities (n, m) to margin uncertainty (n,) in `STEPS` steps."""
    return np.asarray((margin(torch.from_numpy(np.array(probs))) * STEPS).round().to(torch.uint8))


def _given(state: State, sample_id: str, annotator: str | None) -> list[str]:
    if annotator is None:
        return [state.labels[sample_id].label]
    return [answer.label for answer in state.answers_of(sample_id) if answer.annotator == annotator]


def _blank(n: int) -> Marks:
    return Marks(np.full(n, NO_LABEL, np.uint16), np.full(n, OPEN, np.uint8), np.full(n, UNTOLD, np.uint8))
