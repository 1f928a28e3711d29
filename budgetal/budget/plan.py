"""How a budget is split: audit, first query, later queries."""

from dataclasses import dataclass

from budgetal.annotators.bounds import audit_labels_needed
from budgetal.budget.cost import prices_of
from budgetal.budget.ledger import Ledger
from budgetal.config import Config
from budgetal.errors import ConfigError

MOST_OF_BUDGET = 0.6
SHARE_OF_BUDGET = 0.2
NEEDED_TIMES = (3, 20)
QUERIES_PER_BUDGET = 8


@dataclass(frozen=True)
class BudgetPlan:
    """Images for each purpose. `initial` and both audits with all their opinions never exceed the budget."""

    audit: int
    initial: int
    batch: int
    last_audit: int = 0


def plan_budget(config: Config, n_samples: int, n_labelled: int = 0) -> BudgetPlan:
    """Fill in what the user left open. Raises ConfigError when the audit does not fit the budget.

    The audit must exceed what certifies the tolerance with no error seen, else no image is ever labelled
    automatically; three times that leaves room for images below the threshold and a few errors. Of a larger
    budget a fifth goes there, since more audit then certifies more images than more training does
    (docs/results.md), up to twenty times that number.
    """
    labels, each = affordable(config), config.audit_opinions or config.opinions_per_image
    default = _default_audit(config, min(labels // each, n_samples))
    audit = min(config.audit if config.audit is not None else default, n_samples)
    last_audit = labels_for_the_end(config, n_samples)
    if config.labels_everything and not last_audit:
        raise ConfigError(f"A budget of {labels} leaves no label for the audit at the end: raise --budget")
    n_audit = audit * each + last_audit
    which = "--last-audit" if last_audit > audit * each else "--audit"
    if n_audit > labels:
        both = f", {last_audit} of them kept for the end," if last_audit else ""
        raise ConfigError(
            f"The audit of {n_audit} labels{both} is above the budget of {labels}: lower {which} or raise --budget"
        )
    for_training = max(0, min((labels - n_audit) // config.opinions_per_image, n_samples - audit - last_audit))
    if for_training < 1 and not n_labelled:
        raise ConfigError(
            f"An audit of {audit + last_audit} leaves no label to train on: lower {which} or raise --budget"
        )
    batch = config.batch or max(1, for_training // QUERIES_PER_BUDGET)
    initial = 0 if n_labelled else min(config.initial or batch, for_training)
    return BudgetPlan(audit, initial, batch, last_audit)


def labels_for_the_end(config: Config, n_samples: int) -> int:
    """Labels that only a last audit may spend: the setting, or a fifth of the budget where it is the only audit."""
    if config.labels_everything:
        return config.last_audit or int(SHARE_OF_BUDGET * min(affordable(config), n_samples))
    return config.last_audit if config.auto_labeller == "certified" else 0


def affordable(config: Config) -> int:
    """Labels that both the budget of labels and that of money allow."""
    return Ledger(config.budget, config.budget_money, prices_of(config)).available


def _default_audit(config: Config, budget: int) -> int:
    # Only thresholds need one: the other labellers read no audit answer, or draw theirs at the end.
    if config.auto_labeller != "certified":
        return 0
    # With a threshold for each class, every class has to hold that many of its own, at its share of the risk.
    classes = max(1, len(config.classes)) if config.thresholds == "per_class" else 1
    needed = classes * audit_labels_needed(config.tolerance, config.risk / classes)
    least, most = (times * needed for times in NEEDED_TIMES)
    return min(max(least, min(int(SHARE_OF_BUDGET * budget), most)), int(MOST_OF_BUDGET * budget))
