"""The labeller `whole`: every image labelled, an audit by weight at the end, one promise on the whole collection."""

from dataclasses import replace

import numpy as np
import pytest

from budgetal.annotators.oracle import Oracle
from budgetal.annotators.proposals import NEVER, Proposals
from budgetal.annotators.risk import weighted_audit_risk
from budgetal.annotators.weighted_audit import most_wrong, sampling_weights
from budgetal.annotators.whole import error_chances
from budgetal.cli import exit_code
from budgetal.errors import ConfigError
from budgetal.evidence import drawn_by_weight, evidence, proposals_of
from budgetal.learner import Learner
from budgetal.project import Project
from budgetal.recertify import recertify
from budgetal.report.class_rows import certified_cell
from budgetal.report.numbers import percent_at_most
from budgetal.report.sentences import result_in_three_lines
from budgetal.report.tiles import key_figures
from budgetal.review_pages import Wanted
from budgetal.reviewing import Reviewing
from budgetal.rounds import SHOWN, SPENT
from budgetal.simulate import run, true_labels
from budgetal.web.standing import standing

SETTINGS = {"budget": 100, "last_audit": 60, "initial": 10, "batch": 10, "tolerance": 0.1, "auto_labeller": "whole"}


def _finish(project):
    run(project, Oracle(true_labels(project)))
    return project


def _until_trained(project):
    """All labels to train on are given, and the audit is what comes next."""
    oracle = Oracle(true_labels(project))
    while len(project.state.labels) < project.config.budget - project.plan.last_audit:
        project.tell(oracle.annotate(project.ask()))
    return oracle


def _until_the_audit(project):
    oracle = _until_trained(project)
    assert project.ask().purpose == "audit"
    return oracle


def _drawn(project):
    state = project.state
    return drawn_by_weight(state, project.learner.pool, proposals_of(state, project.workspace.arrays))


def test_every_image_gets_a_label_and_the_promise_is_on_all_of_them(finished):
    state, rows = finished.state, finished.label_rows()
    certificate = state.certificate
    assert {row.provenance for row in rows} == {"human", "audit", "auto"}
    assert all(row.label for row in rows)
    assert certificate.n_all == len(rows) == 240
    assert certificate.n_auto + len(state.labels) == 240
    assert certificate.tolerated == pytest.approx(certificate.upper_bound * certificate.n_auto / 240)
    wrong = np.mean([row.label != true_labels(finished)[row.sample_id] for row in rows])
    assert wrong <= certificate.tolerated <= 0.1


def test_the_run_ends_as_soon_as_the_tolerance_is_shown(finished):
    state = finished.state
    assert state.stop_reason == SHOWN
    assert 0 < len(state.last_audit) < 60
    assert len(state.last_audit) % 6 == 0
    assert state.n_paid == 40 + len(state.last_audit) < 100


def test_where_the_tolerance_is_not_shown_the_budget_is_spent_and_the_bound_is_said(make):
    project = _finish(make(tolerance=0.001))
    certificate = project.state.certificate
    assert (project.state.stop_reason, project.state.n_paid) == (SPENT, 100)
    assert certificate.tolerated > 0.001
    assert certificate.n_auto == 140
    said = result_in_three_lines(project.write_outputs())[1]
    assert "Of all 240 labels at most" in said
    assert "more than the 0.1 % asked for" in said


def test_nothing_is_labelled_or_promised_before_the_audit_has_begun(make):
    project = make()
    _until_the_audit(project)
    assert project.state.certificate is None
    assert project.state.auto.n == 0
    assert len(project.state.rounds) == 4


def test_the_certificate_comes_out_again_and_has_the_share_of_a_planned_end(finished):
    found = recertify(finished.folder)
    assert found.agrees
    assert found.looks[-1].spent == weighted_audit_risk(0.05, 0)
    assert found.by_class is None


