"""The state of a project: a fold of its journal and of nothing else.

Every `_on_…` method applies one kind of event. They are the only code that changes a State, so whatever
the journal holds can be rebuilt from it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from budgetal.annotators.certificate import EARLIER_N_THRESHOLDS, N_THRESHOLDS, Certificate, read_certificate
from budgetal.annotators.pace import Pace
from budgetal.annotators.votes import plurality
from budgetal.budget.cost import Paid, prices_of
from budgetal.budget.ledger import Ledger
from budgetal.classes import ClassChange, with_change
from budgetal.config import Config, make_config
from budgetal.errors import ProjectError
from budgetal.reviews import Review, Reviews
from budgetal.store.events import Event
from budgetal.types import EpochRecord, FittedModel, Frame, Purpose, Query

GIVEN = 0
"""The query id of labels that came with the collection and cost nothing."""


@dataclass(frozen=True)
class HumanLabel:
    """The label of one image as a person gave it last; of several people's, the one that most gave.

    In a tie the earliest counts. annotator: the first who gave it; query_id: where the image was asked first.
    suggestion: the model's guess that they were shown with the image, if they were.
    """

    label: str
    annotator: str
    query_id: int
    suggestion: str | None = None


@dataclass(frozen=True)
class AutoLabelRef:
    """The automatic labels of one round: a stored array, and how many came and went. seq: of their event."""

    ref: str
    n: int
    n_added: int
    n_taken_back: int
    seq: int = 0


@dataclass(frozen=True)
class OutliersRef:
    """How probably each image is none of the classes: a stored array, and above what it is ruled out."""

    scores: str
    threshold: float


@dataclass(frozen=True)
class RoundRecord:
    """What one finished round measured."""

    round: int
    n_human: int
    n_auto: int
    coverage: float
    train_loss: float
    audit_accuracy: float | None
    test_accuracy: float | None
    upper_bound: float | None
    spent: float
    seconds: float
    agreement: float | None = None
    n_taken_back: int = 0
    epochs: tuple[EpochRecord, ...] = ()


@dataclass
class State:
    """What the journal says, up to event number `seq`."""

    seq: int = 0
    at_unix_s: float = 0.0
    pace: Pace = field(default_factory=Pace)
    config: Config | None = None
    simulated: Mapping[str, Any] | None = None
    index_ref: str | None = None
    n_samples: int = 0
    n_quarantined: int = 0
    audit: dict[str, None] = field(default_factory=dict)
    passed_over: set[str] = field(default_factory=set)
    frame: Frame | None = None
    last_audit: dict[str, None] = field(default_factory=dict)
    queries: dict[int, Query] = field(default_factory=dict)
    open_items: dict[str, int] = field(default_factory=dict)
    labels: dict[str, HumanLabel] = field(default_factory=dict)
    opinions: dict[str, list[HumanLabel]] = field(default_factory=dict)
    n_opinions_asked: Counter[str] = field(default_factory=Counter)
    skipped: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    skipped_opinions: set[tuple[str, int]] = field(default_factory=set)
    reviews: Reviews = field(default_factory=Reviews)
    queried: set[str] = field(default_factory=set)
    paid: Counter[Paid] = field(default_factory=Counter)
    last_label_seq: int = 0
    trained_up_to_seq: int = 0
    model: FittedModel | None = None
    model_round: int = -1
    probs_refs: dict[int, str] = field(default_factory=dict)
    embeddings_ref: str | None = None
    proposals_ref: str | None = None
    outliers: OutliersRef | None = None
    auto: AutoLabelRef | None = None
    certificate: Certificate | None = None
    rounds: list[RoundRecord] = field(default_factory=list)
    epochs: dict[int, dict[int, EpochRecord]] = field(default_factory=dict)
    strategy_weights: dict[int, dict[str, float]] = field(default_factory=dict)
    fallback_round: int | None = None
    has_guard_share: bool = False
    n_thresholds: int = N_THRESHOLDS
    risk_spent: float = 0.0
    n_final_looks: int = 0
    rounds_looked_at: set[int] = field(default_factory=set)
    former_classes: list[tuple[str, ...]] = field(default_factory=list)
    look_refs: frozenset[str] = frozenset()
    n_class_changes: int = 0
    paused: bool = False
    replanned: bool = False
    stop_reason: str | None = None
    finished: bool = False

    def apply(self, events: Iterable[Event]) -> None:
        """Fold `events` in. Raises ProjectError for a kind that this version does not know."""
        for event in events:
            handler = getattr(self, f"_on_{event.kind}", None)
            if handler is None:
                raise ProjectError(
                    f"Event {event.seq} is of unknown kind {event.kind!r}: upgrade budgetal to open this project"
                )
            self.seq, self.at_unix_s = event.seq, event.time_unix_s
            handler(event.data)

    @property
    def settings(self) -> Config:
        """The configuration. Raises ProjectError before the project was created."""
        if self.config is None:
            raise ProjectError("The journal is empty: run `budgetal init` again")
        return self.config

    @property
    def ledger(self) -> Ledger:
        """The budget as it stands."""
        config = self.settings
        # A skipped audit image keeps its label set aside: audit answers must not decide how much is trained on.
        skipped = (*self.skipped, *(sample_id for sample_id, _query in self.skipped_opinions))
        kept = sum(self.is_audit(sample_id) for sample_id in skipped)
        reserved = len(self.open_items) + kept
        reviews = self.reviews.paid(), config.review_budget
        return Ledger(config.budget, config.budget_money, prices_of(config), self.paid, reserved, *reviews)

    @property
    def n_paid(self) -> int:
        """Labels that were paid for."""
        return self.paid.total()

    @property
    def probs_ref(self) -> str | None:
        """The pool's probabilities by the newest model, if there is one."""
        return next(reversed(self.probs_refs.values()), None)

    @property
    def strategy(self) -> str:
        """The query strategy in force: the project's, or `random` once its guard has fallen back."""
        return self.settings.strategy if self.fallback_round is None else "random"

    @property
    def felt_fallback(self) -> int | None:
        """`fallback_round`, once a query was chosen at random because of it; until then it has changed nothing."""
        fallback = self.fallback_round
        is_felt = fallback is not None and any(
            query.round > fallback and query.purpose != "audit" for query in self.queries.values()
        )
        return fallback if is_felt else None

    @property
    def first_audit(self) -> tuple[str, ...]:
        """The audit's first draw: the part of it that is a uniform sample of the whole collection, for metrics.

        What it grew by was drawn from what was open then.
        """
        audits = (query for query in self.queries.values() if query.purpose == "audit")
        drawn = (tuple(i for i in query.sample_ids if i in self.audit) for query in audits)
        return next((ids for ids in drawn if ids), ())

    @property
    def certifying(self) -> tuple[str, ...]:
        """Images whose answers a certificate rests on: the hidden audit, and the frame's draw while it is in force."""
        drawn = self.frame.asked | self.frame.hits if self.frame else frozenset[str]()
        return (*(i for i in self.audit if i not in self.passed_over), *sorted(drawn))

    def is_audit(self, sample_id: str) -> bool:
        """Whether an image was asked about to certify: in the audit, or in a last one."""
        return sample_id in self.audit or sample_id in self.last_audit

    def is_held_out(self, sample_id: str) -> bool:
        """Whether no model may learn from an image's label: the audit's, and the last one's while it certifies."""
        return sample_id in self.audit or (self.frame is not None and sample_id in self.frame.asked)

    @property
    def has_fresh_labels(self) -> bool:
        """Whether labels to train on came (or went) since the last fit began."""
        return self.last_label_seq > self.trained_up_to_seq

    def next_query_id(self) -> int:
        """Queries are numbered from 1."""
        return len(self.queries) + 1

    def query_of(self, purpose: Purpose) -> Query | None:
        """The first query of a purpose, if it was asked."""
        return next((query for query in self.queries.values() if query.purpose == purpose), None)

    def _on_created(self, data: Mapping[str, Any]) -> None:
        self.config = make_config(**data["config"])
        self.simulated = data.get("simulated")
        # Before there was a guard, all of the risk was promised to other looks: nothing is left to pay a verdict with.
        self.has_guard_share = "guard" in data["config"]
        # The settings tell how many thresholds this project's looks have gone through since it was made.
        self.n_thresholds = N_THRESHOLDS if "last_audit" in data["config"] else EARLIER_N_THRESHOLDS

    def _on_configured(self, data: Mapping[str, Any]) -> None:
        self.config = make_config(**{**self.settings.model_dump(), **data["changes"]})
        if not data.get("reopens", True):
            return
        # Older journals do not say: a change under way may be a way to stop while a certificate looks good.
        self.replanned = data.get("replans", bool(self.rounds) and not self.finished)
        self.stop_reason, self.finished = None, False

    def _on_classes_changed(self, data: Mapping[str, Any]) -> None:
        change = ClassChange(data["change"], tuple(data["classes"]), data["renamed"])
        self.former_classes.append(self.settings.classes)
        self.n_class_changes += 1
        self.config = make_config(**{**self.settings.model_dump(), **with_change(self.settings, change)})
        if change.renamed:
            self._relabel(change.renamed)
        if change.change != "rename":
            self._forget_model()

    def _relabel(self, names: Mapping[str, str]) -> None:
        """Labels of the past as they are called now."""
        self.labels = {i: _renamed(label, names) for i, label in self.labels.items()}
        self.opinions = {i: [_renamed(one, names) for one in given] for i, given in self.opinions.items()}
        for sample_id in self.opinions:
            self._count_votes(sample_id)
        self.reviews.rename(names)
        paid, self.paid = self.paid, Counter()
        for kind, n in paid.items():
            self.paid[kind._replace(label=names.get(kind.label, kind.label))] += n

    def _forget_model(self) -> None:
        """What was predicted was predicted of other classes: a new fit is due, and a new look."""
        self.model, self.model_round = None, len(self.rounds) - 1
        self.probs_refs, self.proposals_ref, self.outliers = {}, None, None
        self.auto, self.certificate = None, None
        self.last_label_seq, self.finished = self.seq, False

    def _on_paused(self, _data: Mapping[str, Any]) -> None:
        self.paused = True

    def _on_resumed(self, _data: Mapping[str, Any]) -> None:
        self.paused = False

    def _on_indexed(self, data: Mapping[str, Any]) -> None:
        self.index_ref = data["index"]
        self.n_samples, self.n_quarantined = data["n_samples"], data["n_quarantined"]

    def _on_asked(self, data: Mapping[str, Any]) -> None:
        query = Query(data["query"], data["purpose"], data["round"], tuple(data["sample_ids"]))
        was_felt = self.felt_fallback is not None
        self.queries[query.query_id] = query
        if self.felt_fallback is not None and not was_felt:
            # From here on the run is another outcome of the guard, whose looks have shares of their own.
            self.rounds_looked_at.clear()
        self.open_items.update(dict.fromkeys(query.sample_ids, query.query_id))
        self.passed_over.update(data.get("passed_over", ()))
        if data.get("frame") is not None:
            self._draw_in_frame(float(data["frame"]), query, frozenset(data["passed_over"]))
        elif query.purpose == "opinion":
            self.n_opinions_asked.update(query.sample_ids)
        else:
            self.frame = None
            (self.audit.update if query.purpose == "audit" else self.queried.update)(dict.fromkeys(query.sample_ids))
        if data.get("weights"):
            self.strategy_weights[query.round] = data["weights"]

    def _draw_in_frame(self, threshold: float, query: Query, hits: frozenset[str]) -> None:
        """A last audit, or more of it: people's answers leave the open images as those of any query do."""
        before = self.frame or Frame(threshold)
        self.frame = Frame(threshold, before.asked | set(query.sample_ids), before.hits | hits)
        self.last_audit.update(dict.fromkeys(query.sample_ids))
        self.queried.update(query.sample_ids)

    def _on_labelled(self, data: Mapping[str, Any]) -> None:
        sample_id, query_id = data["sample_id"], data["query"]
        answer = HumanLabel(data["label"], data["annotator"], query_id, data.get("suggestion"))
        if query_id != GIVEN:
            self.pace.note(answer.annotator, query_id, self.at_unix_s)
        if sample_id in self.opinions or self.is_opinion(query_id):
            self._add_opinion(sample_id, answer)
        else:
            self._unpay(sample_id, self.labels.get(sample_id))
            self.labels[sample_id] = answer
            self.skipped.discard(sample_id)
            self._pay(sample_id, answer)
        self.broken.discard(sample_id)
        # A correction of one's own answer leaves the image open where another person's is asked for.
        if self.open_items.get(sample_id) == query_id:
            del self.open_items[sample_id]
        self._labels_changed(sample_id)

    def _add_opinion(self, sample_id: str, answer: HumanLabel) -> None:
        """One more answer for an image, or a person's own answer corrected."""
        first = [self.labels[sample_id]] if sample_id in self.labels else []
        given = self.opinions.setdefault(sample_id, first)
        self.skipped_opinions.discard((sample_id, answer.query_id))
        mine = next((place for place, earlier in enumerate(given) if earlier.annotator == answer.annotator), len(given))
        for earlier in given[mine : mine + 1]:
            self._unpay(sample_id, earlier)
            answer = replace(answer, query_id=earlier.query_id)
        given[mine : mine + 1] = [answer]
        self._pay(sample_id, answer)
        self._count_votes(sample_id)

    def _count_votes(self, sample_id: str) -> None:
        given = self.opinions[sample_id]
        if not given:
            self.labels.pop(sample_id, None)
            return
        voted = plurality([answer.label for answer in given])
        # A label that came with the image is known: people's opinions of it say something of the people only.
        winner = given[0] if given[0].query_id == GIVEN else given[voted]
        self.labels[sample_id] = replace(winner, query_id=given[0].query_id)

    def _on_skipped(self, data: Mapping[str, Any]) -> None:
        self.open_items.pop(data["sample_id"], None)
        if data.get("reason") == "broken":
            self.broken.add(data["sample_id"])
        if self.is_opinion(data["query"]):
            self.skipped_opinions.add((data["sample_id"], data["query"]))
        else:
            self.skipped.add(data["sample_id"])

    def _on_undone(self, data: Mapping[str, Any]) -> None:
        sample_id = data["sample_id"]
        self.broken.discard(sample_id)
        if (sample_id, data["query"]) in self.skipped_opinions:
            self.skipped_opinions.remove((sample_id, data["query"]))
        else:
            self._take_back(sample_id)
        self.open_items[sample_id] = data["query"]
        self._labels_changed(sample_id)

    def _take_back(self, sample_id: str) -> None:
        """Undo the only answer for an image, or the last one, or a skip."""
        if self.opinions.get(sample_id):
            self._unpay(sample_id, self.opinions[sample_id].pop())
            self._count_votes(sample_id)
            return
        self._unpay(sample_id, self.labels.pop(sample_id, None))
        self.skipped.discard(sample_id)

    def is_opinion(self, query_id: int) -> bool:
        """Whether a query asks for further opinions of images that were asked before."""
        return query_id in self.queries and self.queries[query_id].purpose == "opinion"

    def answers_of(self, sample_id: str) -> list[HumanLabel]:
        """What each person says of an image, oldest first."""
        if sample_id in self.opinions:
            return self.opinions[sample_id]
        return [self.labels[sample_id]] if sample_id in self.labels else []

    def _pay(self, sample_id: str, label: HumanLabel) -> None:
        """Count an answer at the price that it has now; labels that came with the images are free."""
        if label.query_id != GIVEN:
            self.paid[Paid(label.label, label.annotator, self.is_audit(sample_id))] += 1

    def _unpay(self, sample_id: str, label: HumanLabel | None) -> None:
        """Take the price of an answer back that is corrected or undone: each is paid for once, as it stands."""
        if label is not None and label.query_id != GIVEN:
            self.paid[Paid(label.label, label.annotator, self.is_audit(sample_id))] -= 1

    def _labels_changed(self, sample_id: str) -> None:
        """A changed training label asks for a new fit, a changed audit answer for a new last look only."""
        self.finished = False
        if not self.is_held_out(sample_id):
            self.queried.add(sample_id)
            self.last_label_seq = self.seq

    def _on_labels_shown(self, _data: Mapping[str, Any]) -> None:
        self.reviews.were_shown = True

    def _on_reviewed(self, data: Mapping[str, Any]) -> None:
        # Kept apart from `labels`, which models learn from: see `reviews`.
        self.reviews.add(data["sample_id"], Review(data["label"], data["annotator"], data["automatic"], data["round"]))

    def _on_review_undone(self, data: Mapping[str, Any]) -> None:
        self.reviews.take_back(data["sample_id"], data["annotator"])

    def _on_epoch_ended(self, data: Mapping[str, Any]) -> None:
        record = EpochRecord(data["epoch"], data["train_loss"], data["train_accuracy"])
        self.epochs.setdefault(data["round"], {})[record.epoch] = record

    def _on_fitted(self, data: Mapping[str, Any]) -> None:
        self.model = FittedModel(data["weights"], data["temperature"], data["train_loss"], extra=data["extra"])
        self.model_round = data["round"]
        self.frame = None
        self.trained_up_to_seq = data["up_to_seq"]

    def _on_predicted(self, data: Mapping[str, Any]) -> None:
        self.probs_refs[data["round"]] = data["probs"]
        self.embeddings_ref = data["embeddings"]
        # Older journals name none: their proposals are the most probable classes.
        self.proposals_ref = data.get("proposals")
        found = data.get("outliers")
        self.outliers = OutliersRef(**found) if found else None

    def _on_auto_labelled(self, data: Mapping[str, Any]) -> None:
        refs = data["labels"], self.probs_ref, self.proposals_ref
        self.look_refs = frozenset(ref for ref in refs if ref is not None)
        self.auto = AutoLabelRef(data["labels"], data["n"], data["n_added"], data["n_taken_back"], self.seq)
        self.certificate = read_certificate(data["certificate"])
        self.risk_spent += data["risk_spent"]
        if data["risk_spent"] and not data["final"]:
            self.rounds_looked_at.add(data["round"])
        self.n_final_looks += data["final"]

    def _on_judged(self, data: Mapping[str, Any]) -> None:
        if data["worse"] and self.fallback_round is None:
            self.fallback_round = data["round"]

    def _on_round_ended(self, data: Mapping[str, Any]) -> None:
        epochs = tuple(self.epochs.get(data["round"], {}).values())
        record = RoundRecord(**data)
        self.rounds.append(replace(record, epochs=epochs))

    def _on_stopped(self, data: Mapping[str, Any]) -> None:
        self.stop_reason = cast(str, data["reason"])
        self.open_items.clear()

    def _on_finished(self, _data: Mapping[str, Any]) -> None:
        self.finished = True


def _renamed(answer: HumanLabel, names: Mapping[str, str]) -> HumanLabel:
    return replace(answer, label=names.get(answer.label, answer.label))
