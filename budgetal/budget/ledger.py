"""The budget ledger: what is spent, what is promised to people, and the refusal of anything more."""

from dataclasses import dataclass, replace

from budgetal.errors import BudgetError


@dataclass(frozen=True)
class Ledger:
    """Labels and money of one project. `reserved` labels are asked for and not answered yet."""

    budget_labels: int
    budget_money: float | None
    cost_per_label: float
    spent: int = 0
    reserved: int = 0

    @property
    def spent_money(self) -> float:
        """Money spent on the labels given so far."""
        return self.spent * self.cost_per_label

    @property
    def available(self) -> int:
        """Labels that may still be asked for, under both budgets."""
        by_labels = self.budget_labels - self.spent - self.reserved
        if self.budget_money is None or self.cost_per_label == 0:
            return max(0, by_labels)
        affordable = int(self.budget_money / self.cost_per_label + 1e-9)
        return max(0, min(by_labels, affordable - self.spent - self.reserved))

    def reserve(self, n: int) -> "Ledger":
        """Set `n` labels aside for a query. Raises BudgetError when that is more than is left."""
        if n > self.available:
            raise BudgetError(
                f"Cannot ask for {n} labels: {self.available} are left of the budget of "
                f"{self.budget_labels}. Ask for fewer, or raise the budget."
            )
        return replace(self, reserved=self.reserved + n)