def test_images_are_drawn_by_how_likely_they_are_wrong(make, monkeypatch):
    """Over many seeds, the unsure images as often as their weights say."""
    project = make()
    _until_trained(project)
    scores = np.where(np.arange(240) % 10 == 0, 0.5, 0.999).astype(np.float32)
    monkeypatch.setattr("budgetal.choosing.proposals_of", lambda *_: Proposals(np.zeros(240, np.int64), scores))
    chooser, open_rows = project.learner.chooser, project.learner.open_rows(project.state)
    share = []
    for seed in range(60):
        drawer = replace(chooser, config=chooser.config.model_copy(update={"seed": seed}))
        pick = drawer.pick_last(project.state, 60)
        assert (len(pick.sample_ids), pick.n_planned, pick.passed_over) == (6, 60, ())
        share += [scores[row] < 0.9 for row in project.learner.pool.rows(pick.sample_ids)]
    weights = sampling_weights(1 - scores[open_rows].astype(float))
    expected = weights[scores[open_rows] < 0.9].sum()
    assert abs(np.mean(share) - expected) < 4 * np.sqrt(expected * (1 - expected) / len(share))
    assert expected > 2 * np.mean(scores[open_rows] < 0.9)


def test_answers_count_in_the_order_of_the_draw_whoever_comes_first(make):
    project = make()
    oracle = _until_the_audit(project)
    query = project.ask()
    told = {annotation.sample_id: annotation for annotation in oracle.annotate(query)}
    project.tell([told[query.sample_ids[i]] for i in (5, 1)])
    assert [len(part.rows) for part in (_drawn(project).first, _drawn(project).known)] == [0, 2]
    project.tell([told[query.sample_ids[0]]])
    first = _drawn(project).first.rows
    assert first.tolist() == project.learner.pool.rows(query.sample_ids[:2]).tolist()


def test_a_skipped_image_of_the_audit_counts_as_wrong_and_gets_no_label(make):
    project = make()
    oracle = _until_the_audit(project)
    query = project.ask()
    project.skip(query.sample_ids[0])
    project.tell(oracle.annotate(project.ask()))
    assert _drawn(project).first.targets[0] == -1
    assert len(_drawn(project).first.rows) == 6
    _finish(project)
    assert project.state.certificate.errors >= 1
    provenance = {row.sample_id: row.provenance for row in project.label_rows()}
    assert provenance[query.sample_ids[0]] == "predicted"
    assert recertify(project.folder).agrees


def test_a_stop_in_the_middle_of_the_audit_certifies_by_what_was_answered(make):
    project = make()
    oracle = _until_the_audit(project)
    query = project.ask()
    project.tell(oracle.annotate(query)[:4])
    project.stop()
    assert project.ask() is None
    certificate, drawn = project.state.certificate, _drawn(project)
    assert certificate.n_audit == 4
    assert certificate.n_auto == 240 - len(project.state.labels)
    assert certificate.risk == weighted_audit_risk(0.05, 0)
    proposals = proposals_of(project.state, project.workspace.arrays)
    wrong = proposals.targets[drawn.first.rows] != drawn.first.targets
    positions = np.searchsorted(drawn.rows, drawn.first.rows)
    worst = most_wrong(error_chances(proposals, drawn.rows), positions, wrong, 60, certificate.risk)
    assert certificate.upper_bound == pytest.approx((worst - wrong.sum()) / certificate.n_auto)
    assert recertify(project.folder).agrees


def test_a_corrected_answer_of_the_audit_asks_for_a_new_look_at_the_same_share(finished):
    sample_id, n_rounds, state = next(iter(finished.state.last_audit)), len(finished.state.rounds), finished.state
    bound, n_paid = state.certificate.upper_bound, state.n_paid
    finished.undo(sample_id)
    assert finished.ask().sample_ids == (sample_id,)
    _finish(finished)
    assert (len(state.rounds), state.certificate.upper_bound, state.n_paid) == (n_rounds, bound, n_paid)
    assert state.risk_spent == weighted_audit_risk(0.05, 0)
    assert recertify(finished.folder).agrees


