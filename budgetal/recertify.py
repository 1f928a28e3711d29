"""The certificate in force, computed again from the journal and the arrays that it names.

No image is decoded and no model is run. The journal is replayed up to the last look; what people had answered then,
which images queries had touched, the round's probabilities and the look's share of the risk give the certificate.
"""

import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

import numpy as np

from budgetal.annotators.after_review import AfterReview
from budgetal.annotators.budget_annotator import NOTHING, AutoLabels
from budgetal.annotators.certificate import Certificate, read_certificate
from budgetal.annotators.no_guarantee import LABELLERS
from budgetal.annotators.proposals import Proposals
from budgetal.annotators.risk import final_risk, risk_after_guard, round_risk, weighted_audit_risk
from budgetal.class_table import certificate_by_class
from budgetal.config import class_named
from budgetal.data.index import load_index
from budgetal.data.pool import Pool
from budgetal.errors import ProjectError, StorageError
from budgetal.evidence import proposals_of
from budgetal.labelling import label
from budgetal.logbook import Logbook
from budgetal.review_list import outcome
from budgetal.rounds import ended_as_planned
from budgetal.state import State, fold
from budgetal.store.arrays import ArrayStore
from budgetal.store.events import Event
from budgetal.types import Json

T = TypeVar("T")
LookKind = Literal["planned end", "chosen end", "round", "shown only", "no guarantee"]


@dataclass(frozen=True)
class Look:
    """One look at the audit. risk: what its certificate rests on; spent: its share, both by the rules.

    spent_recorded is what the journal says. A chosen end repeats its round's look and is paid for once.
    """

    seq: int
    round: int
    kind: LookKind
    risk: float
    spent: float
    spent_recorded: float
    n_auto: int


@dataclass(frozen=True)
class Recertified:
    """What was recorded, what came out again, and where they differ. `is_last_word`: no new look is due."""

    tolerance: float
    risk: float
    risk_spent: float
    auto_labeller: str
    recorded: Certificate | None
    recomputed: Certificate | None
    differences: tuple[str, ...]
    n_answers_changed: int
    is_last_word: bool
    looks: tuple[Look, ...]
    verdicts: tuple[dict[str, Json], ...]
    by_class: list[Json] | None
    after_review: AfterReview | None

    @property
    def agrees(self) -> bool:
        """Whether all that was recorded came out again."""
        return not self.differences


def recertify(folder: Path) -> Recertified:
    """Compute the certificate of a project again and compare it with the recorded one.

    Raises ProjectError when the folder is no project, or when an array or the index is gone or damaged.
    """
    logbook = Logbook(folder)
    events, state = logbook.events(), logbook.state
    logbook.close()
    looks = tuple(_looks(events))
    found = _Found() if not looks else _check(folder, events, state, looks)
    return Recertified(
        tolerance=state.settings.tolerance,
        risk=state.settings.risk,
        risk_spent=state.risk_spent,
        auto_labeller=state.settings.auto_labeller,
        is_last_word=state.finished,
        looks=looks,
        verdicts=tuple(dict(event.data) for event in events if event.kind == "judged"),
        **vars(found),
    )


@dataclass(frozen=True)
class _Found:
    """What a look came to: the fields of Recertified by the same names."""

    recorded: Certificate | None = None
    recomputed: Certificate | None = None
    differences: tuple[str, ...] = ()
    n_answers_changed: int = 0
    by_class: list[Json] | None = None
    after_review: AfterReview | None = None


def _check(folder: Path, events: Sequence[Event], state: State, looks: Sequence[Look]) -> _Found:
    """Take the last look again, in the state that it was taken in, and compare."""
    event = events[looks[-1].seq - 1]
    before = _folded(events[: event.seq - 1])
    arrays, pool = ArrayStore(folder / "cache" / "arrays"), _pool(folder, state)
    again = _look_again(before, looks[-1], pool, arrays)
    recorded = read_certificate(cast(Any, event.data["certificate"]))
    return _Found(
        recorded,
        again.certificate,
        (*_spent_otherwise(looks), *_differences(recorded, again, event, arrays)),
        _n_changed(before, state),
        certificate_by_class(before, again.certificate, pool, _proposals(before, arrays)),
        _read(lambda: outcome(state, pool, arrays)),
    )


def _looks(events: Sequence[Event]) -> Iterator[Look]:
    """Every look in order, with the share that it has by the rules of annotators.risk."""
    state = State()
    for event, following in zip_longest(events, events[1:]):
        if event.kind == "auto_labelled":
            yield _look(state, event, is_end=following is not None and following.kind == "finished")
        fold(state, [event])


