"""How many labels a stream may cost: an estimate that forgets, and a limit that does not."""

import math
from dataclasses import dataclass
from fractions import Fraction

from budgetal.errors import ConfigError


@dataclass(frozen=True)
class Spending:
    """What a stream has cost so far: images seen, labels asked for, and û, the labels of the last images."""

    n_seen: int = 0
    n_queried: int = 0
    recent: float = 0.0

    def after(self, query: bool, window: int) -> "Spending":
        """The spending after one more image: û_t = û_{t-1} (w-1)/w + labelling_t."""
        recent = self.recent * (window - 1) / window + query
        return Spending(self.n_seen + 1, self.n_queried + query, recent)


@dataclass(frozen=True)
class LabelBudget:
    """At most a share `rate` of the images seen, and at most `most` labels in all.

    Two bounds hold together. The estimate of Žliobaitė et al. (TNNLS 2014), b̂ = û/w < B over a window of
    `window` images, spreads the labels evenly in time, but overshoots: when every image is wanted it
    spends up to 1/w more than B. The limit ceil(B · seen) + `allowance` is exact at every moment; the
    allowance lets the first labels come early. Raises ConfigError for a number out of range.
    """

    rate: float
    window: int = 100
    allowance: int = 0
    most: int | None = None

    def __post_init__(self) -> None:
        if not 0 < self.rate <= 1:
            raise ConfigError(f"'rate' cannot be {self.rate}: it is a share of the images, above 0 and at most 1")
        if self.window < 1 or self.allowance < 0:
            raise ConfigError(f"Need window ≥ 1 and allowance ≥ 0, got {self.window} and {self.allowance}")
        if self.most is not None and self.most < 1:
            raise ConfigError(f"A stream cannot ask for at most {self.most} labels: give 1 or more")

    def limit(self, n_seen: int) -> int:
        """Most labels that `n_seen` images may cost: ceil(B · n_seen) + allowance, or `most`."""
        # Exact for the decimal that was written: 0.1 · 30 is 3, while in floats it is a little more.
        by_rate = math.ceil(Fraction(str(self.rate)) * n_seen) + self.allowance
        return by_rate if self.most is None else min(by_rate, self.most)

    def estimate(self, spending: Spending) -> float:
        """b̂ = û/w, the share of the last images whose label was asked for."""
        return spending.recent / self.window

    def allows(self, spending: Spending) -> bool:
        """Whether the label of the next image may be asked for."""
        next_fits = spending.n_queried < self.limit(spending.n_seen + 1)
        return next_fits and (self.rate == 1 or self.estimate(spending) < self.rate)

    def quota(self, spending: Spending, n: int) -> int:
        """Labels that a chunk of the next `n` images may cost."""
        left = self.limit(spending.n_seen + n) - spending.n_queried
        return max(0, min(n, left))
