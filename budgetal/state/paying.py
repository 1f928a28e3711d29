"""What answers are paid as: each once, as it stands now."""

from budgetal.budget.cost import Paid
from budgetal.state.holding import State
from budgetal.state.records import GIVEN, HumanLabel


def pay(state: State, sample_id: str, label: HumanLabel) -> None:
    """Count an answer at the price that it has now; labels that came with the images are free."""
    if label.query_id != GIVEN:
        state.paid[_paid_as(state, sample_id, label)] += 1


def unpay(state: State, sample_id: str, label: HumanLabel | None) -> None:
    """Take the price of an answer back that is corrected or undone: each is paid for once, as it stands."""
    if label is not None and label.query_id != GIVEN:
        state.paid[_paid_as(state, sample_id, label)] -= 1


def _paid_as(state: State, sample_id: str, label: HumanLabel) -> Paid:
    return Paid(label.label, label.annotator, state.is_audit(sample_id))
