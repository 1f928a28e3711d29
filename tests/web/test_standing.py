"""Figures of the pages that everybody who annotates may see."""

from budgetal.annotators.oracle import Oracle
from budgetal.simulate import true_labels
from budgetal.types import Annotation
from budgetal.web.outlook import Outlooks
from budgetal.web.standing import standing

SETTINGS = {"budget": 60, "audit": 30, "initial": 10, "batch": 10, "tolerance": 0.2, "risk": 0.2}
CHEAP = {"blue": 0.1, "green": 0.1, "red": 0.5}


def test_labels_left_fall_by_one_at_every_answer_of_the_audit_or_not_at_whatever_price(make):
    project = make(budget_money=50.0, cost_factor_by_class=CHEAP)
    truth, left = true_labels(project), [standing(project.state, None).n_left]
    for purpose in ("initial", "audit"):
        query = project.ask()
        assert query.purpose == purpose
        for sample_id in query.sample_ids:
            project.tell([Annotation(sample_id, truth[sample_id])])
            left.append(standing(project.state, None).n_left)
    assert left == list(range(50, 9, -1))


def test_labels_left_are_never_fewer_than_those_that_are_asked_for(make):
    project = make(budget_money=50.0, cost_factor_by_class=CHEAP)
    oracle = Oracle(true_labels(project))
    while query := project.ask():
        assert standing(project.state, None).n_left >= len(query.sample_ids)
        project.tell(oracle.annotate(query))
    assert standing(project.state, None).n_left == 0


def test_the_outlook_follows_settings_and_the_end_but_no_single_answer(make, monkeypatch):
    project, made = make(), []
    oracle, outlooks = Oracle(true_labels(project)), Outlooks(project.folder)

    def forecast(_self):
        made.append(1)
        return {"reason": f"forecast {len(made)}"}

    monkeypatch.setattr("budgetal.project.Project.forecast", forecast)

    def now():
        return outlooks.now().reason

    assert now() == "forecast 1"
    project.tell(oracle.annotate(project.ask()))
    assert now() == "forecast 1"
    project.configure(cost_per_wrong_label=2.0)
    assert now() == now() == "forecast 2"
    project.change_classes("rename", "red", "scarlet")
    assert now() == now() == "forecast 3"
    outlooks.close()
