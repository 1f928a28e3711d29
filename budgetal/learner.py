"""The machine's part of a round: choose a query, fit, predict, label automatically, measure.

Nothing here writes to the journal. Each step reads a State and returns the events that it would add, so
that Project can write a step whole or not at all, and a killed step leaves no trace.

Information flows one way: audit answers reach certificates and metrics, never the training set or the choice
of a query. Which images are in the audit is likewise hidden from both. The audit therefore stays a uniform
sample of the images that no query has touched, whatever the strategy does, and its bound is exact. The one
thing that audit answers may decide, whether queries become random, has its share of the risk (annotators.risk).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from budgetal import journal
from budgetal.annotators.budget_annotator import MOST_PSEUDO_LABELS_PER_HUMAN, AutoLabels
from budgetal.annotators.frame import frame_threshold
from budgetal.annotators.outliers import Outliers, without_outliers
from budgetal.annotators.proposals import Proposals
from budgetal.annotators.risk import final_risk, risk_after_guard, round_risk
from budgetal.answers import classed, targets_of
from budgetal.budget.plan import BudgetPlan
from budgetal.config import class_named
from budgetal.data.pool import Pool
from budgetal.evidence import proposals_of
from budgetal.guarding import judge_strategy
from budgetal.labelling import Labelling, or_most_probable
from budgetal.metrics import accuracy
from budgetal.opinions import gold_to_ask, opinions_due
from budgetal.query.strategy import select, strategies
from budgetal.relabelling import opinions_worth_asking
from budgetal.ruling_out import apart, find_outliers, n_to_look_at, outliers_of
from budgetal.scoring import Scorer
from budgetal.seeding import generator
from budgetal.state import State
from budgetal.store.events import NewEvent
from budgetal.types import EpochRecord, FittedModel, Json, Prediction, Purpose, RowArray, TrainingSet
from budgetal.views import Views
from budgetal.workspace import Workspace


@dataclass(frozen=True)
class Pick:
    """What a strategy chose: images to ask for, and audit images it came past and left alone.

    again: labelled images that another person is asked about in the same round.
    """

    sample_ids: tuple[str, ...]
    passed_over: tuple[str, ...] = ()
    weights: dict[str, float] | None = None
    again: tuple[str, ...] = ()
    frame: float | None = None


class Learner:
    """Trains and predicts for one project. Holds pixels and arrays; all decisions come from a State."""

    def __init__(self, space: Workspace, pool: Pool, plan: BudgetPlan) -> None:
        self.space = space
        self.config = space.config
        self.pool = pool
        self.plan = plan
        self.views = Views(space, pool)
        self.labelling = Labelling(Scorer(self.views), pool, space.arrays)
        self._class_index = {name: index for index, name in enumerate(self.config.classes)}

    # -- choosing ------------------------------------------------------------------------------

    def pick(self, state: State, purpose: Purpose, n: int, round: int) -> Pick:
        """The next `n` images to label, fewer where no more are left."""
        if purpose == "opinion":
            return Pick(opinions_due(state)[:n])
        if purpose == "audit":
            return self._draw_audit(state, n)
        again = self._asked_again(state, n, round) if purpose == "round" else ()
        name = state.strategy
        if state.model is None and not strategies[name].cold_start:
            name = "random"
        return replace(self._choose(state, name, n - len(again), round), again=again)

    def _asked_again(self, state: State, n: int, round: int) -> tuple[str, ...]:
        # Before the strategy picks, and from nothing that the audit's answers or members decide.
        gold = gold_to_ask(state, min(self.config.gold_per_query, n // 2))
        if self.config.second_opinions == "never":
            return gold
        return gold + opinions_worth_asking(self.views, state, self.open_rows(state), n - len(gold), round)

    def _draw_audit(self, state: State, n: int) -> Pick:
        """Drawn from all open images that are not in the audit: what is left of that and these are a uniform sample.

        Given the audit's part A of the open images O, the others are a uniform sample of O without A. A is one of O,
        so each set of as many images of O is equally likely to be the union.
        """
        rows = np.setdiff1d(self.open_rows(state), self.pool.rows(state.audit), assume_unique=True)
        n_drawn = sum(query.purpose == "audit" for query in state.queries.values())
        rng = generator(self.config.seed, n_drawn, "audit")
        drawn = rng.choice(rows, size=min(n, len(rows)), replace=False)
        return Pick(self.pool.ids(np.sort(drawn)))

    def pick_last(self, state: State, n: int) -> Pick:
        """Up to `n` images for the last audit: a random walk through the frame that does not know the audit.

        Audit images that it meets are passed over, as by a strategy; `evidence` has why that is a uniform sample.
        """
        proposals, rows = proposals_of(state, self.space.arrays), self.open_rows(state)
        if proposals is None:
            raise ValueError("a last audit needs a judged model: call assess first")
        threshold = state.frame.threshold if state.frame else frame_threshold(proposals, rows, self.config.tolerance)
        rng = generator(self.config.seed, len(state.queries), "last audit")
        walk = rng.permutation(rows[proposals.scores[rows] >= threshold])
        asked, hits = _split(self.pool.ids(walk), set(state.audit) - state.passed_over, n)
        return Pick(asked, hits, frame=threshold)

    def _choose(self, state: State, strategy: str, n: int, round: int) -> Pick:
        """The strategy ranks audit images among the others.

        Those that it picks are passed over and leave the certificate's sample, exactly as other picked images
        leave the unlabelled ones.
        """
        hidden = set(state.audit) - state.passed_over
        rows, strange = apart(self.open_rows(state), outliers_of(state, self.space.arrays), n + len(hidden))
        looked_at = self._look(strange, hidden, n, round)
        n -= len(looked_at.sample_ids)
        view = self.views.view(state, rows, round, strategies[strategy].needs)
        wanted = _with_slack(n, len(hidden), len(rows))
        while True:
            rng = generator(self.config.seed, round, _query_purpose(state, round))
            selection = select(strategy, view, min(wanted, len(rows)), rng)
            asked, passed = _split(self.pool.ids(rows[selection.rows.numpy()]), hidden, n)
            # Asking an unstable strategy twice would show which images of its first answer are in the audit.
            if len(asked) == n or wanted >= len(rows) or not strategies[strategy].prefix_stable:
                both = looked_at.sample_ids + asked, looked_at.passed_over + passed
                return Pick(*both, dict(selection.weights))
            wanted *= 2

    def _look(self, strange: RowArray, hidden: set[str], n: int, round: int) -> Pick:
        """A few possible outliers at random, so that one which is none is found out; the strategy picks the others."""
        order = generator(self.config.seed, round, "look at outliers").permutation(strange)
        return Pick(*_split(self.pool.ids(order), hidden, n_to_look_at(n)))

    def open_rows(self, state: State) -> RowArray:
        """Rows that no query has touched: automatic labels, and the hidden audit, come from these."""
        return self.pool.rows_except(state.queried, state.passed_over)

    # -- training ------------------------------------------------------------------------------

    def fit(self, state: State, round: int, on_epoch: Callable[[EpochRecord], None]) -> NewEvent:
        """Fit the classifier on human labels and weighted automatic ones."""
        # Noted first: labels that come while training runs are not in this fit.
        up_to_seq, training_set = state.seq, self.training_set(state)
        return journal.fitted(round, self.space.engine.fit(training_set, round, on_epoch, state.model), up_to_seq)

    def training_set(self, state: State) -> TrainingSet:
        """Human labels outside the audit, then confident predictions of the last model."""
        rows = self.views.training_rows(state)
        targets = self.views.targets(state, rows)
        weights = np.ones(len(rows), dtype=np.float32)
        n_classes = len(self.config.classes)
        most = MOST_PSEUDO_LABELS_PER_HUMAN * len(rows)
        pseudo = self.labelling.training_labels(state, self._rows_of_classes(state), most)
        if pseudo is None:
            return TrainingSet(rows, targets, weights, len(rows), n_classes)
        return TrainingSet(
            np.concatenate([rows, pseudo.rows]),
            np.concatenate([targets, pseudo.targets]),
            np.concatenate([weights, pseudo.weights]),
            len(rows),
            n_classes,
        )

    def _rows_of_classes(self, state: State) -> RowArray:
        """Open rows without the possible outliers: no class is learnt from these."""
        return apart(self.open_rows(state), outliers_of(state, self.space.arrays))[0]

    # -- judging -------------------------------------------------------------------------------

    def assess(self, state: State, round: int, seconds: Callable[[], float]) -> list[NewEvent]:
        """Predict the pool, label automatically, and measure: the events that end a round.

        seconds: asked at the end for the machine's time in this round.
        """
        if state.model is None:
            raise ValueError("assess needs a fitted model: call fit first")
        prediction = self.space.engine.predict(state.model)
        risk = self._round_risk(state, round) if self._has_target else self._all_risk(state)
        outliers = find_outliers(self.views, state, round)
        own = self.labelling.proposals(state, round, prediction)
        proposals = without_outliers(or_most_probable(own, prediction), outliers)
        to_store = None if own is None and outliers is None else proposals
        labels = self.labelling.label(state, proposals, risk)
        measured = self._measure(state, round, prediction, labels)
        test = {"test_accuracy": self._test_accuracy(state.model)}
        verdict = judge_strategy(self.views, state, round)
        return [
            journal.predicted(round, *self._stored(state, prediction, to_store), self._ruled_out(outliers)),
            *([verdict] if verdict else []),
            # Without a target this look decides nothing: it is shown at the full risk, for itself alone.
            self.labelling.recorded(state, round, labels, risk if self._has_target else 0.0, final=False),
            NewEvent("round_ended", {**measured, **test, "seconds": seconds()}),
        ]

    def final_labels(self, state: State, *, planned: bool) -> NewEvent | None:
        """The last look, with the risk that was kept for it; None where nothing was predicted.

        planned: the run came to its end by itself. Otherwise its end was chosen, by a target or by somebody,
        perhaps because of what the round's look showed. Then it is that look, paid for once.
        """
        proposals = proposals_of(state, self.space.arrays)
        if proposals is None or self.labelling.is_off:
            return None
        round = max(0, len(state.rounds) - 1)
        risk = self._round_risk(state, round)
        if planned:
            risk = final_risk(self._all_risk(state), state.n_final_looks, has_target=self._has_target)
        labels = self.labelling.label(state, proposals, risk)
        spent = 0.0 if not planned and round in state.rounds_looked_at else risk
        return self.labelling.recorded(state, round, labels, spent, final=planned)

    @property
    def _has_target(self) -> bool:
        return self.config.target_coverage is not None

    def _all_risk(self, state: State) -> float:
        """The risk of all looks; a verdict of the guard that has changed no query yet costs nothing."""
        return risk_after_guard(self.config.risk, state.felt_fallback)

    def _round_risk(self, state: State, round: int) -> float:
        return round_risk(self._all_risk(state), round, has_target=self._has_target)

    def _stored(self, state: State, prediction: Prediction, proposals: Proposals | None) -> tuple[str, str, str | None]:
        """Refs of the arrays. A frozen backbone's embeddings never change and are stored once."""
        embeddings = state.embeddings_ref if self.config.finetune == "head" else None
        arrays = self.space.arrays
        return (
            arrays.put(prediction.probs, "probs"),
            embeddings or arrays.put(prediction.embeddings, "embeddings"),
            arrays.put(proposals.stored(), "proposals") if proposals else None,
        )

    def _ruled_out(self, outliers: Outliers | None) -> dict[str, Json] | None:
        """Outliers as the journal names them."""
        if outliers is None:
            return None
        return {"scores": self.space.arrays.put(outliers.scores, "outliers"), "threshold": outliers.threshold}

    def auto_labels(self, state: State) -> tuple[RowArray, RowArray]:
        """Rows and classes of the automatic labels in force."""
        return self.labelling.in_force(state)

    def _measure(self, state: State, round: int, prediction: Prediction, labels: AutoLabels) -> dict[str, Json]:
        n_auto, n_human = len(labels.rows), len(state.labels)
        certificate = labels.certificate
        return {
            "round": round,
            "n_human": n_human,
            "n_auto": n_auto,
            "coverage": (n_human + n_auto) / len(self.pool),
            "train_loss": state.model.train_loss if state.model else None,
            "audit_accuracy": self._audit_accuracy(state, prediction),
            "upper_bound": certificate.upper_bound if certificate else None,
            "spent": state.ledger.spent_money,
            "agreement": self._agreement(state, prediction),
        }

    def _audit_accuracy(self, state: State, prediction: Prediction) -> float | None:
        """Accuracy on the audit's images of the classes: never trained on, so unbiased for the collection at hand."""
        answered = classed(state, state.first_audit)
        if not answered:
            return None
        predicted = prediction.probs[self.pool.rows(answered)].argmax(axis=1)
        return accuracy(targets_of(state, answered), predicted)

    def _test_accuracy(self, model: FittedModel) -> float | None:
        test = self.space.test
        if test is None:
            return None
        probs = self.space.engine.predict(model, test.pixels, "test").probs
        targets = np.array(
            [self._class_index.get(class_named(self.config, str(sample.label)), -1) for sample in test.samples]
        )
        known = targets >= 0
        return accuracy(targets[known], probs.argmax(axis=1)[known])

    def _agreement(self, state: State, prediction: Prediction) -> float | None:
        """Share of images whose predicted class is that of the round before."""
        if state.probs_ref is None:
            return None
        before = self.space.arrays.get(state.probs_ref).argmax(axis=1)
        return accuracy(before, prediction.probs.argmax(axis=1))


def _query_purpose(state: State, round: int) -> str:
    """What the generator is for. A further query of one round, asked ahead, has a generator of its own."""
    of_strategies = (query for query in state.queries.values() if query.purpose in ("initial", "round"))
    before = sum(query.round == round for query in of_strategies)
    return f"query {before}" if before else "query"


def _with_slack(n: int, n_hidden: int, n_rows: int) -> int:
    """How many to pick so that `n` outside the audit are among them, most often."""
    if n_hidden == 0:
        return n
    expected = n * n_hidden / n_rows
    return n + int(expected + 4 * expected**0.5) + 2


def _split(picked: tuple[str, ...], hidden: set[str], n: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Walk `picked` until `n` images outside the audit are found."""
    asked: list[str] = []
    passed: list[str] = []
    for sample_id in picked:
        if len(asked) == n:
            break
        (passed if sample_id in hidden else asked).append(sample_id)
    return tuple(asked), tuple(passed)
