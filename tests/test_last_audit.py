"""An audit that grows, and one that is drawn at the end where it decides: still a uniform sample, still exact."""

import numpy as np
import pytest

from budgetal.annotators.oracle import Oracle
from budgetal.annotators.proposals import Proposals
from budgetal.annotators.risk import final_risk
from budgetal.errors import ConfigError
from budgetal.evidence import evidence, proposals_of
from budgetal.journal import asked
from budgetal.recertify import recertify
from budgetal.simulate import run, true_labels
from budgetal.state import State, fold
from budgetal.store.events import Event

SETTINGS = {"budget": 90, "audit": 30, "initial": 10, "batch": 10, "tolerance": 0.3, "risk": 0.2}


def _finish(project):
    run(project, Oracle(true_labels(project)))
    return project


def _frame_query(project):
    return next(
        query for query in project.state.queries.values() if set(query.sample_ids) & set(project.state.last_audit)
    )


def _until(project, is_there):
    oracle = Oracle(true_labels(project))
    while not is_there():
        project.tell(oracle.annotate(project.ask()))
    return oracle


def test_the_labels_kept_for_the_end_are_asked_there_and_certify(make):
    project = _finish(make(last_audit=30))
    state, query = project.state, _frame_query(project)
    assert (len(query.sample_ids), query.purpose, query.query_id) == (30, "audit", len(state.queries))
    assert state.n_paid == 90
    proposals = proposals_of(state, project.workspace.arrays)
    rests_on = evidence(state, project.learner.pool, proposals)
    assert proposals.scores[rests_on.open_rows].min() >= state.frame.threshold
    asked_rows = project.learner.pool.rows(query.sample_ids)
    assert np.isin(asked_rows, rests_on.audit.rows).all()
    automatic = project.learner.auto_labels(state)[0]
    assert len(automatic)
    assert np.isin(automatic, rests_on.open_rows).all()
    assert not np.isin(automatic, rests_on.audit.rows).any()
    found = recertify(project.folder)
    assert found.agrees
    assert found.looks[-1].spent == final_risk(SETTINGS["risk"], 0, has_target=False)


def test_no_model_learns_from_the_last_audit_while_it_certifies(make):
    project = _finish(make(last_audit=30))
    state = project.state
    rows = project.learner.views.training_rows(state)
    assert not np.isin(project.learner.pool.rows(state.last_audit), rows).any()
    assert len(state.rounds) == state.model_round + 1
    provenance = {row.sample_id: row.provenance for row in project.label_rows()}
    assert {provenance[i] for i in state.last_audit} == {"audit"}


def test_with_a_larger_budget_the_last_audit_becomes_an_ordinary_query(make):
    project = _finish(make(last_audit=30))
    first = set(project.state.last_audit)
    project.configure(budget=140, last_audit=50)
    project.tell(Oracle(true_labels(project)).annotate(project.ask()))
    state = project.state
    assert state.frame is None
    project.ask()
    assert set(project.learner.pool.rows(first)) <= set(project.learner.views.training_rows(state))
    _finish(project)
    assert len(project.state.last_audit) == 50
    assert not first & project.state.frame.asked
    assert state.n_paid == 140
    found = recertify(project.folder)
    assert found.agrees
    assert [look.spent for look in found.looks if look.kind == "planned end"] == [
        final_risk(SETTINGS["risk"], n, has_target=False) for n in range(2)
    ]


def test_more_of_the_last_audit_for_the_same_model_stays_in_its_frame(make):
    project = _finish(make(last_audit=20, budget=80))
    threshold, n_rounds = project.state.frame.threshold, len(project.state.rounds)
    project.configure(budget=95, last_audit=35)
    _finish(project)
    assert (project.state.frame.threshold, len(project.state.rounds)) == (threshold, n_rounds)
    assert len(project.state.frame.asked) == 35
    assert recertify(project.folder).agrees


