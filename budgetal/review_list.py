"""The automatic labels in force in the order in which to check them, and what reviews make of the certificate."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from budgetal.annotators.after_review import AfterReview, after_review
from budgetal.annotators.proposals import Proposals
from budgetal.budget.plan import BudgetPlan
from budgetal.data.pool import Pool
from budgetal.errors import ConfigError
from budgetal.evidence import proposals_of
from budgetal.measures.neighbour_labels import neighbour_support
from budgetal.rounds import n_for_last_audit, n_to_grow
from budgetal.state import State
from budgetal.store.arrays import ArrayStore
from budgetal.types import RowArray
from budgetal.views import Views

Order = Literal["risk", "disagreement"]
LEAST_LABELLED = 2


@dataclass(frozen=True)
class ReviewList:
    """The automatic labels of the look at event `look`, what to check first at the front.

    rows: (n,) of the pool; targets: (n,) classes; scores: (n,), higher is surer. support: (n,) how far the nearest
    labelled images agree, in [0, 1], and nearest: (n,) the class that most of them have; None in the order of risk.
    """

    look: int
    rows: RowArray
    targets: RowArray
    scores: NDArray[np.float32]
    support: NDArray[np.float32] | None = None
    nearest: RowArray | None = None

    def __len__(self) -> int:
        return len(self.rows)


def by_risk(state: State, arrays: ArrayStore) -> ReviewList:
    """Least confident first, ties by row. Raises StorageError where an array is gone."""
    if state.auto is None:
        return ReviewList(0, *(np.empty(0, np.int64),) * 2, np.empty(0, np.float32))
    rows, targets = arrays.get(state.auto.ref, mmap=False)
    scores = _proposed(state, arrays).scores[rows]
    order = np.lexsort((rows, scores))
    return ReviewList(state.auto.seq, rows[order], targets[order], np.asarray(scores[order]))


def prepare_disagreement(state: State, arrays: ArrayStore, views: Views) -> Callable[[], ReviewList]:
    """What makes the list that begins where the nearest labelled neighbours are of other classes, then by risk.

    The state is read here, and no longer when the list is made. The neighbours are training images only: no audit
    answer shows through.
    """
    found = by_risk(state, arrays)
    labelled, ref, n_classes = views.training_rows(state), state.embeddings_ref, len(state.settings.classes)
    if not len(found) or len(labelled) < LEAST_LABELLED or ref is None:
        return lambda: found
    labels = torch.from_numpy(views.targets(state, labelled))
    targets = np.zeros(len(views.pool), np.int64)
    targets[found.rows] = found.targets
    embeddings = arrays.get(ref, mmap=False)
    given = torch.from_numpy(embeddings), torch.from_numpy(targets), torch.from_numpy(labelled), labels
    return lambda: _by_support(found, *(part.numpy() for part in neighbour_support(*given, n_classes)))


def _by_support(found: ReviewList, support: NDArray[np.float32], nearest: RowArray) -> ReviewList:
    agreed = support[found.rows]
    order = np.argsort(agreed, kind="stable")
    rows = found.rows[order]
    return ReviewList(found.look, rows, found.targets[order], found.scores[order], agreed[order], nearest[rows])


def _proposed(state: State, arrays: ArrayStore) -> Proposals:
    proposals = proposals_of(state, arrays)
    if proposals is None:
        raise ValueError("automatic labels without predictions: the journal is out of order")
    return proposals


def why_no_review(state: State, plan: BudgetPlan) -> str | None:
    """Why nobody may see automatic labels now, or None.

    While images may still be drawn for the audit, those who are to answer must not have seen what the model says.
    """
    if state.auto is None or not state.auto.n:
        return "No image is labelled automatically yet: label more images first"
    n_to_draw = audit_to_draw(state, plan)
    if n_to_draw and not state.finished:
        return (
            f"{n_to_draw} images are still to be drawn for the audit, whose answers must be given without having seen "
            "automatic labels: review begins once they are answered"
        )
    return None


def audit_to_draw(state: State, plan: BudgetPlan) -> int:
    """Images that may still be drawn for the audit under this plan."""
    first = 0 if state.first_audit else plan.audit
    return first + n_to_grow(state) + n_for_last_audit(state, plan)


def check_blind(state: State, plan: BudgetPlan) -> None:
    """Raise ConfigError when images would be drawn for the audit after automatic labels were shown to people."""
    if not state.reviews.were_shown or not audit_to_draw(state, plan):
        return
    if state.settings.labels_everything:
        raise ConfigError(
            "Cannot go on: people who reviewed have seen automatic labels, so their answers in another audit would not "
            "be blind. Export the labels and begin a new project with them"
        )
    raise ConfigError(
        f"Cannot draw {audit_to_draw(state, plan)} more images for the audit: people who reviewed have seen "
        "automatic labels, so their answers would not be blind. Leave 'audit' as it is and set 'last_audit' to "
        f"{len(state.last_audit)}"
    )


def is_hidden(state: State, sample_id: str) -> bool:
    """Whether an image with an automatic label has been asked of people since: they are not to see that label."""
    return sample_id in state.labels or sample_id in state.open_items or state.is_audit(sample_id)


def outcome(state: State, pool: Pool, arrays: ArrayStore) -> AfterReview | None:
    """What is promised after the reviews so far; None without a certificate, or with nothing reviewed.

    People's labels of images that were asked since the look count as reviews of the labels that these had.
    """
    if state.certificate is None or state.auto is None or not state.reviews:
        return None
    said = list(_said(state, pool, arrays))
    return after_review(state.certificate, len(said), sum(word != automatic for word, automatic in said))


def n_reviewed(state: State, pool: Pool, arrays: ArrayStore) -> int:
    """Automatic labels in force in whose place people's reviews stand."""
    return sum(1 for _ in _said(state, pool, arrays)) if state.auto and state.reviews else 0


def _said(state: State, pool: Pool, arrays: ArrayStore) -> Iterator[tuple[str, str]]:
    """People's word and the automatic label, of each automatically labelled image that they said anything of."""
    if state.auto is None:
        return
    labelled, targets = arrays.get(state.auto.ref)
    known = {**{i: word[-1].label for i, word in state.reviews.by_image.items()}, **_labels(state)}
    rows = pool.rows(known)
    places = np.minimum(np.searchsorted(labelled, rows), max(0, len(labelled) - 1))
    is_automatic = labelled[places] == rows if len(labelled) else np.zeros(len(rows), dtype=bool)
    for word, place in zip(
        np.array(list(known.values()), dtype=object)[is_automatic], places[is_automatic], strict=True
    ):
        yield word, state.settings.classes[int(targets[place])]


def _labels(state: State) -> dict[str, str]:
    return {sample_id: given.label for sample_id, given in state.labels.items()}
