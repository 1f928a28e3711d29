"""What programs send and receive about accounts and invites."""

from typing import Annotated

from pydantic import Field

from budgetal.web.records import RoleWord
from budgetal.web.strict import Record

PersonName = Annotated[str, Field(min_length=1, max_length=64)]


class PersonInfo(Record):
    """An account. Its answers stay when it is revoked."""

    name: str
    role: RoleWord
    is_revoked: bool
    made_unix_s: float
    made_by: str
    n_answers: int


class InviteInfo(Record):
    """An invite that was not used yet; name: the only one that it is for, "" for any."""

    invite: str
    role: RoleWord
    name: str
    made_by: str
    ends_unix_s: float


class People(Record):
    """Who belongs to the project."""

    people: list[PersonInfo]
    invites: list[InviteInfo]


class InviteRequest(Record):
    """Invite somebody; a name lets them choose no other, and an account's name gives it a new password."""

    role: RoleWord = "annotator"
    name: str = Field(default="", max_length=64)


class Invited(Record):
    """The link that makes the account. It works once, within a week."""

    link: str
    people: People


class WithdrawalRequest(Record):
    """Make an invite useless."""

    invite: str = Field(pattern="^[0-9a-f]{32}$")


class PersonRequest(Record):
    """Name an account."""

    name: PersonName


class RoleRequest(PersonRequest):
    """Give an account another role."""

    role: RoleWord
