"""What is asked next: the audit, the strategy's images, a last audit, second opinions.

Which images are in the audit, and what is answered there, decides nothing here: see `learner`.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from budgetal.annotators.frame import frame_threshold
from budgetal.annotators.proposals import Proposals
from budgetal.annotators.weighted_audit import draw, sampling_weights
from budgetal.annotators.whole import SHARE_AT_A_TIME, error_chances
from budgetal.config import Config
from budgetal.data.pool import Pool
from budgetal.evidence import drawn_by_weight, proposals_of
from budgetal.gold import gold_to_ask
from budgetal.opinions import opinions_due
from budgetal.query.strategy import select, strategies
from budgetal.relabelling import opinions_worth_asking
from budgetal.ruling_out import apart, n_to_look_at, outliers_of
from budgetal.seeding import generator
from budgetal.state import State
from budgetal.store.arrays import ArrayStore
from budgetal.types import Purpose, RowArray
from budgetal.views import Views


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
    n_planned: int | None = None


@dataclass(frozen=True)
class Chooser:
    """Picks images for one project; all decisions come from a State."""

    config: Config
    pool: Pool
    arrays: ArrayStore
    views: Views

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
        """Up to `n` images for the last audit: by weight where every image is labelled, else uniformly from its frame.

        That is a random walk through the frame that does not know the audit. Audit images that it meets are passed
        over, as by a strategy; `evidence` has why that is a uniform sample.
        """
        proposals, rows = proposals_of(state, self.arrays), self.open_rows(state)
        if proposals is None:
            raise ValueError("a last audit needs a judged model: call assess first")
        if self.config.labels_everything:
            return self._draw_by_weight(state, proposals, n)
        threshold = state.frame.threshold if state.frame else frame_threshold(proposals, rows, self.config.tolerance)
        rng = generator(self.config.seed, len(state.queries), "last audit")
        walk = rng.permutation(rows[proposals.scores[rows] >= threshold])
        asked, hits = _split(self.pool.ids(walk), set(state.audit) - state.passed_over, n)
        return Pick(asked, hits, frame=threshold)

    def _draw_by_weight(self, state: State, proposals: Proposals, n: int) -> Pick:
        """The next part of a weighted last audit: images that were withdrawn first, then more of the draw.

        The weights stay those of its first part.
        """
        found = drawn_by_weight(state, self.pool, proposals)
        left = ~np.isin(found.rows, self.pool.rows(state.frame.asked if state.frame else ()), assume_unique=True)
        n_planned = found.n_planned or min(n, int(left.sum()))
        part = min(n, math.ceil(SHARE_AT_A_TIME * n_planned))
        withdrawn = tuple(i for i in found.sample_ids if not state.is_heard_of(i))[:part]
        if not left.any():
            return Pick(withdrawn, n_planned=n_planned)
        weights = sampling_weights(error_chances(proposals, found.rows))[left]
        rng = generator(self.config.seed, len(state.queries), "last audit")
        drawn = found.rows[left][draw(weights, part - len(withdrawn), rng)]
        return Pick(withdrawn + self.pool.ids(drawn), n_planned=n_planned)

    def _choose(self, state: State, strategy: str, n: int, round: int) -> Pick:
        """The strategy ranks audit images among the others.

        Those that it picks are passed over and leave the certificate's sample, exactly as other picked images
        leave the unlabelled ones.
        """
        hidden = set(state.audit) - state.passed_over
        rows, strange = apart(self.open_rows(state), outliers_of(state, self.arrays), n + len(hidden))
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
