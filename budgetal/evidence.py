"""What a certificate rests on: the images that no query has touched, and what the audit says of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np

from budgetal.annotators.audit_errors import AuditErrors
from budgetal.annotators.budget_annotator import Audit
from budgetal.annotators.proposals import Proposals, from_probabilities, from_stored
from budgetal.annotators.whole import WeightedDraw
from budgetal.answers import targets_of
from budgetal.data.pool import Pool
from budgetal.state import State
from budgetal.store.arrays import ArrayStore
from budgetal.types import NONE_OF_THESE, RowArray


@dataclass(frozen=True)
class Evidence:
    """open_rows: rows that may be labelled automatically, ascending; audit: a uniform sample of them.

    Without a last audit they are all rows that no query has touched; with one, those in its frame. One drawn by weight
    is no uniform sample and has no part in it.
    """

    open_rows: RowArray
    audit: Audit


def evidence(state: State, pool: Pool, proposals: Proposals) -> Evidence:
    """The evidence of a look that is taken in this state.

    An audit image without an answer, or one that is none of the classes, has target -1: any label is wrong there.

    proposals: of the newest model, by which a last audit was drawn. Write O for the images that no query touched
    before, A for the audit among them and C for those of O with a score of at least the frame's. A is a uniform sample
    of O and scores were made without it, so A in C is one of C. The last audit went through C in a random order
    that knew nothing of A, up to a number of images outside A. A permutation of C changes none of the odds, so given
    how many images of C are audited, each set of so many is equally likely: a uniform sample without replacement.
    And as after any query, what is left of A is one of what is left of O.

    Reviewed images stay among the open rows: they were chosen by people who saw which images A left to the machine, so
    without them A would be no sample of the rest. `annotators.after_review` has what reviews change afterwards.
    """
    frame = state.frame
    ids = state.certifying
    if frame is None or frame.n_planned is not None:
        ids = ids if frame is None else ()
        return Evidence(pool.rows_except(state.queried, state.passed_over), _audit(state, pool, ids))
    open_rows = pool.rows_except(state.queried - frame.asked, state.passed_over - frame.hits)
    inside = proposals.scores >= frame.threshold
    drawn = [sample_id for sample_id, row in zip(ids, pool.rows(ids), strict=True) if inside[row]]
    return Evidence(open_rows[inside[open_rows]], _audit(state, pool, drawn))


def drawn_by_weight(state: State, pool: Pool, proposals: Proposals) -> WeightedDraw:
    """What a weighted last audit has found so far; nothing before it has begun.

    It was drawn by scores that knew none of its answers, from all images that no query had touched and that may be
    labelled automatically. Whether people answer in its order does not matter: what was drawn after an image that still
    waits is left out, and the bound holds after every draw at once.
    """
    asked = state.frame.asked if state.frame else frozenset[str]()
    rows = pool.rows_except(state.queried - asked, state.passed_over)
    in_order = tuple(sample_id for sample_id in state.last_audit if sample_id in asked)
    known = [*filter(state.is_heard_of, in_order)]
    first = [*takewhile(state.is_heard_of, in_order)]
    audits = _audit(state, pool, known), _audit(state, pool, first)
    n_planned = state.frame.n_planned if state.frame else None
    return WeightedDraw(rows[proposals.possible[rows]], in_order, *audits, n_planned, len(state.labels))


def _audit(state: State, pool: Pool, sample_ids: Sequence[str]) -> Audit:
    return Audit(pool.rows(sample_ids), targets_of(state, sample_ids), _people(state, sample_ids))


def proposals_of(state: State, arrays: ArrayStore) -> Proposals | None:
    """What the newest model would label automatically; None before there is one.

    Raises StorageError when the stored array is gone or damaged.
    """
    if state.probs_ref is None:
        return None
    if state.proposals_ref is None:
        return from_probabilities(arrays.get(state.probs_ref))
    return from_stored(arrays.get(state.proposals_ref))


def _people(state: State, sample_ids: Sequence[str]) -> AuditErrors | None:
    """What the settings assume of the people who answered these images, with all that they said."""
    config = state.settings
    if config.audit_error_rate is None:
        return None
    # "None of these" is an answer like others, of no class: it confirms no automatic label.
    index = {name: target for target, name in enumerate((*config.classes, NONE_OF_THESE))}
    given = [[index[answer.label] for answer in state.answers_of(i)] for i in sample_ids]
    answers = np.full((len(given), max((len(row) for row in given), default=0)), -1, dtype=np.int64)
    for row, said in zip(answers, given, strict=True):
        row[: len(said)] = said
    rate = None if config.audit_error_rate == "estimated" else config.audit_error_rate
    return AuditErrors(answers, len(config.classes), rate, config.audit_errors == "anywhere")
