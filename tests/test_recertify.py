"""A certificate is computed again from what is stored, whatever happened to the project; a false one is noticed."""

import dataclasses

import numpy as np
import pytest
import torch
from collections_made import write_npy

from budgetal import journal
from budgetal.annotators.oracle import Oracle
from budgetal.annotators.risk import final_risk, risk_after_guard
from budgetal.errors import ProjectError
from budgetal.project import Project
from budgetal.query import Selection, strategies, strategy
from budgetal.recertify import recertify
from budgetal.simulate import run, true_labels
from budgetal.types import Annotation

SETTINGS = {"budget": 60, "audit": 30, "initial": 10, "batch": 10, "tolerance": 0.2, "risk": 0.2}


def _finish(project):
    run(project, Oracle(true_labels(project)))
    return project


def _no_pixels(monkeypatch):
    """From here on, to decode an image or to build a network is an error."""

    def refuse(*_arguments, **_settings):
        raise AssertionError("an image was read or a model was built")

    monkeypatch.setattr("budgetal.workspace.load_collection", refuse)
    monkeypatch.setattr("budgetal.engine.networks.build_classifier", refuse)


def test_every_look_of_a_run_agrees_without_images_or_a_model(finished, monkeypatch):
    project = finished
    _no_pixels(monkeypatch)
    found = recertify(project.folder)
    assert found.agrees
    assert found.recorded == found.recomputed == project.state.certificate
    assert [look.kind for look in found.looks] == ["shown only"] * 3 + ["planned end"]
    assert found.looks[-1].risk == final_risk(SETTINGS["risk"], 0, has_target=False)
    assert found.risk_spent == sum(look.spent for look in found.looks)
    assert found.is_last_word


def test_a_certificate_without_an_error_agrees(make):
    project = make(tolerance=0.35)
    truth = true_labels(project)
    while (query := project.ask()) is not None:
        project.tell(Oracle(truth).annotate(query))
        if query.purpose == "audit":
            # The people agree with the model of the end, so the audit has no error.
            audit = query.sample_ids
    predicted = project.workspace.arrays.get(project.state.probs_ref)[project.learner.pool.rows(audit)].argmax(axis=1)
    project.tell([Annotation(i, project.config.classes[k]) for i, k in zip(audit, predicted, strict=True)])
    assert project.ask() is None
    found = recertify(project.folder)
    assert found.agrees
    assert found.recorded.errors == 0


def test_before_the_first_look_there_is_nothing_to_disagree_with(make):
    project = make()
    project.ask()
    found = recertify(project.folder)
    assert (found.agrees, found.recorded, found.looks, found.by_class) == (True, None, (), None)


def test_labels_that_were_taken_back_agree_before_and_after_the_correction(finished):
    """Corrected answers are no part of the old look: it agrees still; the new one has a share of its own."""
    project = finished
    before = recertify(project.folder)
    corrected = [i for i in project.state.audit if project.state.labels[i].label != "red"]
    project.tell([Annotation(i, "red") for i in corrected])
    between = recertify(project.folder)
    assert between.agrees
    assert between.recorded == before.recorded
    assert not between.is_last_word
    assert 0 < between.n_answers_changed <= len(corrected)
    assert project.ask() is None
    after = recertify(project.folder)
    assert after.agrees
    assert (after.recorded, after.recomputed, after.n_answers_changed) == (None, None, 0)
    assert [look.kind for look in after.looks[-2:]] == ["planned end"] * 2
    assert after.looks[-1].spent == final_risk(SETTINGS["risk"], 1, has_target=False)


def test_a_larger_budget_agrees_at_each_of_its_ends(finished):
    project = finished
    for budget in (70, 80):
        project.configure(budget=budget)
        _finish(project)
        assert recertify(project.folder).agrees
    ends = [look.spent for look in recertify(project.folder).looks if look.kind == "planned end"]
    assert ends == [final_risk(SETTINGS["risk"], n, has_target=False) for n in range(3)]


def test_a_run_in_the_middle_of_a_larger_budget_still_has_its_last_certificate(finished):
    project = finished
    project.configure(budget=80)
    project.tell(Oracle(true_labels(project)).annotate(project.ask()))
    found = recertify(project.folder)
    assert found.agrees
    assert found.recorded == project.state.certificate
    assert not found.is_last_word


def test_a_target_and_a_stop_by_hand_have_their_rounds_shares(make):
    reached = _finish(make("target", budget=160, target_coverage=0.5, tolerance=0.35))
    found = recertify(reached.folder)
    assert found.agrees
    assert [look.kind for look in found.looks][-1] == "chosen end"
    assert found.looks[-1].spent == 0 < found.looks[-2].spent
    stopped = make("stopped")
    while len(stopped.state.rounds) < 1:
        stopped.tell(Oracle(true_labels(stopped)).annotate(stopped.ask()))
    stopped.stop()
    assert stopped.ask() is None
    found = recertify(stopped.folder)
    assert found.agrees
    assert found.looks[-1].kind == "chosen end"
    assert found.risk_spent == found.looks[-1].spent > 0


