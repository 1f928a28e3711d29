"""What programs send and receive, version 1: words that all share, and where a project stands.

Unknown fields are refused, so that a misspelt one is noticed. Other records are beside the files that use them:
`item_records`, `help_records`, `people_records`, `watching_records`, `review_records`, `settings_records`,
`start_records`.
"""

from typing import Annotated

from pydantic import Field

from budgetal.web.strict import Record

SampleId = Annotated[str, Field(pattern=r"^[0-9a-f]{8,64}$", description="content hash of the image")]
Client = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="one page or program; two of a person differ")
]
Key = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[!-~]+$", description="makes repeats harmless")]
RoleWord = Annotated[str, Field(pattern="^(annotator|reviewer|owner)$", description="what somebody may do")]


class LearnerStatus(Record):
    """What the learner does: step `done` of `total`, so many a second, and the seconds left at that; null: unknown."""

    doing: str
    done: int
    total: int
    per_s: float | None = None
    left_s: float | None = None


class CertificateInfo(Record):
    """The promise on the automatic labels; upper_bound_of_all: of all labels, where the tolerance is about these."""

    n_auto: int
    upper_bound: float
    upper_bound_of_all: float | None
    confidence: float
    n_audit: int
    errors: int


class Standing(Record):
    """Where a project stands after event number `seq`. It says nothing of single images."""

    seq: int
    n_samples: int
    budget: int
    n_paid: int
    n_left: int
    n_human: int
    n_auto: int
    n_open: int
    n_rounds: int
    coverage: float
    audit_accuracy: float | None
    test_accuracy: float | None
    certificate: CertificateInfo | None
    tolerance: float
    strategy: str
    stop_reason: str | None
    finished: bool
    paused: bool
    learner: LearnerStatus | None


class Done(Record):
    """What was asked for is on disk."""

    standing: Standing


class ProjectInfo(Record):
    """What a page needs once."""

    name: str
    classes: list[str]
    none_of_these: str
    annotator: str
    role: RoleWord
    tolerance: float


class Problem(Record):
    """Why a request was refused."""

    error: str
    message: str