def _look(state: State, event: Event, *, is_end: bool) -> Look:
    config, data = state.settings, dict[str, Any](event.data)
    if config.labels_everything and is_end:
        return _whole_look(state, event, all_risk=risk_after_guard(config.risk, state.felt_fallback))
    round, has_target = int(data["round"]), config.target_coverage is not None
    all_risk = risk_after_guard(config.risk, state.felt_fallback)
    kind = _kind(state, is_end=is_end, has_target=has_target)
    shares = {
        "planned end": final_risk(all_risk, state.n_final_looks, has_target=has_target),
        "shown only": all_risk,
    }
    risk = shares.get(kind, round_risk(all_risk, round, has_target=has_target))
    is_free = kind in ("shown only", "no guarantee") or (kind == "chosen end" and round in state.rounds_looked_at)
    return Look(event.seq, round, kind, risk, 0.0 if is_free else risk, data["risk_spent"], data["n"])


def _whole_look(state: State, event: Event, *, all_risk: float) -> Look:
    """All looks at one audit by weight have one share; it is paid at the first end, with those of abandoned audits."""
    data = dict[str, Any](event.data)
    number = state.frame.number if state.frame else 0
    unpaid = range(state.n_weighted_audits_paid, state.n_weighted_audits) if state.frame else ()
    spent = sum(weighted_audit_risk(all_risk, draw) for draw in unpaid)
    kind = _kind(state, is_end=True, has_target=False)
    risk = weighted_audit_risk(all_risk, number)
    return Look(event.seq, int(data["round"]), kind, risk, spent, data["risk_spent"], data["n"])


def _kind(state: State, *, is_end: bool, has_target: bool) -> LookKind:
    if state.settings.auto_labeller in LABELLERS:
        return "no guarantee"
    if is_end:
        return "planned end" if ended_as_planned(state) else "chosen end"
    return "round" if has_target else "shown only"


def _folded(events: Sequence[Event]) -> State:
    state = State()
    fold(state, events)
    return state


def _pool(folder: Path, state: State) -> Pool:
    """The rows of the index that the journal names; its images are not read."""
    path = folder / "cache" / "index.parquet"
    is_whole = path.exists() and hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest() == state.index_ref
    if not is_whole:
        raise ProjectError(
            f"Cannot recompute the certificate: {path} is missing or damaged. `budgetal export` makes it again "
            "from the images"
        )
    return Pool([sample.sample_id for sample in load_index(path)[0]])


def _look_again(state: State, look: Look, pool: Pool, arrays: ArrayStore) -> AutoLabels:
    proposals = _proposals(state, arrays)
    if state.settings.auto_labeller == "none" or proposals is None:
        return NOTHING
    return label(state, pool, proposals, look.risk)


def _proposals(state: State, arrays: ArrayStore) -> Proposals | None:
    return _read(lambda: proposals_of(state, arrays))


def _read(read: Callable[[], T]) -> T:
    try:
        return read()
    except StorageError as error:
        raise ProjectError(
            f"Cannot recompute the certificate: {error}. Only the arrays in force are kept, so restore this one from "
            "a copy of the folder"
        ) from None


def _spent_otherwise(looks: Sequence[Look]) -> Iterator[str]:
    for look in looks:
        if not math.isclose(look.spent, look.spent_recorded, rel_tol=1e-9, abs_tol=1e-15):
            yield f"risk of the look at event {look.seq}: {look.spent_recorded} recorded, {look.spent} by the rules"


def _differences(recorded: Certificate | None, again: AutoLabels, event: Event, arrays: ArrayStore) -> Iterator[str]:
    before: dict[str, Any] = asdict(recorded) if recorded else {}
    now: dict[str, Any] = asdict(again.certificate) if again.certificate else {}
    if bool(before) != bool(now):
        yield f"certificate: {'one' if before else 'none'} recorded, {'one' if now else 'none'} recomputed"
    for name in before if now else ():
        if not _same(before[name], now[name]):
            yield f"{name}: {before[name]} recorded, {now[name]} recomputed"
    stored = _read(lambda: arrays.get(str(event.data["labels"])))
    if not np.array_equal(stored, np.stack([again.rows, again.targets])):
        yield f"automatic labels: {stored.shape[1]} stored, {len(again.rows)} recomputed, not all the same"


def _same(before: float | Sequence[float | None] | None, now: float | Sequence[float | None] | None) -> bool:
    """Whether two numbers, or a threshold for each class, are the same but for rounding."""
    if isinstance(before, Sequence) and isinstance(now, Sequence):
        return len(before) == len(now) and all(map(_same, before, now))
    if isinstance(before, float | int) and isinstance(now, float | int):
        return math.isclose(before, now, rel_tol=1e-9)
    return before is None and now is None


def _n_changed(before: State, now: State) -> int:
    """Answers on images of the certificate's audit that were given, corrected or taken back since the look."""
    said = ((_answer(before, sample_id), _answer(now, sample_id)) for sample_id in before.certifying)
    return sum((then and class_named(now.settings, then)) != now_said for then, now_said in said)


def _answer(state: State, sample_id: str) -> str | None:
    return state.labels[sample_id].label if sample_id in state.labels else None
