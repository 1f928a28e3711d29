"""Who is asking: one-use links that become cookies, and tokens for programs. All are signed, for one project each."""

import hashlib
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from itsdangerous import BadSignature, URLSafeTimedSerializer

from budgetal.annotators.claims import take
from budgetal.errors import ConfigError
from budgetal.logbook import Logbook
from budgetal.store.leases import Clock, host_clock
from budgetal.web.roles import Role

DAY_S = 86_400
LINK_S, COOKIE_S, TOKEN_S = DAY_S, 30 * DAY_S, 30 * DAY_S
LONGEST_NAME = 64


@dataclass(frozen=True)
class Session:
    """Somebody who was let in. is_cookie: it came with a browser's cookie, which other sites can make it send."""

    annotator: str
    role: Role
    is_cookie: bool


def check_name(annotator: str) -> str:
    """The name itself. Raises ConfigError for one that cannot be kept."""
    if not 1 <= len(annotator) <= LONGEST_NAME or not annotator.isprintable() or "/" in annotator:
        raise ConfigError(f"Cannot use the name {annotator!r}: 1 to {LONGEST_NAME} printable characters, and no slash")
    return annotator


class Sessions:
    """Makes and checks what lets people in to one project."""

    def __init__(self, folder: Path, secret: str, logbook: Logbook, clock: Clock = host_clock) -> None:
        self._project = hashlib.blake2b(str(folder.resolve()).encode(), digest_size=8).hexdigest()
        self._secret = secret
        self._logbook = logbook
        self._clock = clock

    @property
    def cookie_name(self) -> str:
        """A name for each project: browsers share cookies among the ports of a host."""
        return f"budgetal-{self._project}"

    def link(self, address: str, annotator: str, role: Role = Role.ANNOTATOR) -> str:
        """A link that lets one browser in as `annotator`, once, within a day. address: "127.0.0.1:8000"."""
        code = self._signer("link").dumps([annotator, role, secrets.token_urlsafe(16)])
        return f"http://{address}/enter?code={code}"

    def use_code(self, code: str) -> str | None:
        """The cookie for a code that was never used before, else None."""
        found = self._read("link", code, LINK_S)
        if found is None or not self._use_once(f"code/{found[2]}"):
            return None
        return self._signer("cookie").dumps(found[:2])

    def token(self, annotator: str, role: Role = Role.ANNOTATOR) -> str:
        """A token for a program, good for 30 days."""
        return self._signer("token").dumps([annotator, role])

    def of(self, cookie: str | None, bearer: str | None) -> Session | None:
        """The session that a request's cookie or bearer token stands for."""
        if bearer is not None:
            found = self._read("token", bearer, TOKEN_S)
            return Session(found[0], Role(found[1]), is_cookie=False) if found else None
        found = self._read("cookie", cookie or "", COOKIE_S)
        return Session(found[0], Role(found[1]), is_cookie=True) if found else None

    def _use_once(self, name: str) -> bool:
        # In the database rather than in memory: a link is used up whichever process it was used at.
        with self._logbook.turn() as transaction:
            if name in transaction.leases([name]):
                return False
            transaction.lease([take(None, name, "used", self._clock(), LINK_S)])
        return True

    def _signer(self, purpose: str) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(
            self._secret, salt=f"{purpose} 2 {self._project}", signer_kwargs={"digest_method": hashlib.sha256}
        )

    def _read(self, purpose: str, text: str, max_age_s: int) -> list[Any] | None:
        try:
            found: list[Any] = self._signer(purpose).loads(text, max_age=max_age_s)
        except BadSignature:
            return None
        return found
