"""Who is asking: one-use links that become cookies, and tokens for programs. All are signed, for one project each."""

import hashlib
import secrets
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from itsdangerous import BadSignature, URLSafeTimedSerializer

from budgetal.annotators.claims import take
from budgetal.logbook import Logbook
from budgetal.store.leases import Clock, host_clock
from budgetal.web.members import Members
from budgetal.web.roles import Role

DAY_S = 86_400
LINK_S, COOKIE_S, TOKEN_S = DAY_S, 30 * DAY_S, 30 * DAY_S


@dataclass(frozen=True)
class Session:
    """Somebody who was let in. is_cookie: it came with a browser's cookie, which other sites can make it send.

    generation: of the account of that name, 0 where there is none; a session of an earlier one is over.
    """

    annotator: str
    role: Role
    generation: int
    is_cookie: bool


class Sessions:
    """Makes and checks what lets people in to one project."""

    def __init__(
        self, folder: Path, secret: str, logbook: Logbook, members: Members | None = None, clock: Clock = host_clock
    ) -> None:
        self._project = hashlib.blake2b(str(folder.resolve()).encode(), digest_size=8).hexdigest()
        self._secret = secret
        self._logbook = logbook
        self.members = members or Members(logbook)
        self._clock = clock

    @property
    def cookie_name(self) -> str:
        """A name for each project: browsers share cookies among the ports of a host."""
        return f"budgetal-{self._project}"

    def link(self, origin: str, annotator: str, role: Role = Role.ANNOTATOR) -> str:
        """A link that lets one browser in as `annotator`, once, within a day. origin: "http://127.0.0.1:8000"."""
        code = self._signer("link").dumps([*self._claim(annotator, role), secrets.token_urlsafe(16)])
        return f"{origin}/enter?code={code}"

    def use_code(self, code: str) -> str | None:
        """The cookie for a code that was never used before, else None."""
        found = self._read("link", code, LINK_S)
        if found is None or not self._use_once(f"code/{found[3]}"):
            return None
        return self._signer("cookie").dumps(found[:3])

    def cookie(self, name: str) -> str:
        """The cookie of an account whose password was given; it always has the account's role."""
        return self._signer("cookie").dumps(self._claim(name, Role.OWNER))

    def token(self, annotator: str, role: Role = Role.ANNOTATOR) -> str:
        """A token for a program, good for 30 days."""
        return self._signer("token").dumps(self._claim(annotator, role))

    def of(self, cookie: str | None, bearer: str | None) -> Session | None:
        """The session that a request's cookie or bearer token stands for."""
        if bearer is not None:
            return self._session(self._read("token", bearer, TOKEN_S), is_cookie=False)
        return self._session(self._read("cookie", cookie or "", COOKIE_S), is_cookie=True)

    def is_over(self, session: Session) -> bool:
        """Whether the account was revoked, or got another password, since the session was let in."""
        account = self.members.account(session.annotator)
        return (account.generation if account else 0) != session.generation

    def _claim(self, name: str, role: Role) -> list[Any]:
        account = self.members.account(name)
        return [name, role, account.generation if account else 0]

    def _session(self, claim: list[Any] | None, *, is_cookie: bool) -> Session | None:
        if claim is None:
            return None
        name, role, generation = claim
        account = self.members.account(name)
        if account is None:
            return None if generation else Session(name, Role(role), 0, is_cookie)
        if account.is_revoked or account.generation != generation:
            return None
        return Session(account.name, min(Role(role), account.role), generation, is_cookie)

    def _use_once(self, name: str) -> bool:
        # In the database rather than in memory: a link is used up whichever process it was used at.
        with self._logbook.turn() as transaction:
            if name in transaction.leases([name]):
                return False
            transaction.lease([take(None, name, "used", self._clock(), LINK_S)])
        return True

    def _signer(self, purpose: str) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(
            self._secret, salt=f"{purpose} 3 {self._project}", signer_kwargs={"digest_method": hashlib.sha256}
        )

    def _read(self, purpose: str, text: str, max_age_s: int) -> list[Any] | None:
        try:
            found: tuple[list[Any], datetime] = self._signer(purpose).loads(text, return_timestamp=True)
        except BadSignature:
            return None
        claim, made = found
        # One from the future was made before the clock was set back; it lasts longer by as much.
        return claim if time.time() - made.timestamp() <= max_age_s else None
