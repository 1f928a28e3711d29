"""What a state holds, and what can be read off it. Only `folding` changes one."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from budgetal.annotators.certificate import N_THRESHOLDS, Certificate
from budgetal.annotators.pace import Pace
from budgetal.budget.cost import Paid, prices_of
from budgetal.budget.ledger import Ledger
from budgetal.config import Config
from budgetal.errors import ProjectError
from budgetal.reviews import Reviews
from budgetal.state.records import GIVEN, AutoLabelRef, HumanLabel, OutliersRef, RoundRecord
from budgetal.types import EpochRecord, FittedModel, Frame, Purpose, Query


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
    gold: dict[str, None] = field(default_factory=dict)
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
    n_weighted_audits: int = 0
    n_weighted_audits_paid: int = 0
    rounds_looked_at: set[int] = field(default_factory=set)
    former_classes: list[tuple[str, ...]] = field(default_factory=list)
    settings_after: dict[int, Config] = field(default_factory=dict)
    look_refs: frozenset[str] = frozenset()
    n_class_changes: int = 0
    paused: bool = False
    replanned: bool = False
    stop_reason: str | None = None
    finished: bool = False

    @property
    def settings(self) -> Config:
        """The configuration. Raises ProjectError before the project was created."""
        if self.config is None:
            raise ProjectError("The journal is empty: run `budgetal init` again")
        return self.config

    @property
    def first_settings(self) -> Config:
        """The configuration that the project was made with."""
        return next(iter(self.settings_after.values()), self.settings)

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
    def n_given(self) -> int:
        """Labels that came with the images; not gold, which may be clear images of some classes only."""
        return sum(label.query_id == GIVEN and i not in self.gold for i, label in self.labels.items())

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

    def is_heard_of(self, sample_id: str) -> bool:
        """Whether people have labelled an image, or said that they cannot."""
        return sample_id in self.labels or sample_id in self.skipped

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

    def is_opinion(self, query_id: int) -> bool:
        """Whether a query asks for further opinions of images that were asked before."""
        return query_id in self.queries and self.queries[query_id].purpose == "opinion"

    def answers_of(self, sample_id: str) -> list[HumanLabel]:
        """What each person says of an image, oldest first."""
        if sample_id in self.opinions:
            return self.opinions[sample_id]
        return [self.labels[sample_id]] if sample_id in self.labels else []
