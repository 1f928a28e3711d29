"""Requests to the HTTP API, and its refusals as errors. Standard library only."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from budgetal.errors import BudgetalError, LeaseError

TIMEOUT_S = 30.0


class ServerError(BudgetalError):
    """The server refused a request, or could not be reached. status: 0 when it was not."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Transport:
    """One server and one token."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self._headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}

    def json(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """What a request is answered, read as JSON. body: sent by POST; None: a GET."""
        return json.loads(self.content(path, body))

    def content(self, path: str, body: Mapping[str, Any] | None = None) -> bytes:
        """What a request is answered."""
        with self.open(path, body) as reply:
            content: bytes = reply.read()
        return content

    def open(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The reply as it comes. Raises LeaseError where somebody else has the image by now, ServerError otherwise."""
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/api/v1{path}", content, self._headers)  # noqa: S310
        try:
            return urllib.request.urlopen(request, timeout=TIMEOUT_S)  # noqa: S310
        except urllib.error.HTTPError as error:
            raise _refused(error) from None
        except OSError as error:
            raise ServerError(0, f"Cannot reach {self.url}: {error}. Is `budgetal serve` running?") from None


def _refused(reply: urllib.error.HTTPError) -> BudgetalError:
    try:
        problem = json.loads(reply.read())
    except ValueError:
        problem = {}
    message = problem.get("message", reply.reason)
    return LeaseError(message) if problem.get("error") == "stale" else ServerError(reply.code, message)
