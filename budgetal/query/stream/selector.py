"""The selector of a stream: a policy, a budget, and the few numbers that it has to remember."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from budgetal import seeding
from budgetal.errors import ConfigError, StorageError
from budgetal.query.stream.policies import Rule, StreamPolicy, Tuning, Verdict, policies
from budgetal.query.stream.spending import LabelBudget, Spending


@dataclass(frozen=True)
class StreamSettings:
    """What decides a stream's queries besides its images.

    rate, window, allowance, most: the budget, see LabelBudget. step: s, the share by which θ moves.
    deviation: δ of the randomised policy. threshold: of fixed_uncertainty, the uncertainty above which an
    image is asked for; None: (1 - B)(1 - 1/m), which for m classes would ask for a share B if the
    confidence were uniform between 1/m and 1. seed: same seed, same decisions, also after a resume.
    Raises ConfigError for an unknown policy and for numbers out of range.
    """

    policy: str = "balanced_uncertainty"
    rate: float = 0.1
    window: int = 100
    allowance: int = 0
    most: int | None = None
    step: float = 0.01
    deviation: float = 1.0
    threshold: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        _ = policies[self.policy], self.budget
        if not 0 < self.step < 1:
            raise ConfigError(f"'step' cannot be {self.step}: it must be above 0 and below 1")
        if not 0 <= self.deviation < float("inf"):
            raise ConfigError(f"'deviation' cannot be {self.deviation}: it must be finite and at least 0")
        if self.threshold is not None and not 0 <= self.threshold < 1:
            raise ConfigError(f"'threshold' cannot be {self.threshold}: it must be at least 0 and below 1")
        if self.seed < 0:
            raise ConfigError(f"'seed' cannot be {self.seed}: it must be 0 or more")

    @property
    def budget(self) -> LabelBudget:
        """The bounds that the queries keep."""
        return LabelBudget(self.rate, self.window, self.allowance, self.most)


@dataclass(frozen=True)
class StreamState:
    """All that a selector remembers: θ, a bound on the confidence, and what was spent."""

    theta: float = 1.0
    spending: Spending = field(default_factory=Spending)


@dataclass(frozen=True)
class Decision:
    """The answer for one image, and why.

    uncertainty: what the policy measured. threshold: it is queried above this; None where nothing was
    compared. has_budget: False when the budget alone forbade it. spending: b̂ after this image.
    """

    query: bool
    uncertainty: float
    threshold: float | None
    has_budget: bool
    spending: float
    n_seen: int
    n_queried: int


class StreamSelector:
    """Decides, image after image, which labels a stream is worth.

    Only `state` changes. `to_json` holds all of it: a selector that is made again with `from_json` decides
    as the first would have. Randomness is derived from the seed and the number of images seen.
    """

    def __init__(self, settings: StreamSettings, state: StreamState | None = None) -> None:
        self.settings = settings
        self.state = StreamState() if state is None else state

    def offer(self, probs: Float[Tensor, "*members classes"]) -> Decision:
        """Decide on one image from its class probabilities, or those of each member of an ensemble.

        O(members × classes). Raises ValueError for what is no probability, too few members, or a policy
        that compares the images of a chunk.
        """
        if self._policy.rule is None:
            raise ValueError(f"Policy {self.settings.policy!r} compares the images of a chunk: call offer_chunk")
        return self.offer_chunk(probs[None])[0]

    def offer_chunk(self, probs: Float[Tensor, "n *members classes"]) -> list[Decision]:
        """Decide on n images: one after the other, or for `variance` on all of them together.

        Raises ValueError as `offer` does; then no image of the chunk counts as seen.
        """
        uncertainty = self._measured(probs)
        rule = self._policy.rule
        if rule is None:
            return self._largest(uncertainty)
        tuning = self._tuning(probs.shape[-1])
        return [self._judged(value, rule, tuning) for value in uncertainty]

    def to_json(self) -> dict[str, Any]:
        """Settings and state as plain JSON."""
        return {"settings": asdict(self.settings), "state": asdict(self.state)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "StreamSelector":
        """The selector that `to_json` described. Raises StorageError when that is not what it is."""
        try:
            theta, spending = float(stored["state"]["theta"]), Spending(**stored["state"]["spending"])
            return cls(_settings(stored["settings"]), StreamState(theta, spending))
        except (KeyError, TypeError, ValueError) as error:
            raise StorageError(f"The state of the stream is damaged: {error!r}") from None

    @property
    def _policy(self) -> StreamPolicy:
        return policies[self.settings.policy]

    def _tuning(self, n_classes: int) -> Tuning:
        chosen = self.settings
        uncertain = (1 - chosen.rate) * (1 - 1 / n_classes) if chosen.threshold is None else chosen.threshold
        return Tuning(chosen.rate, chosen.step, chosen.deviation, fixed=1 - uncertain)

    def _measured(self, probs: Tensor) -> list[float]:
        members = probs[:, None] if probs.ndim == 2 else probs
        if members.shape[1] < self._policy.min_members:
            raise ValueError(
                f"Policy {self.settings.policy!r} needs the probabilities of {self._policy.min_members} members or "
                f"more, got {members.shape[1]}"
            )
        measured: list[float] = self._policy.measure(members).tolist()
        return measured

    def _judged(self, uncertainty: float, rule: Rule, tuning: Tuning) -> Decision:
        before = self.state
        has_budget = self.settings.budget.allows(before.spending)
        verdict = Verdict(False, before.theta, before.theta)
        if has_budget:
            rng = seeding.generator(self.settings.seed, before.spending.n_seen, "stream")
            verdict = rule(1 - uncertainty, before.theta, tuning, rng)
        compared = None if verdict.compared is None else 1 - verdict.compared
        return self._recorded(verdict.query, uncertainty, compared, has_budget, verdict.theta)

    def _largest(self, values: Sequence[float]) -> list[Decision]:
        """The quota's largest; among equals the first that came."""
        quota = self.settings.budget.quota(self.state.spending, len(values))
        order = torch.tensor(values).argsort(descending=True, stable=True)
        chosen = set(order[:quota].tolist())
        lowest = min((values[place] for place in chosen), default=None)
        return [
            self._recorded(place in chosen, value, lowest, quota > 0, self.state.theta)
            for place, value in enumerate(values)
        ]

    def _recorded(
        self, query: bool, uncertainty: float, threshold: float | None, has_budget: bool, theta: float
    ) -> Decision:
        budget = self.settings.budget
        spent = self.state.spending.after(query, budget.window)
        self.state = StreamState(theta, spent)
        share = budget.estimate(spent)
        return Decision(query, uncertainty, threshold, has_budget, share, spent.n_seen, spent.n_queried)


def _settings(stored: Mapping[str, Any]) -> StreamSettings:
    known = {item.name for item in fields(StreamSettings)}
    if set(stored) != known:
        raise KeyError(*sorted(set(stored) ^ known))
    return StreamSettings(**stored)
