"""What a forecast means in labels and money: the next purchase, the way to a target, the cheapest end, when to stop.

All are pure functions of a Forecast and of what things cost. Money is that of `budget_money`.
"""

from dataclasses import dataclass

import numpy as np

from budgetal.budget.curves import Floats
from budgetal.budget.forecast import LEVEL, Forecast

QUANTILES = ((1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2)
PLACES = 400


@dataclass(frozen=True)
class Costs:
    """label, compute_hour, mistake: money each (mistake None: not given); hours_per_label: of computing."""

    label: float
    compute_hour: float = 0.0
    hours_per_label: float = 0.0
    mistake: float | None = None
    auto_error: float = 0.0

    @property
    def next_label(self) -> float:
        """A label with the computing that goes with it."""
        return self.label + self.compute_hour * self.hours_per_label


@dataclass(frozen=True)
class Band:
    """Median and the ends of the 80 % band; None where it lies beyond the collection."""

    low: float | None
    middle: float | None
    high: float | None


@dataclass(frozen=True)
class Purchase:
    """After `n_labels` more: what they cost, accuracy and coverage then, and how much these grow."""

    n_labels: int
    money: float
    accuracy: Band
    coverage: Band
    accuracy_gain: Band
    coverage_gain: Band


@dataclass(frozen=True)
class Route:
    """Labels and money still needed to reach a target; chance: of reaching it before all images are labelled."""

    what: str
    target: float
    n_labels: Band
    money: Band
    chance: float


@dataclass(frozen=True)
class Split:
    """The end that costs least: so many more labels to train on, then every other image by its cheapest way.

    n_human: all labels by people in the end; n_automatic: certified; n_predicted: left to the model at the price of
    its mistakes. money: everything from now on.
    """

    n_more: int
    n_human: int
    n_automatic: int
    n_predicted: int
    money: Band


@dataclass(frozen=True)
class NextBatch:
    """Whether the next batch pays: its cost beside the saving that is expected from it."""

    n_labels: int
    cost: float
    saving: Band
    expected_saving: float

    @property
    def pays(self) -> bool:
        """Whether more is saved than spent, in the mean."""
        return self.n_labels > 0 and self.expected_saving >= self.cost


def n_left(forecast: Forecast) -> int:
    """Images that no person has labelled."""
    history = forecast.history
    return max(0, history.n_samples - history.n_fixed - history.n_to_train_on)


def purchase(forecast: Forecast, costs: Costs, n_labels: int) -> Purchase:
    """What the next `n_labels` buy, or those that are left."""
    n = min(n_labels, n_left(forecast))
    at = _labels_after(forecast, np.array([0, n]))
    accuracy, coverage = forecast.accuracies(at), forecast.coverages(at)
    return Purchase(
        n,
        n * costs.next_label,
        band(accuracy[:, 1]),
        band(coverage[:, 1]),
        band(accuracy[:, 1] - accuracy[:, 0]),
        band(coverage[:, 1] - coverage[:, 0]),
    )


def route(forecast: Forecast, costs: Costs, what: str, target: float) -> Route:
    """Labels until `what` (accuracy or coverage) first reaches `target`, in each draw on a grid of counts."""
    more = _grid(n_left(forecast))
    values = {"accuracy": forecast.accuracies, "coverage": forecast.coverages}[what](_labels_after(forecast, more))
    there = values >= target
    needed = np.where(there.any(axis=1), more[there.argmax(axis=1)], np.inf)
    labels = band(needed)
    money = (None if n is None else n * costs.next_label for n in (labels.low, labels.middle, labels.high))
    return Route(what, target, labels, Band(*money), float(np.isfinite(needed).mean()))


def cheapest(forecast: Forecast, costs: Costs) -> Split:
    """The number of further training labels with the least expected total cost (MCAL, Qiu et al. 2023)."""
    more = _grid(n_left(forecast))
    total, n_auto = _total_cost(forecast, costs, more)
    # Rounding must not turn equal costs into a reason to buy.
    means = np.round(total.mean(axis=0), 6)
    best = int(means.argmin())
    automatic = round(float(np.median(n_auto[:, best])))
    rest = max(0, n_left(forecast) - int(more[best]) - automatic)
    predicted = rest if _leaves_the_rest(forecast, costs, more[best]) else 0
    human = forecast.history.n_samples - automatic - predicted
    return Split(int(more[best]), human, automatic, predicted, band(total[:, best]))


def next_batch(forecast: Forecast, costs: Costs, n_labels: int) -> NextBatch:
    """The next batch's cost, and what it saves of the cheapest way to end without it."""
    n = min(n_labels, n_left(forecast))
    total, _ = _total_cost(forecast, costs, np.array([0, n]))
    cost = n * costs.next_label
    saving = total[:, 0] - (total[:, 1] - cost)
    return NextBatch(n, cost, band(saving), float(saving.mean()))


def _total_cost(forecast: Forecast, costs: Costs, more: Floats) -> tuple[Floats, Floats]:
    """(b, q) money from now to the end after `more` (q,) training labels, and (b, q) automatic labels."""
    n_auto, n_rest, wrong_rest = _parts(forecast, costs, more)
    mistake = costs.mistake or 0.0
    by_people = costs.label * n_rest
    rest = by_people if costs.mistake is None else np.minimum(by_people, mistake * wrong_rest)
    return costs.next_label * more + rest + mistake * costs.auto_error * n_auto, n_auto


def _parts(forecast: Forecast, costs: Costs, more: Floats) -> tuple[Floats, Floats, Floats]:
    """(b, q) each: images labelled automatically, images left, and mistakes among these if the model labels them."""
    n_open = n_left(forecast) - more
    at = _labels_after(forecast, more)
    n_auto = np.clip(forecast.coverages(at) * forecast.history.n_samples - at - forecast.history.n_fixed, 0, n_open)
    n_rest = n_open - n_auto
    wrong = (1 - forecast.accuracies(at)) * n_open - costs.auto_error * n_auto
    return n_auto, n_rest, np.clip(wrong, 0, n_rest)


def _leaves_the_rest(forecast: Forecast, costs: Costs, more: float) -> bool:
    """Whether, after `more` labels, the model's mistakes on what is left cost less than people's labels."""
    if costs.mistake is None:
        return False
    _, n_rest, wrong = _parts(forecast, costs, np.array([more]))
    return bool(costs.mistake * wrong.mean() < costs.label * n_rest.mean())


def _labels_after(forecast: Forecast, more: Floats) -> Floats:
    return np.asarray(forecast.history.n_to_train_on + more, dtype=np.float64)


def _grid(most: int) -> Floats:
    """Whole numbers from 0 to `most`, close together at first."""
    places = np.concatenate([[0], np.geomspace(1, max(most, 1), PLACES)])
    return np.unique(np.round(places).clip(0, most))


def band(draws: Floats) -> Band:
    """Median and ends of the 80 % band of draws (b,); infinite ones lie beyond the collection."""
    # Of values that exist, so that no draw beyond the collection is averaged with one within.
    ends = np.quantile(draws, QUANTILES, method="inverted_cdf")
    return Band(*(float(end) if np.isfinite(end) else None for end in ends))
