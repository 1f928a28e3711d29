"""A client of the HTTP API, for programs that label or watch. Standard library only.

client = Client("http://127.0.0.1:8000", token)
for item in client.claim(4):
    client.label(item, classify(client.image(item)))
"""

import json
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from budgetal.errors import BudgetalError, LeaseError

TIMEOUT_S = 30.0


class ServerError(BudgetalError):
    """The server refused a request, or could not be reached. status: 0 when it was not."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class ClaimedItem:
    """An image that this client may label now. guess: `label` and `confidence`, where help was asked for and may be."""

    sample_id: str
    token: int
    guess: Mapping[str, Any] | None = None


class Client:
    """One annotator's program. `token` comes from `budgetal token DIR --annotator NAME`."""

    def __init__(self, url: str, token: str, name: str | None = None) -> None:
        self.url = url.rstrip("/")
        self.name = name or uuid.uuid4().hex
        self._headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}

    def project(self) -> dict[str, Any]:
        """Name and classes of the project, and who you are."""
        found: dict[str, Any] = self._json("/project")
        return found

    def status(self) -> dict[str, Any]:
        """Budget, coverage, certificate, and what the learner does."""
        found: dict[str, Any] = self._json("/status")
        return found

    def claim(self, n: int = 1, *, help: bool = False) -> list[ClaimedItem]:
        """At most `n` images to label, those claimed before and not answered first; also renews their leases.

        help: with the model's guess, except for images that people answer by themselves.
        """
        found = self._json("/claims", {"client": self.name, "n": n, "help": help})
        return [ClaimedItem(**item, guess=found["guesses"].get(item["sample_id"])) for item in found["items"]]

    def image(self, item: ClaimedItem, size: str = "large") -> bytes:
        """The image as WebP. size: "small" or "large"."""
        with self._open(f"/images/{item.sample_id}?size={size}") as reply:
            content: bytes = reply.read()
        return content

    def label(self, item: ClaimedItem, label: str, key: str | None = None, suggestion: str | None = None) -> None:
        """Record a label; it is on disk on return. To repeat after a lost reply, give the same `key`.

        suggestion: the guess that the person was shown with the image.
        Raises LeaseError when somebody else has the image by now, ServerError for any other refusal.
        """
        self._json(
            "/labels", {**self._held(item), "label": label, "key": key or uuid.uuid4().hex, "suggestion": suggestion}
        )

    def skip(self, item: ClaimedItem, *, broken: bool = False) -> None:
        """Set an image aside that nobody can label. broken: there is nothing to see, and it gets no label at all."""
        self._json("/skips", {**self._held(item), "broken": broken})

    def release(self, items: Iterable[ClaimedItem]) -> None:
        """Let images go that will not be labelled here."""
        self._json("/releases", {"client": self.name, "sample_ids": [item.sample_id for item in items]})

    def rounds(self) -> list[dict[str, Any]]:
        """One record a finished round."""
        return list(self._json("/rounds"))

    def epochs(self) -> list[dict[str, Any]]:
        """One record an epoch, of the round under way too."""
        return list(self._json("/epochs"))

    def figures(self) -> list[dict[str, Any]]:
        """The charts of the live page, with their numbers."""
        return list(self._json("/figures"))

    def people(self) -> dict[str, Any]:
        """Accounts and open invites. Like all that follows but `events`, for owners."""
        return dict(self._json("/people"))

    def invite(self, role: str = "annotator", name: str = "") -> str:
        """A link that makes an account, once; an account's name gives it a new password."""
        return str(self._json("/invites", {"role": role, "name": name})["link"])

    def withdraw(self, invite: str) -> None:
        """Make an open invite useless, by its number in `people`."""
        self._json("/withdrawals", {"invite": invite})

    def set_role(self, name: str, role: str) -> None:
        """Give an account another role, from its next request on."""
        self._json("/roles", {"name": name, "role": role})

    def revoke(self, name: str) -> None:
        """End an account, its sessions and its tokens; its answers stay."""
        self._json("/revocations", {"name": name})

    def undo(self, item: ClaimedItem) -> None:
        """Take the own answer or skip back; the image is in hand again."""
        self._json("/undos", self._held(item))

    def review(
        self, n: int = 24, order: str = "risk", label: str | None = None, show: str = "waiting", after: int = -1
    ) -> dict[str, Any]:
        """At most `n` automatic labels to check, those after position `after`; for reviewers.

        order: "risk" or "disagreement"; label: of one class; show: "waiting", "reviewed", "disputed" or "all".
        """
        wanted = {"n": n, "order": order, "show": show, "after": after, **({"label": label} if label else {})}
        found: dict[str, Any] = self._json(f"/review?{urllib.parse.urlencode(wanted)}")
        return found

    def say(self, labels: Mapping[str, str], key: str | None = None) -> dict[str, Any]:
        """Accept or correct automatic labels, by sample id; to repeat after a lost reply, give the same `key`."""
        reviews = [{"sample_id": sample_id, "label": label} for sample_id, label in labels.items()]
        found: dict[str, Any] = self._json("/reviews", {"reviews": reviews, "key": key or uuid.uuid4().hex})
        return found

    def take_back(self, sample_ids: Sequence[str]) -> dict[str, Any]:
        """Forget own reviews of these images."""
        found: dict[str, Any] = self._json("/reviews/undos", {"sample_ids": list(sample_ids)})
        return found

    def settings(self) -> list[dict[str, Any]]:
        """All settings: value, meaning, and why it cannot be changed (None: it can); for owners."""
        found: list[dict[str, Any]] = self._json("/settings")["settings"]
        return found

    def configure(self, **changes: Any) -> None:
        """Change settings of the running project, all or none."""
        self._json("/settings", {"changes": changes})

    def classes(self) -> list[dict[str, Any]]:
        """The classes and how many labels of each people gave."""
        found: list[dict[str, Any]] = self._json("/classes")
        return found

    def change_classes(self, change: str, *names: str, ask_again: bool = False) -> list[dict[str, Any]]:
        """ "add" a class, "rename" one (old, new), or "merge" one into another; returns the new list.

        ask_again: have images that were answered none of these asked again.
        """
        body = {"change": change, "names": list(names), "ask_again": ask_again}
        found: list[dict[str, Any]] = self._json("/classes", body)["classes"]
        return found

    def pause(self) -> None:
        """Have nothing handed out or trained; answers are still taken."""
        self._json("/pause", {})

    def resume(self) -> None:
        """Go on after a pause or a chosen end."""
        self._json("/resume", {})

    def stop(self) -> None:
        """End the run."""
        self._json("/stop", {})

    def export(self, format: str = "csv") -> bytes:
        """All labels as a file: "csv", "jsonl" or "parquet"."""
        with self._open(f"/export?format={urllib.parse.quote(format)}") as reply:
            content: bytes = reply.read()
        return content

    def report(self) -> bytes:
        """The report of the run's last end, as HTML."""
        with self._open("/report") as reply:
            content: bytes = reply.read()
        return content

    def events(self, after: int = 0) -> Iterator[dict[str, Any]]:
        """Events after number `after` as they come, until the server ends."""
        with self._open(f"/events?after={after}") as reply:
            for line in reply:
                if line.startswith(b'data: {"seq"'):
                    yield json.loads(line.removeprefix(b"data: "))

    def _held(self, item: ClaimedItem) -> dict[str, Any]:
        return {"client": self.name, "sample_id": item.sample_id, "token": item.token}

    def _json(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        with self._open(path, body) as reply:
            return json.loads(reply.read())

    def _open(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
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
