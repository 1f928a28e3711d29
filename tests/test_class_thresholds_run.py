"""Projects in which each class has a threshold of its own: recorded, computed again, and said in words."""

import json

import pytest
from typer.testing import CliRunner

from budgetal.annotators.oracle import Oracle
from budgetal.budget.plan import plan_budget
from budgetal.cli import app
from budgetal.config import make_config
from budgetal.errors import ConfigError
from budgetal.recertify import recertify
from budgetal.simulate import run, true_labels
from budgetal.store.events import NewEvent

SETTINGS = {"budget": 150, "audit": 100, "batch": 25, "tolerance": 0.3, "risk": 0.2, "thresholds": "per_class"}


def test_what_each_class_is_promised_is_recorded_recomputed_and_said(make):
    project = make()
    truth = true_labels(project)
    run(project, Oracle(truth))
    summary = project.write_outputs(truth)
    certificate, rows = summary["certificate"], summary["certificate_by_class"]
    in_force = [row["own_threshold"] for row in rows]
    assert list(certificate["class_thresholds"]) == in_force
    assert any(in_force)
    assert sum(row["n_auto"] for row in rows) == certificate["n_auto"] == summary["n_auto_labels"]
    for row in rows:
        assert row["certified"] == (row["n_auto"] > 0)
        assert row["n_auto"] == row["own_n_auto"]
        assert not row["certified"] or row["upper_bound"] <= 0.3
    found = recertify(project.folder)
    assert found.agrees
    assert found.recorded == found.recomputed == project.state.certificate
    for command in ("status", "certify"):
        said = CliRunner().invoke(app, [command, str(project.folder)])
        assert said.exit_code == 0
        assert "Of each class's automatic labels at most 30" in said.output
    assert "Of each class&#39;s automatic labels" in (project.folder / "report.html").read_text(encoding="utf-8")
    _change_a_threshold(project)
    assert not recertify(project.folder).agrees


def _change_a_threshold(project):
    """Record the last look again with a lower threshold for a class."""
    stored = next(event.data for event in reversed(project.logbook.events()) if event.kind == "auto_labelled")
    changed = json.loads(json.dumps(stored))
    own = changed["certificate"]["class_thresholds"]
    own[next(target for target, value in enumerate(own) if value)] = 0.1
    project.logbook.append([NewEvent("auto_labelled", {**changed, "risk_spent": 0.0, "final": False})])


@pytest.mark.parametrize("labeller", ["ceal", "none"])
def test_thresholds_by_class_need_a_certificate(labeller):
    with pytest.raises(ConfigError, match="'thresholds' cannot be 'per_class'"):
        make_config(images="i", classes=("a", "b"), budget=9, auto_labeller=labeller, thresholds="per_class")


def test_thresholds_cannot_change_under_way(make):
    with pytest.raises(ConfigError, match="'thresholds' is fixed"):
        make().configure(thresholds="global")


def test_the_audit_that_is_drawn_has_room_for_every_class():
    settings = {"images": "i", "classes": tuple("abcd"), "budget": 5_000}
    # ln(0.05 / 4) / ln(0.95) = 85.4, three times for each of four classes.
    assert plan_budget(make_config(**settings, thresholds="per_class"), 50_000).audit == 3 * 4 * 86
    assert plan_budget(make_config(**settings), 50_000).audit == 1_000


def test_what_is_too_large_of_the_audits_is_named():
    settings = {"images": "i", "classes": ("a", "b"), "budget": 100}
    with pytest.raises(ConfigError, match=r"130 labels, 100 of them kept for the end, .* lower --last-audit or"):
        plan_budget(make_config(**settings, audit=30, last_audit=100), 1_000)
    with pytest.raises(ConfigError, match=r"audit of 120 labels is above .* lower --audit or"):
        plan_budget(make_config(**settings, audit=120), 1_000)