def test_a_corrected_answer_of_the_last_audit_asks_for_a_new_look_and_no_new_model(make):
    project = _finish(make(last_audit=30))
    n_rounds, sample_id = len(project.state.rounds), next(iter(project.state.last_audit))
    project.undo(sample_id)
    assert project.ask().sample_ids == (sample_id,)
    _finish(project)
    assert len(project.state.rounds) == n_rounds
    assert recertify(project.folder).agrees


def test_a_stop_in_the_middle_of_the_last_audit_counts_its_open_images_as_wrong(make):
    project = make(last_audit=30)
    _until(project, lambda: project.ask() is not None and project.state.last_audit)
    project.stop()
    assert project.ask() is None
    rests_on = evidence(project.state, project.learner.pool, proposals_of(project.state, project.workspace.arrays))
    assert (rests_on.audit.targets == -1).sum() == 30
    assert recertify(project.folder).agrees


def test_nothing_is_kept_for_the_end_without_automatic_labels(make):
    project = _finish(make(last_audit=30, auto_labeller="none"))
    assert project.state.last_audit == {}
    assert project.state.n_paid == 90


def test_an_audit_raised_under_way_grows_and_metrics_keep_to_its_first_draw(make):
    project = make()
    _until(project, lambda: len(project.state.rounds) == 2)
    project.configure(audit=45)
    before = set(project.state.audit)
    query = project.ask()
    assert (query.purpose, len(query.sample_ids)) == ("audit", 15)
    state = project.state
    assert not set(query.sample_ids) & (before | state.queried | state.passed_over)
    assert set(state.first_audit) == before
    _finish(project)
    assert len(state.audit) == 45
    assert state.n_paid == 90
    found = recertify(project.folder)
    assert found.agrees
    assert found.looks[-1].kind == "chosen end"


def test_an_audit_raised_after_the_end_counts_at_the_next(make):
    project = _finish(make())
    project.configure(audit=50, budget=110)
    _finish(project)
    found = recertify(project.folder)
    assert (found.agrees, len(project.state.audit)) == (True, 50)
    assert found.looks[-1].spent == final_risk(SETTINGS["risk"], 1, has_target=False)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"audit": 20}, "30 audit images were drawn"),
        ({"audit": 80}, "0 are left of the budget"),
        ({"last_audit": 60}, "leaves no label to train on"),
    ],
)
def test_what_does_not_fit_is_refused(make, changes, match):
    project = _finish(make())
    with pytest.raises(ConfigError, match=match):
        project.configure(**changes)


def test_a_last_audit_above_the_budget_is_refused(make):
    with pytest.raises(ConfigError, match="above the budget of 90"):
        make(last_audit=70)


