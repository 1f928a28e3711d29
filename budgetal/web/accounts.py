"""Accounts and invites as they are kept: who may come in with a password, and who is still to choose one."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from budgetal.types import Json
from budgetal.web.roles import Role, role_named

ACCOUNT, INVITE = "account", "invite"
INVITE_S = 7 * 86_400


@dataclass(frozen=True)
class Account:
    """Somebody who logs in. It is revoked rather than removed, so that a name stands for one person for ever.

    password: its hash; None once revoked. generation: sessions of an earlier one are over.
    """

    name: str
    role: Role
    password: str | None
    generation: int
    made_unix_s: float
    made_by: str

    @property
    def is_revoked(self) -> bool:
        """Whether nobody can come in with it."""
        return self.password is None

    @property
    def is_owner(self) -> bool:
        """Whether somebody can come in as owner with it."""
        return self.role is Role.OWNER and not self.is_revoked

    def as_json(self) -> dict[str, Json]:
        """What is stored."""
        return {**asdict(self), "role": self.role.word}


@dataclass(frozen=True)
class Invite:
    """A link that makes one account, once. id: the hash of its code, which is kept nowhere.

    name: the only one that it may be used for, "" for any; that of an account gives it a new password.
    """

    id: str
    role: Role
    name: str
    made_by: str
    made_unix_s: float

    @property
    def ends_unix_s(self) -> float:
        """When it can be used no more."""
        return self.made_unix_s + INVITE_S

    def as_json(self) -> dict[str, Json]:
        """What is stored."""
        return {**asdict(self), "role": self.role.word}


def account_from(data: Mapping[str, Any]) -> Account:
    """The account that was stored."""
    return Account(**{**data, "role": role_named(data["role"])})


def invite_from(data: Mapping[str, Any]) -> Invite:
    """The invite that was stored."""
    return Invite(**{**data, "role": role_named(data["role"])})
