"""Stream-based selective sampling: each image is offered once, and the answer is ask or let go."""

from budgetal.query.stream.policies import StreamPolicy, ensemble_variance, policies
from budgetal.query.stream.selector import Decision, StreamSelector, StreamSettings, StreamState
from budgetal.query.stream.spending import LabelBudget, Spending

__all__ = [
    "Decision",
    "LabelBudget",
    "Spending",
    "StreamPolicy",
    "StreamSelector",
    "StreamSettings",
    "StreamState",
    "ensemble_variance",
    "policies",
]
