"""What programs send and receive about the images in their hands."""

from pydantic import Field

from budgetal.web.records import Client, Key, SampleId, Standing
from budgetal.web.strict import Record


class ClaimRequest(Record):
    """Ask for images; those that the client holds already come first. help: with the model's guess, where it may be."""

    client: Client
    n: int = Field(default=1, ge=1, le=64)
    help: bool = False


class ScreenRequest(Record):
    """Ask for images that are looked at together, besides those in hand."""

    client: Client
    n: int = Field(default=9, ge=0, le=16, description="0: renew the leases only")
    besides: list[SampleId] = Field(default=[], max_length=256)


class HeldItem(Record):
    """An image in the client's hands; the token comes back with the answer."""

    sample_id: SampleId
    token: int = Field(ge=1, le=2**53)


class GuessInfo(Record):
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


class ReleaseRequest(Record):
    """Let images go that will not be labelled here."""

    client: Client
    sample_ids: list[SampleId] = Field(max_length=256)


class Claimed(Record):
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
