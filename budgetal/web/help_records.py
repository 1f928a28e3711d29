"""What programs receive to help somebody who labels: why an image was asked, and what labels buy."""

from typing import Literal

from budgetal.web.item_records import GuessInfo
from budgetal.web.records import SampleId
from budgetal.web.strict import Record


class QuantityInfo(Record):
    """A measure of an image, and the share of a sample of the pool that is below it."""

    value: float
    percentile: float


class NeighbourInfo(Record):
    """A labelled image that looks like the one in question. similarity: a cosine, in [-1, 1]."""

    sample_id: SampleId
    label: str
    similarity: float


class ReasonInfo(Record):
    """Why an image was asked."""

    is_blind: Literal[False] = False
    strategy: str
    summary: str
    round: int
    weights: dict[str, float]
    guesses: list[GuessInfo]
    uncertainty: QuantityInfo
    correlation: QuantityInfo
    informativeness: QuantityInfo
    neighbours: list[NeighbourInfo]


class NoReason(Record):
    """Why nothing is told of an image."""

    is_blind: Literal[True] = True
    note: str


class Purchase(Record):
    """What `n` more labels are expected to bring: shares of images labelled right, and labelled at all."""

    n: int
    accuracy: float | None
    coverage: float | None


class Outlook(Record):
    """The middle of the forecast; `reason` says why there is none."""

    next: Purchase | None
    reason: str | None
