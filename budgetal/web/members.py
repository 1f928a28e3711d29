"""Who belongs to a project: invites, accounts, their roles, and the end of either."""

import hashlib
import math
import secrets
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from budgetal.errors import DataError, ProjectError
from budgetal.logbook import Logbook
from budgetal.store.store import Transaction
from budgetal.web.accounts import ACCOUNT, INVITE, Account, Invite, account_from, invite_from
from budgetal.web.names import alike, check_name
from budgetal.web.passwords import check_password, hash_password, is_right
from budgetal.web.roles import Role

REREAD_S = 1.0
"""How long a revocation by another process may take to be noticed."""


class InviteError(DataError):
    """An invite was used already, is over or was withdrawn."""


class Members:
    """Accounts and invites of one project. Several threads may use it."""

    def __init__(self, logbook: Logbook, now: Callable[[], float] = time.time) -> None:
        self._logbook = logbook
        self._now = now
        self._read_at = -math.inf
        self._accounts: dict[str, Account] = {}

    def accounts(self) -> list[Account]:
        """All of them, revoked ones too, by name."""
        return list(self._known().values())

    def account(self, name: str) -> Account | None:
        """The one of that name."""
        return self._known().get(alike(name))

    def open_invites(self) -> list[Invite]:
        """Those that may still be used, the oldest first."""
        found = (invite_from(data) for data in self._logbook.kept(INVITE).values())
        return sorted((one for one in found if self._is_open(one)), key=lambda one: one.made_unix_s)

    def invite(self, role: Role, name: str, made_by: str) -> str:
        """The code of a new invite; name: "" lets whoever opens it choose. Raises ConfigError, ProjectError."""
        code = secrets.token_urlsafe(24)
        invite = Invite(_id_of(code), role, name and check_name(name.strip()), made_by, self._now())
        with self._logbook.turn() as transaction:
            account = _accounts_in(transaction).get(alike(name))
            if account is not None and account.is_revoked:
                raise ProjectError(f"The account {account.name!r} was revoked: names are used once, choose another")
            transaction.keep(INVITE, invite.id, invite.as_json())
        return code

    def withdraw(self, invite_id: str) -> None:
        """Make an open invite useless. Raises DataError for none."""
        with self._logbook.turn() as transaction:
            if invite_id not in transaction.kept(INVITE):
                raise DataError(f"There is no open invite {invite_id!r}: it was used or withdrawn")
            transaction.keep(INVITE, invite_id, None)

    def invited(self, code: str) -> Invite | None:
        """The open invite that a code stands for."""
        data = self._logbook.kept(INVITE).get(_id_of(code))
        invite = invite_from(data) if data else None
        return invite if invite and self._is_open(invite) else None

    def join(self, code: str, name: str, password: str, annotators: Collection[str] = ()) -> Account:
        """Use an invite up for an account, or for a new password of the account that it names.

        annotators: names under which answers were given, which only an invite by that name may take over.
        Raises InviteError when it is no longer open, ConfigError for a name or password that cannot be used,
        ProjectError for a name that somebody has.
        """
        invite = self._open_invite(code)
        name = check_name((invite.name or name).strip())
        # It takes long, so not while others wait for the journal.
        hashed = hash_password(check_password(password, name))
        with self._changing() as transaction:
            if invite.id not in transaction.kept(INVITE):
                raise InviteError("This invite was just used or withdrawn: ask for another")
            account = self._joined(_accounts_in(transaction), invite, name, hashed, annotators)
            transaction.keep(ACCOUNT, alike(name), account.as_json())
            transaction.keep(INVITE, invite.id, None)
        return account

    def log_in(self, name: str, password: str) -> Account | None:
        """The account, when the password is right; takes as long for one that does not exist."""
        account = self.account(name)
        return account if is_right(password, account.password if account else None) else None

    def set_role(self, name: str, role: Role) -> None:
        """Give an account another role, at once. Raises DataError, ProjectError for the last owner's."""
        self._change(name, lambda account: replace(account, role=role))

    def revoke(self, name: str) -> None:
        """End an account and all its sessions. Answers stay. Raises as `set_role`."""
        self._change(name, lambda account: replace(account, password=None, generation=account.generation + 1))

    def has_owner(self) -> bool:
        """Whether an owner can log in."""
        return any(one.is_owner for one in self.accounts())

    def _change(self, name: str, change: Callable[[Account], Account]) -> None:
        with self._changing() as transaction:
            accounts = _accounts_in(transaction)
            account = accounts.get(alike(name))
            if account is None or account.is_revoked:
                raise DataError(f"There is no account {name!r}: it was never made, or is revoked")
            accounts[alike(name)] = changed = change(account)
            if account.is_owner and not any(one.is_owner for one in accounts.values()):
                raise ProjectError(f"{account.name!r} is the last owner: make somebody else one first")
            transaction.keep(ACCOUNT, alike(name), changed.as_json())

    def _joined(
        self, accounts: dict[str, Account], invite: Invite, name: str, hashed: str, annotators: Collection[str]
    ) -> Account:
        earlier = accounts.get(alike(name))
        if earlier is not None and (earlier.is_revoked or not invite.name):
            raise ProjectError(f"Somebody has the name {earlier.name!r}: choose another")
        if earlier is not None:
            return replace(earlier, password=hashed, generation=earlier.generation + 1)
        if not invite.name and alike(name) in {alike(one) for one in annotators}:
            raise ProjectError(f"Answers were given under the name {name!r} before: choose another")
        return Account(name, invite.role, hashed, 1, self._now(), invite.made_by)

    def _open_invite(self, code: str) -> Invite:
        invite = self.invited(code)
        if invite is None:
            raise InviteError("This invite was used already, is over or was withdrawn: ask for another")
        return invite

    def _is_open(self, invite: Invite) -> bool:
        return self._now() < invite.ends_unix_s

    @contextmanager
    def _changing(self) -> Iterator[Transaction]:
        with self._logbook.turn() as transaction:
            yield transaction
        self._read_at = -math.inf

    def _known(self) -> dict[str, Account]:
        if time.monotonic() - self._read_at > REREAD_S:
            self._accounts = _accounts_of(self._logbook.kept(ACCOUNT))
            self._read_at = time.monotonic()
        return self._accounts


def _accounts_in(transaction: Transaction) -> dict[str, Account]:
    return _accounts_of(transaction.kept(ACCOUNT))


def _accounts_of(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Account]:
    return {name: account_from(data) for name, data in rows.items()}


def _id_of(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()[:32]
