import pytest

from budgetal.annotators.bounds import audit_labels_needed
from budgetal.budget.plan import plan_budget
from budgetal.config import make_config
from budgetal.errors import ConfigError


def _config(**settings):
    return make_config(images="x", classes=("a", "b"), **{"budget": 1_000, **settings})


@pytest.mark.parametrize("budget", [2, 10, 150, 1_000, 5_000, 100_000])
def test_the_parts_never_exceed_the_budget_and_leave_something_to_train_on(budget):
    plan = plan_budget(_config(budget=budget), n_samples=50_000)
    assert plan.audit + plan.initial <= budget
    assert plan.initial >= 1
    assert plan.batch >= 1


def test_the_default_audit_can_certify_where_the_budget_allows_it():
    plan = plan_budget(_config(tolerance=0.02), n_samples=60_000)
    assert plan.audit >= audit_labels_needed(0.02, 0.05)


def test_what_the_user_said_is_kept():
    plan = plan_budget(_config(audit=77, initial=33, batch=11), n_samples=5_000)
    assert (plan.audit, plan.initial, plan.batch) == (77, 33, 11)


def test_no_first_query_where_labels_were_given():
    assert plan_budget(_config(), n_samples=5_000, n_labelled=20).initial == 0


def test_no_audit_without_an_auto_labeller():
    assert plan_budget(_config(auto_labeller="none"), n_samples=5_000).audit == 0


@pytest.mark.parametrize("audit", [1_001, 1_000])
def test_an_audit_that_leaves_nothing_is_refused(audit):
    with pytest.raises(ConfigError, match="--audit"):
        plan_budget(_config(audit=audit), n_samples=5_000)


def test_money_is_a_budget_too():
    plan = plan_budget(_config(budget_money=100.0, cost_per_label=0.5), n_samples=5_000)
    assert plan.audit + plan.initial <= 200