def test_a_skipped_audit_image_counts_as_wrong_again(make):
    project = make()
    oracle = Oracle(true_labels(project))
    while (query := project.ask()) is not None:
        if query.purpose == "audit":
            for sample_id in query.sample_ids[:2]:
                project.skip(sample_id)
        project.tell(
            oracle.annotate(dataclasses.replace(query, sample_ids=query.sample_ids[2:]))
            if query.purpose == "audit"
            else oracle.annotate(query)
        )
    assert recertify(project.folder).agrees


def test_no_automatic_labels_agree_with_none(make):
    found = recertify(_finish(make(auto_labeller="none")).folder)
    assert found.agrees
    assert found.recorded is None
    assert found.risk_spent == 0


def test_a_fall_back_is_listed_and_its_share_is_that_of_its_outcome(tmp_path):
    def choose(pool, n, rng):
        """Images that look most like the first."""
        like = pool.embeddings @ pool.embeddings[0]
        rows = torch.argsort(like, descending=True, stable=True)[:n]
        return Selection(rows, like[rows])

    strategy("one_sort", needs=("embeddings",), source="a test", cost="O(N d)", cold_start=True)(choose)
    try:
        folder = write_npy(tmp_path / "images", 400)
        settings = SETTINGS | {"budget": 130, "audit": 60, "initial": 20, "strategy": "one_sort"}
        project = _finish(Project.create(tmp_path / "p", images=str(folder), **settings))
        project.close()
    finally:
        del strategies._items["one_sort"]
    found = recertify(tmp_path / "p")
    assert found.agrees
    fallback = next(verdict["round"] for verdict in found.verdicts if verdict["worse"])
    left = risk_after_guard(SETTINGS["risk"], fallback)
    assert found.looks[-1].spent == final_risk(left, 0, has_target=False)


def _append_look(project, certificate, risk_spent, ref=None):
    state = project.state
    event = journal.auto_labelled(
        state.rounds[-1].round, ref or state.auto.ref, (state.auto.n, 0, 0), certificate, risk_spent, final=True
    )
    project._logbook.append([event, journal.NewEvent("finished", {})])


def test_a_false_certificate_is_noticed(finished):
    project = finished
    share = final_risk(SETTINGS["risk"], 1, has_target=False)
    rosier = dataclasses.replace(project.state.certificate, errors=0, upper_bound=0.001)
    _append_look(project, rosier, share)
    found = recertify(project.folder)
    assert not found.agrees
    assert any(difference.startswith("upper_bound: 0.001 recorded") for difference in found.differences)


def test_a_look_that_took_more_than_its_share_is_noticed(finished):
    project = finished
    _append_look(project, None, SETTINGS["risk"])
    differences = recertify(project.folder).differences
    assert any("risk of the look at event" in difference for difference in differences)


def test_other_automatic_labels_are_noticed(finished):
    project = finished
    rows, targets = project.learner.auto_labels(project.state)
    ref = project.workspace.arrays.put(np.stack([rows, (targets + 1) % 3]), "auto")
    _append_look(project, project.state.certificate, final_risk(SETTINGS["risk"], 1, has_target=False), ref)
    assert any("automatic labels" in difference for difference in recertify(project.folder).differences)


@pytest.mark.parametrize("which", ["probs", "auto", "index", "damaged"])
def test_what_is_gone_is_named(finished, which):
    project = finished
    arrays, state = project.folder / "cache" / "arrays", project.state
    lost = {
        "probs": arrays / state.probs_ref,
        "damaged": arrays / state.probs_ref,
        "auto": arrays / state.auto.ref,
        "index": project.folder / "cache" / "index.parquet",
    }[which]
    if which == "damaged":
        lost.chmod(0o644)
        lost.write_bytes(lost.read_bytes()[:-1] + b"x")
    else:
        lost.unlink()
    with pytest.raises(ProjectError, match=lost.name):
        recertify(project.folder)


def test_the_table_of_classes_counts_the_labels_in_force(make):
    project = _finish(make(tolerance=0.35))
    found, (_rows, targets) = recertify(project.folder), project.learner.auto_labels(project.state)
    assert [row["class"] for row in found.by_class] == list(project.config.classes)
    assert [row["n_auto"] for row in found.by_class] == np.bincount(targets, minlength=3).tolist()
    assert sum(row["n_audit"] for row in found.by_class) == found.recorded.n_audit
    assert sum(row["errors"] for row in found.by_class) == found.recorded.errors
    assert sum(row["look_risk"] for row in found.by_class) <= found.recorded.risk * (1 + 1e-9)
    assert found.by_class == project.write_outputs()["certificate_by_class"]
