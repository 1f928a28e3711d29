"""The budget ledger: what is spent, what is promised to people, and the refusal of anything more."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from budgetal.budget.cost import Paid, Prices
from budgetal.errors import BudgetError


@dataclass(frozen=True)
class Ledger:
    """Labels and money of one project. `reserved` labels are asked for and not answered yet.

    A reserved label counts at the highest price, so the money budget is kept whatever it will say. So does an
    audit answer: were it to count at the price of its class, audit answers would decide how much is trained on,
    and no certificate could rest on them.

    Reviews of automatic labels have a purse of their own, for the same reason: what they cost takes nothing from what
    may be asked for. review_budget: how many may be given; None: any number.
    """

    budget_labels: int
    budget_money: float | None
    prices: Prices
    paid: Mapping[Paid, int] = field(default_factory=dict)
    reserved: int = 0
    reviewed: Mapping[Paid, int] = field(default_factory=dict)
    review_budget: int | None = None

    @property
    def spent(self) -> int:
        """Labels given and paid for so far."""
        return sum(self.paid.values())

    @property
    def spent_money(self) -> float:
        """Money spent on the labels given so far."""
        return self.prices.total(self.paid)

    @property
    def available(self) -> int:
        """Labels that may still be asked for, under both budgets."""
        by_labels = self.budget_labels - self.spent - self.reserved
        if self.budget_money is None or self.prices.highest == 0:
            return max(0, by_labels)
        affordable = math.floor((self.budget_money - self._committed_money) / self.prices.highest + 1e-6)
        return max(0, min(by_labels, affordable))

    @property
    def reviewed_money(self) -> float:
        """Money spent on reviews of automatic labels."""
        return self.prices.total(self.reviewed)

    def check_reviews(self, n: int) -> None:
        """Raise BudgetError when `n` more reviews are more than may be given, or could cost more than is left."""
        given = sum(self.reviewed.values())
        if self.review_budget is not None and given + n > self.review_budget:
            raise BudgetError(
                f"Cannot review {n} more labels: {given} of the {self.review_budget} that may be reviewed are. "
                "Raise review_budget"
            )
        left = -self.money_missing
        if n * self.prices.highest > left + 1e-6:
            raise BudgetError(
                f"Cannot review {n} more labels: at up to {self.prices.highest:g} each they may cost more than the "
                f"{max(0.0, left):g} that is left beside what may still be asked for. Raise budget_money"
            )

    @property
    def money_missing(self) -> float:
        """By how much all that may still be asked for, and the reviews so far, may exceed the budget of money.

        Negative: so much is left beside it; -inf where there is no such budget.
        """
        if self.budget_money is None:
            return -math.inf
        kept = self._committed_money + self.available * self.prices.highest
        return kept + self.reviewed_money - self.budget_money

    @property
    def _committed_money(self) -> float:
        audit = sum(n for kind, n in self.paid.items() if kind.is_audit)
        trained_on = {kind: n for kind, n in self.paid.items() if not kind.is_audit}
        return self.prices.total(trained_on) + (audit + self.reserved) * self.prices.highest

    def reserve(self, n: int) -> "Ledger":
        """Set `n` labels aside for a query. Raises BudgetError when that is more than is left."""
        if n > self.available:
            raise BudgetError(
                f"Cannot ask for {n} labels: {self.available} are left of the budget of "
                f"{self.budget_labels}. Ask for fewer, or raise the budget."
            )
        return replace(self, reserved=self.reserved + n)
