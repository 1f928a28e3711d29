"""What programs send and receive to review automatic labels, version 1."""

from typing import Annotated

from pydantic import Field

from budgetal.annotators.after_review import AfterReview
from budgetal.web.records import Key, SampleId
from budgetal.web.strict import Record


class ReviewGiven(Record):
    """A person's word on an automatic label."""

    label: str
    annotator: str


class ReviewItem(Record):
    """An automatic label. support: how far its nearest labelled neighbours agree, where they order the list."""

    position: int
    sample_id: SampleId
    automatic: str
    score: float
    support: float | None
    nearest: str | None
    review: ReviewGiven | None
    is_disputed: bool


class ReviewProgress(Record):
    """How far the review is. remaining: the promise for labels that nobody reviewed; null without a certificate."""

    n: int
    n_reviewed: int
    remaining: AfterReview | None


class ReviewPage(Record):
    """Images of the list that was made at event `look`; positions hold in that one."""

    look: int
    progress: ReviewProgress
    items: list[ReviewItem]
    has_more: bool


class ClassCount(Record):
    """How many images were given a class automatically."""

    label: str
    n: int


class ReviewAnswer(Record):
    """A label in place of the automatic one, or the same."""

    sample_id: SampleId
    label: str = Field(min_length=1, max_length=1024)


class ReviewRequest(Record):
    """Words on automatic labels: all are recorded, or none."""

    reviews: Annotated[list[ReviewAnswer], Field(min_length=1, max_length=256)]
    key: Key


class ReviewUndoRequest(Record):
    """Own reviews to forget."""

    sample_ids: Annotated[list[SampleId], Field(min_length=1, max_length=256)]