def test_going_on_without_a_change_ends_where_it_was(finished):
    bound, n_paid = finished.state.certificate.upper_bound, finished.state.n_paid
    finished.configure()
    _finish(finished)
    assert (finished.state.certificate.upper_bound, finished.state.n_paid) == (bound, n_paid)
    assert finished.state.stop_reason == SHOWN


def test_a_larger_budget_trains_and_draws_another_audit_with_a_share_of_its_own(finished):
    first = set(finished.state.last_audit)
    finished.configure(budget=200)
    _finish(finished)
    state = finished.state
    assert first & state.frame.asked == set()
    assert first <= set(state.labels)
    assert set(finished.learner.pool.rows(first)) <= set(finished.learner.views.training_rows(state))
    assert state.n_paid - len(state.frame.asked) == 140
    found = recertify(finished.folder)
    assert found.agrees
    ends = [look.spent for look in found.looks if look.kind == "planned end"]
    assert ends == [weighted_audit_risk(0.05, 0), weighted_audit_risk(0.05, 1)]
    assert state.certificate.risk == weighted_audit_risk(0.05, 1)


def test_a_little_more_budget_prolongs_the_audit_and_takes_no_label_away(make):
    project = _finish(make(tolerance=0.001))
    bound = project.state.certificate.upper_bound
    project.configure(budget=120)
    _finish(project)
    state = project.state
    assert (len(state.last_audit), state.certificate.n_auto, len(state.rounds)) == (80, 120, 4)
    assert state.certificate.upper_bound < bound
    assert state.risk_spent == weighted_audit_risk(0.05, 0)
    assert recertify(project.folder).agrees


def test_a_draw_that_is_given_up_has_had_its_share(make):
    """A training answer that is corrected in the middle of the audit: another model, another draw, another share."""
    project = make(tolerance=0.02)
    oracle = _until_the_audit(project)
    project.tell(oracle.annotate(project.ask()))
    trained_on = next(i for i in project.state.labels if not project.state.is_audit(i))
    project.undo(trained_on)
    _finish(project)
    state = project.state
    assert state.frame.number == 1
    assert state.certificate.risk == weighted_audit_risk(0.05, 1)
    assert state.risk_spent == pytest.approx(weighted_audit_risk(0.05, 0) + weighted_audit_risk(0.05, 1))
    assert recertify(project.folder).agrees


def test_an_end_that_says_the_tolerance_is_shown_has_a_certificate_that_says_so(make):
    """Even after a change under way, which makes the end one by hand."""
    project = make()
    oracle = Oracle(true_labels(project))
    while len(project.state.rounds) < 3:
        project.tell(oracle.annotate(project.ask()))
    project.configure(batch=9)
    _finish(project)
    assert project.state.stop_reason == SHOWN
    assert project.state.certificate.tolerated <= 0.1
    assert recertify(project.folder).agrees


def test_an_answer_that_is_taken_back_while_the_end_is_decided_is_asked_again(make, monkeypatch):
    project, undone = make(), []
    oracle, has_shown_enough = _until_the_audit(project), Learner.has_shown_enough

    def taken_back_meanwhile(learner, state):
        shown = has_shown_enough(learner, state)
        if shown and not undone:
            undone.append(min(state.frame.asked & state.labels.keys()))
            other = Project.open(project.folder)
            other.undo(undone[0])
            other.close()
        return shown

    monkeypatch.setattr(Learner, "has_shown_enough", taken_back_meanwhile)
    while query := project.ask():
        project.tell(oracle.annotate(query))
    assert undone[0] in project.state.labels
    assert project.state.certificate.n_auto + len(project.state.labels) == 240


def test_withdrawn_images_of_the_audit_are_asked_again_when_the_run_goes_on(make):
    project = make(tolerance=0.02)
    oracle = _until_the_audit(project)
    query = project.ask()
    project.tell(oracle.annotate(query)[:2])
    project.stop()
    assert project.ask() is None
    project.configure()
    again = project.ask()
    assert (again.purpose, again.sample_ids[:4]) == ("audit", query.sample_ids[2:])
    _finish(project)
    state, drawn = project.state, _drawn(project)
    assert len(drawn.first.rows) == len(drawn.known.rows) == len(state.frame.asked)
    assert (state.frame.number, len(state.rounds), state.certificate.n_all) == (0, 4, 240)
    assert recertify(project.folder).agrees


