"""What programs send and receive, version 1. Unknown fields are refused, so that a misspelt one is noticed."""

from typing import Annotated, Literal

from pydantic import Field

from budgetal.web.strict import Record as _Record

SampleId = Annotated[str, Field(pattern=r"^[0-9a-f]{8,64}$", description="content hash of the image")]
Client = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="one page or program; two of a person differ")
]
Key = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[!-~]+$", description="makes repeats harmless")]
RoleWord = Annotated[str, Field(pattern="^(annotator|reviewer|owner)$", description="what somebody may do")]


class LearnerStatus(_Record):
    """What the learner does: step `done` of `total`, so many a second, and the seconds left at that; null: unknown."""

    doing: str
    done: int
    total: int
    per_s: float | None = None
    left_s: float | None = None


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
    """Ask for images; those that the client holds already come first. help: with the model's guess, where it may be."""

    client: Client
    n: int = Field(default=1, ge=1, le=64)
    help: bool = False


class ScreenRequest(_Record):
    """Ask for images that are looked at together, besides those in hand."""

    client: Client
    n: int = Field(default=9, ge=0, le=16, description="0: renew the leases only")
    besides: list[SampleId] = Field(default=[], max_length=256)


class HeldItem(_Record):
    """An image in the client's hands; the token comes back with the answer."""

    sample_id: SampleId
    token: int = Field(ge=1, le=2**53)


class GuessInfo(_Record):
    """The class that the model finds most probable, and its calibrated probability."""

    label: str
    confidence: float


class Answer(HeldItem):
    """A label for an image that the client was handed. suggestion: the model's guess that was shown with it."""

    client: Client
    label: str = Field(min_length=1, max_length=1024)
    key: Key
    suggestion: str | None = Field(default=None, min_length=1, max_length=1024)


class SkipRequest(HeldItem):
    """Set an image aside. broken: there is nothing to see in it, so it gets no label by the machine either."""

    client: Client
    broken: bool = False


class HeldRequest(HeldItem):
    """Take an answer back."""

    client: Client


class ReleaseRequest(_Record):
    """Let images go that will not be labelled here."""

    client: Client
    sample_ids: list[SampleId] = Field(max_length=256)


class Claimed(_Record):
    """Images to label now. Empty: none waits; `ended` says whether more may come.

    guesses: the model's, by sample id, where help was asked for and people do not answer by themselves.
    """

    items: list[HeldItem]
    guesses: dict[str, GuessInfo]
    lease_s: float
    ended: bool
    standing: Standing


class Screen(Claimed):
    """Images to label next. is_grid: look-alikes, each with a guess; otherwise one by one, without any."""

    is_grid: bool


class QuantityInfo(_Record):
    """A measure of an image, and the share of a sample of the pool that is below it."""

    value: float
    percentile: float


class NeighbourInfo(_Record):
    """A labelled image that looks like the one in question. similarity: a cosine, in [-1, 1]."""

    sample_id: SampleId
    label: str
    similarity: float


class ReasonInfo(_Record):
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


class NoReason(_Record):
    """Why nothing is told of an image."""

    is_blind: Literal[True] = True
    note: str


class Purchase(_Record):
    """What `n` more labels are expected to bring: shares of images labelled right, and labelled at all."""

    n: int
    accuracy: float | None
    coverage: float | None


class Outlook(_Record):
    """The middle of the forecast; `reason` says why there is none."""

    next: Purchase | None
    reason: str | None


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


PersonName = Annotated[str, Field(min_length=1, max_length=64)]


class PersonInfo(_Record):
    """An account. Its answers stay when it is revoked."""

    name: str
    role: RoleWord
    is_revoked: bool
    made_unix_s: float
    made_by: str
    n_answers: int


class InviteInfo(_Record):
    """An invite that was not used yet; name: the only one that it is for, "" for any."""

    invite: str
    role: RoleWord
    name: str
    made_by: str
    ends_unix_s: float


class People(_Record):
    """Who belongs to the project."""

    people: list[PersonInfo]
    invites: list[InviteInfo]


class InviteRequest(_Record):
    """Invite somebody; a name lets them choose no other, and an account's name gives it a new password."""

    role: RoleWord = "annotator"
    name: str = Field(default="", max_length=64)


class Invited(_Record):
    """The link that makes the account. It works once, within a week."""

    link: str
    people: People


class WithdrawalRequest(_Record):
    """Make an invite useless."""

    invite: str = Field(pattern="^[0-9a-f]{32}$")


class PersonRequest(_Record):
    """Name an account."""

    name: PersonName


class RoleRequest(PersonRequest):
    """Give an account another role."""

    role: RoleWord


class Problem(_Record):
    """Why a request was refused."""

    error: str
    message: str


class MapStep(_Record):
    """The map that is being drawn: step `done` of `total`."""

    done: int
    total: int


class MapInfo(_Record):
    """The map of the images. name: None when there is none yet; id_bytes: bytes of an image's id among the points.

    is_draft: it is the first one, as far as it is drawn; is_newest: it shows the newest model's view of the images.
    """

    name: str | None
    n_points: int
    n_samples: int
    id_bytes: int
    round: int | None
    is_newest: bool
    is_draft: bool
    can_be_drawn: bool
    is_off: bool
    drawing: MapStep | None
    sees_all: bool


class Confusion(_Record):
    """counts: a row for each class that people named, a column for each that the model had guessed."""

    classes: list[str]
    counts: list[list[int]]
