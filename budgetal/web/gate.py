"""The gate before every route: which hosts, which origins, how large, and who. What is not let in stays out."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import unquote

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from budgetal.web.addresses import by_host
from budgetal.web.sessions import Session, Sessions

SAFE_METHODS = frozenset({"GET", "HEAD"})
PUBLIC_PATHS = frozenset({"/enter", "/join", "/login"})
PUBLIC_PREFIX = "/static/"
STREAMS = frozenset({"/api/v1/events"})
MAX_BODY_BYTES = 65_536
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}


@dataclass(frozen=True)
class Refusal:
    """Why a request goes no further."""

    status: int
    message: str


class BodyTooLargeError(Exception):
    """More came than was announced, or than is taken."""


class Gate:
    """ASGI middleware around the whole app."""

    def __init__(self, app: ASGIApp, sessions: Sessions, origins: Collection[str]) -> None:
        self._app = app
        self._sessions = sessions
        self._origins = by_host(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, with its session in the scope, or answer it here."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        refusal = self._refusal(scope, Headers(scope=scope))
        if refusal is not None:
            await _answer(refusal, scope, send, self._door())
            return
        await self._app(scope, _bounded(receive), _with_headers(send))

    def _refusal(self, scope: Scope, headers: Headers) -> Refusal | None:
        own = self._origins.get(headers.get("host", ""))
        if own is None or len(headers.getlist("host")) != 1:
            return Refusal(400, "This host name is not served here: open the address that `budgetal serve` printed")
        if not _is_small(headers):
            return Refusal(413, f"A request may have {MAX_BODY_BYTES:,} bytes")
        session = self._session(headers)
        scope.setdefault("state", {}).update(session=session, origin=own)
        if not _is_own_page(scope, headers, session, own):
            return Refusal(403, "Only this server's own pages may do that")
        if session is not None and _is_for_another(headers, session):
            return Refusal(401, f"You are signed in as {session.annotator} by now: sign in again as who you were")
        if session is None and not is_public(scope["path"]):
            return Refusal(401, "Sign in, or open the link that `budgetal serve` printed; programs need a token")
        return None

    def _door(self) -> str:
        return "/login" if self._sessions.members.accounts() else "/enter"

    def _session(self, headers: Headers) -> Session | None:
        kind, _, bearer = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return self._sessions.of(None, bearer)
        return self._sessions.of(_cookie(headers, self._sessions.cookie_name), None)


def _cookie(headers: Headers, name: str) -> str | None:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return None
    return found.value if found else None


def _is_small(headers: Headers) -> bool:
    announced = headers.get("content-length", "0")
    return announced.isdecimal() and int(announced) <= MAX_BODY_BYTES


def _is_own_page(scope: Scope, headers: Headers, session: Session | None, own: str) -> bool:
    """Whether a request that changes something, or listens, comes from a page of ours.

    A bearer token is proof enough: no other site can make a browser send one.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if session is not None and not session.is_cookie:
        return origin in (None, own)
    if scope["method"] in SAFE_METHODS and scope["path"] not in STREAMS:
        return True
    if scope["method"] in SAFE_METHODS:
        return site == "same-origin" or origin == own
    return origin == own and site in (None, "same-origin")


def _is_for_another(headers: Headers, session: Session) -> bool:
    """Whether a page was loaded by somebody else than who has signed in since, in another tab."""
    loaded_by = headers.get("budgetal-annotator")
    return loaded_by is not None and unquote(loaded_by) != session.annotator


def is_public(path: str) -> bool:
    """Whether strangers may come here: to the door, and to files that hold no data."""
    return path in PUBLIC_PATHS or path.startswith(PUBLIC_PREFIX)


def _bounded(receive: Receive) -> Receive:
    """The body, cut off where it exceeds what is taken, whatever its header announced."""
    n_bytes = 0

    async def bounded() -> Message:
        nonlocal n_bytes
        message = await receive()
        n_bytes += len(message.get("body", b""))
        if n_bytes > MAX_BODY_BYTES:
            raise BodyTooLargeError
        return message

    return bounded


def _with_headers(send: Send) -> Send:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return with_headers


async def _answer(refusal: Refusal, scope: Scope, send: Send, door: str) -> None:
    """A line of JSON for programs, of text for a browser's window, which is shown the door if it should sign in."""
    wants_page = not scope["path"].startswith("/api/")
    text = refusal.message if wants_page else json.dumps({"error": "refused", "message": refusal.message})
    kind = b"text/plain; charset=utf-8" if wants_page else b"application/json"
    headers = [(b"content-type", kind), (b"connection", b"close")]
    status = refusal.status
    if status == 401 and wants_page and scope["method"] in SAFE_METHODS:
        status, headers = 303, [*headers, (b"location", door.encode())]
    headed = _with_headers(send)
    await headed({"type": "http.response.start", "status": status, "headers": headers})
    await headed({"type": "http.response.body", "body": text.encode()})
