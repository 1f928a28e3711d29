"""What programs send and receive, version 1. Unknown fields are refused, so that a misspelt one is noticed."""

from typing import Annotated

from pydantic import Field

from budgetal.web.strict import Record as _Record

SampleId = Annotated[str, Field(pattern=r"^[0-9a-f]{8,64}$", description="content hash of the image")]
Client = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="one page or program; two of a person differ")
]
Key = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[!-~]+$", description="makes repeats harmless")]
RoleWord = Annotated[str, Field(pattern="^(annotator|reviewer|owner)$", description="what somebody may do")]


class LearnerStatus(_Record):
    """What the learner does: step `done` of `total`."""

    doing: str
    done: int
    total: int


class CertificateInfo(_Record):
    """The promise on the automatic labels."""

    n_auto: int
    upper_bound: float
    confidence: float
    n_audit: int
    errors: int


class Standing(_Record):
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


class ClaimRequest(_Record):
    """Ask for images; those that the client holds already come first."""

    client: Client
    n: int = Field(default=1, ge=1, le=64)


class HeldItem(_Record):
    """An image in the client's hands; the token comes back with the answer."""

    sample_id: SampleId
    token: int = Field(ge=1, le=2**53)


class Answer(HeldItem):
    """A label for an image that the client was handed."""

    client: Client
    label: str = Field(min_length=1, max_length=1024)
    key: Key


class HeldRequest(HeldItem):
    """Skip an image, or take an answer back."""

    client: Client


class ReleaseRequest(_Record):
    """Let images go that will not be labelled here."""

    client: Client
    sample_ids: list[SampleId] = Field(max_length=256)


class Claimed(_Record):
    """Images to label now. Empty: none waits; `ended` says whether more may come."""

    items: list[HeldItem]
    lease_s: float
    ended: bool
    standing: Standing


class Done(_Record):
    """What was asked for is on disk."""

    standing: Standing


class ProjectInfo(_Record):
    """What a page needs once."""

    name: str
    classes: list[str]
    none_of_these: str
    annotator: str
    role: RoleWord
    tolerance: float


class Problem(_Record):
    """Why a request was refused."""

    error: str
    message: str