def test_a_collection_that_people_label_whole_ends_without_a_certificate(make):
    project = _finish(make(budget=300, batch=60))
    assert len(project.state.labels) == 240
    assert project.state.certificate is None
    assert project.state.finished


def test_a_training_answer_that_is_corrected_after_the_end_says_what_is_missing(make):
    project = _finish(make(tolerance=0.001))
    trained_on = next(i for i in project.state.labels if not project.state.is_audit(i))
    project.undo(trained_on)
    _finish(project)
    assert project.state.certificate is None
    assert "raise the budget for another audit" in result_in_three_lines(project.write_outputs())[1]


def test_once_labels_were_shown_there_is_no_other_audit(finished):
    Reviewing(finished).page(Wanted(), 5, "ann")
    with pytest.raises(ConfigError, match="begin a new project"):
        finished.configure(budget=200)


def test_images_that_are_ruled_out_get_no_label_and_nothing_is_promised_of_them(make):
    project = make()
    _until_the_audit(project)
    proposals = proposals_of(project.state, project.workspace.arrays)
    scores = np.where(np.arange(240) < 60, np.float32(NEVER), proposals.scores)
    drawn = drawn_by_weight(project.state, project.learner.pool, Proposals(proposals.targets, scores))
    assert drawn.rows.min() >= 60
    assert len(drawn.rows) == (_drawn(project).rows >= 60).sum()


def test_reports_say_what_is_promised_of_all_labels_and_that_no_class_has_a_promise_of_its_own(finished):
    summary, certificate = finished.write_outputs(), finished.state.certificate
    assert summary["certificate"]["upper_bound_of_all"] == certificate.tolerated
    assert (summary["certificate"]["n_all"], summary["certificate_by_class"]) == (240, None)
    assert {certified_cell(row) for row in summary["class_coverage"]} == {"not certified: no random audit of it"}
    tile = next(tile for tile in key_figures(summary) if tile.name == "Certified error")
    assert tile.figure == f"≤ {percent_at_most(certificate.tolerated)}"
    assert "on all labels" in tile.note
    assert standing(finished.state, None).certificate.upper_bound_of_all == certificate.tolerated
    page = (finished.folder / "report.html").read_text(encoding="utf-8")
    assert "Audit, drawn by weight" in page
    assert "Of all 240 labels at most" in page


@pytest.mark.parametrize("command", ["status", "certify"])
def test_the_command_line_says_it_too(finished_folder, capsys, command):
    assert exit_code([command, str(finished_folder)]) == 0
    assert "Of all 240 labels at most" in capsys.readouterr().out


def test_no_uniform_sample_is_made_of_an_audit_by_weight(finished):
    rests_on = evidence(finished.state, finished.learner.pool, proposals_of(finished.state, finished.workspace.arrays))
    assert len(rests_on.audit.rows) == 0


@pytest.mark.parametrize(("budget", "kept"), [(100, 20), (1_300, 48)])
def test_a_fifth_of_the_budget_or_of_the_images_is_kept_unless_said_otherwise(make, budget, kept):
    assert make(last_audit=0, budget=budget).plan.last_audit == kept


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"audit": 20}, "'audit' cannot be 20"),
        ({"target_coverage": 0.9}, "'target_coverage' cannot be 0.9"),
        ({"audit_error_rate": 0.02}, "'audit_error_rate' cannot be 0.02"),
        ({"audit_opinions": 2}, "one opinion an audit image"),
        ({"thresholds": "per_class"}, "'thresholds' cannot be 'per_class'"),
        ({"last_audit": 100}, "leaves no label to train on: lower --last-audit"),
        ({"last_audit": 0, "budget": 4}, "A budget of 4 leaves no label for the audit at the end"),
    ],
)
def test_what_does_not_go_with_it_is_refused(make, changes, named):
    with pytest.raises(ConfigError, match=named):
        make(**changes)