class _Draws:
    """Draws of the library on a small open set whose audit is random, and who ends up in the evidence."""

    def __init__(self, project, n, n_audit):
        self.project, self.n, self.n_audit = project, n, n_audit
        self.pool = project.learner.pool
        ids = self.pool.sample_ids
        self.ids, self.others = ids[:n], ids[n:]
        scores = np.full(len(ids), 0.1, np.float32)
        scores[: n // 2] = np.linspace(0.9, 0.8, n // 2)
        self.proposals = Proposals(np.zeros(len(ids), np.int64), scores)

    def state(self, rng):
        audit = [self.ids[row] for row in rng.permutation(self.n)[: self.n_audit]]
        state = State(config=self.project.config, n_samples=self.n, queried=set(self.others))
        state.audit = dict.fromkeys(audit)
        return state


def _apply(state, number, pick, purpose="audit"):
    event = asked(number, purpose, 1, pick.sample_ids, pick.passed_over, None, pick.frame)
    fold(state, [Event(number, 0.0, event.kind, event.data, None)])


def _shares(counts, sizes):
    """Inclusion odds of each image, over what a uniform sample of the same sizes has, in standard errors."""
    expected = np.sum(sizes) / counts.shape[1]
    variance = sum(size / counts.shape[1] * (1 - size / counts.shape[1]) for size in sizes)
    return (counts.sum(axis=0) - expected) / np.sqrt(variance)


@pytest.fixture
def draws(make, monkeypatch):
    project = make()
    made = _Draws(project, 24, 8)
    monkeypatch.setattr("budgetal.choosing.proposals_of", lambda *_: made.proposals)
    monkeypatch.setattr("budgetal.choosing.frame_threshold", lambda *_: 0.5)
    seeds = iter(range(10**6))
    monkeypatch.setattr("budgetal.choosing.generator", lambda *_: np.random.default_rng([1, next(seeds)]))
    return made


def test_the_evidence_of_a_last_audit_is_a_uniform_sample_of_its_frame(draws):
    """Also after a strategy's query, and after a second part; and what is left of the audit is one too."""
    rng, inside, left = np.random.default_rng(0), [], []
    for _ in range(3000):
        state = draws.state(rng)
        # A strategy that likes rows 0 and 12: audit images among them are passed over.
        for sample_id in (draws.ids[0], draws.ids[12]):
            (state.passed_over if sample_id in state.audit else state.queried).add(sample_id)
        for number in (1, 2):
            _apply(state, number, draws.project.learner.pick_last(state, 2))
        rests_on = evidence(state, draws.pool, draws.proposals)
        assert set(rests_on.open_rows) == set(range(1, 12))
        inside.append(np.isin(np.arange(1, 12), rests_on.audit.rows))
        hidden = draws.pool.rows(i for i in state.audit if i not in state.passed_over)
        open_rows = draws.pool.rows_except(state.queried, state.passed_over)
        left.append((len(open_rows), len(hidden), np.isin(np.arange(24), hidden), np.isin(np.arange(24), open_rows)))
    counts = np.array(inside)
    assert np.abs(_shares(counts, counts.sum(axis=1))).max() < 4
    # Pairs too: those of each size of sample are equally likely.
    pairs = np.einsum("ri,rj->ij", counts.astype(float), counts.astype(float))[np.triu_indices(11, 1)]
    sizes = counts.sum(axis=1)
    expected = (sizes * (sizes - 1)).sum() / (11 * 10)
    assert np.abs(pairs / expected - 1).max() < 0.1
    # What is left of the audit is as likely as any other open image to be in it.
    observed = sum(hidden.astype(float) for _, _, hidden, _ in left)
    due = sum(n / max(1, size) * is_open for size, n, _, is_open in left)
    variance = sum(n / max(1, size) * (1 - n / max(1, size)) * is_open for size, n, _, is_open in left)
    rows = variance > 0
    assert np.abs((observed - due)[rows] / np.sqrt(variance[rows])).max() < 4


def test_an_audit_that_grew_is_a_uniform_sample_of_the_open_images(draws):
    rng, inside = np.random.default_rng(1), []
    for _ in range(3000):
        state = draws.state(rng)
        for sample_id in (draws.ids[0], draws.ids[12]):
            (state.passed_over if sample_id in state.audit else state.queried).add(sample_id)
        _apply(state, 1, draws.project.learner.pick(state, "audit", 4, 1))
        rests_on = evidence(state, draws.pool, draws.proposals)
        inside.append(np.isin(rests_on.open_rows, rests_on.audit.rows))
    counts = np.array(inside)
    assert counts.shape == (3000, 22)
    assert np.abs(_shares(counts, counts.sum(axis=1))).max() < 4


def test_a_project_made_before_keeps_to_its_thresholds():
    """Its certificate comes out as it did: the settings that it was made with do not know of a last audit."""
    config = {"images": "i", "classes": ["a", "b"], "budget": 10}
    old, new = State(), State()
    fold(old, [Event(1, 0.0, "created", {"config": config}, None)])
    fold(new, [Event(1, 0.0, "created", {"config": {**config, "last_audit": 0}}, None)])
    assert (old.n_thresholds, new.n_thresholds) == (40, 100)


def test_an_audit_that_comes_after_a_last_one_is_drawn_once(make):
    project = make(audit=0, last_audit=20, budget=60)
    _finish(project)
    project.configure(budget=120, audit=20)
    _finish(project)
    assert len(project.state.audit) == len(project.state.first_audit) == 20
