"""A client of the HTTP API, for programs that label or watch."""

import json
import urllib.parse
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from budgetal.client.transport import Transport


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
        self._server = Transport(self.url, token)

    def project(self) -> dict[str, Any]:
        """Name and classes of the project, and who you are."""
        found: dict[str, Any] = self._server.json("/project")
        return found

    def status(self) -> dict[str, Any]:
        """Budget, coverage, certificate, and what the learner does."""
        found: dict[str, Any] = self._server.json("/status")
        return found

    def claim(self, n: int = 1, *, help: bool = False) -> list[ClaimedItem]:
        """At most `n` images to label, those claimed before and not answered first; also renews their leases.

        help: with the model's guess, except for images that people answer by themselves.
        """
        found = self._server.json("/claims", {"client": self.name, "n": n, "help": help})
        return self._items(found)

    def grid(self, n: int = 9, besides: Sequence[ClaimedItem] = ()) -> list[ClaimedItem]:
        """At most `n` look-alikes with the model's guesses, to be answered together; or images to answer without any.

        besides: images in hand already, whose leases are renewed.
        """
        held = [item.sample_id for item in besides]
        return self._items(self._server.json("/grids", {"client": self.name, "n": n, "besides": held}))

    def reason(self, item: ClaimedItem) -> dict[str, Any]:
        """Why an image was asked; `is_blind` where nothing is told."""
        return dict(self._server.json(f"/reasons/{item.sample_id}"))

    def image(self, item: ClaimedItem, size: str = "large") -> bytes:
        """The image as WebP. size: "small" or "large"."""
        return self._server.content(f"/images/{item.sample_id}?size={size}")

    def label(self, item: ClaimedItem, label: str, key: str | None = None, suggestion: str | None = None) -> None:
        """Record a label; it is on disk on return. To repeat after a lost reply, give the same `key`.

        suggestion: the guess that the person was shown with the image.
        Raises LeaseError when somebody else has the image by now, ServerError for any other refusal.
        """
        self._server.json(
            "/labels", {**self._held(item), "label": label, "key": key or uuid.uuid4().hex, "suggestion": suggestion}
        )

    def skip(self, item: ClaimedItem, *, broken: bool = False) -> None:
        """Set an image aside that nobody can label. broken: there is nothing to see, and it gets no label at all."""
        self._server.json("/skips", {**self._held(item), "broken": broken})

    def release(self, items: Iterable[ClaimedItem]) -> None:
        """Let images go that will not be labelled here."""
        self._server.json("/releases", {"client": self.name, "sample_ids": [item.sample_id for item in items]})

    def rounds(self) -> list[dict[str, Any]]:
        """One record a finished round."""
        return list(self._server.json("/rounds"))

    def epochs(self) -> list[dict[str, Any]]:
        """One record an epoch, of the round under way too."""
        return list(self._server.json("/epochs"))

    def figures(self) -> list[dict[str, Any]]:
        """The charts of the live page, with their numbers."""
        return list(self._server.json("/figures"))

    def class_table(self) -> dict[str, Any]:
        """What is known of each class: `columns` and `rows` of text."""
        return dict(self._server.json("/class-table"))

    def forecast(self) -> dict[str, Any]:
        """What further labels would do: `lines` of text, a `note` and `figures`."""
        return dict(self._server.json("/forecast"))

    def outlook(self) -> dict[str, Any]:
        """What the next labels are expected to bring: `next`, or the `reason` why that is unknown."""
        return dict(self._server.json("/outlook"))

    def confusion(self) -> dict[str, Any]:
        """Counts of what people said, by what the model had said before; for reviewers."""
        return dict(self._server.json("/confusion"))

    def confused(self, label: str, guess: str) -> list[str]:
        """Ids of the images behind one of these counts; for reviewers."""
        return list(self._server.json(f"/confusion/images?{urllib.parse.urlencode({'label': label, 'guess': guess})}"))

    def paces(self) -> list[dict[str, Any]]:
        """Answers, pace and agreement of each person; for reviewers."""
        return list(self._server.json("/paces"))

    def map(self) -> dict[str, Any]:
        """Which map of the images there is; to ask has it drawn."""
        return dict(self._server.json("/map"))

    def map_points(self, name: str) -> bytes:
        """Places and ids of the map called `name`, as columns of bytes (docs/how-to/http-api.md)."""
        return self._server.content(f"/map/points?name={urllib.parse.quote(name)}")

    def map_marks(self, name: str) -> bytes:
        """Labels, who gave them and uncertainty on the map called `name`, as columns of bytes."""
        return self._server.content(f"/map/marks?name={urllib.parse.quote(name)}")

    def people(self) -> dict[str, Any]:
        """Accounts and open invites; for owners, as the next four."""
        return dict(self._server.json("/people"))

    def invite(self, role: str = "annotator", name: str = "") -> str:
        """A link that makes an account, once; an account's name gives it a new password."""
        return str(self._server.json("/invites", {"role": role, "name": name})["link"])

    def withdraw(self, invite: str) -> None:
        """Make an open invite useless, by its number in `people`."""
        self._server.json("/withdrawals", {"invite": invite})

    def set_role(self, name: str, role: str) -> None:
        """Give an account another role, from its next request on."""
        self._server.json("/roles", {"name": name, "role": role})

    def revoke(self, name: str) -> None:
        """End an account, its sessions and its tokens; its answers stay."""
        self._server.json("/revocations", {"name": name})

    def undo(self, item: ClaimedItem) -> None:
        """Take the own answer or skip back; the image is in hand again."""
        self._server.json("/undos", self._held(item))

    def review(
        self, n: int = 24, order: str = "risk", label: str | None = None, show: str = "waiting", after: int = -1
    ) -> dict[str, Any]:
        """At most `n` automatic labels to check, those after position `after`; for reviewers.

        order: "risk" or "disagreement"; label: of one class; show: "waiting", "reviewed", "disputed" or "all".
        """
        wanted = {"n": n, "order": order, "show": show, "after": after, **({"label": label} if label else {})}
        found: dict[str, Any] = self._server.json(f"/review?{urllib.parse.urlencode(wanted)}")
        return found

    def review_classes(self) -> list[dict[str, Any]]:
        """How many automatic labels there are of each class; for reviewers."""
        return list(self._server.json("/review/classes"))

    def say(self, labels: Mapping[str, str], key: str | None = None) -> dict[str, Any]:
        """Accept or correct automatic labels, by sample id; to repeat after a lost reply, give the same `key`."""
        reviews = [{"sample_id": sample_id, "label": label} for sample_id, label in labels.items()]
        found: dict[str, Any] = self._server.json("/reviews", {"reviews": reviews, "key": key or uuid.uuid4().hex})
        return found

    def take_back(self, sample_ids: Sequence[str]) -> dict[str, Any]:
        """Forget own reviews of these images."""
        found: dict[str, Any] = self._server.json("/reviews/undos", {"sample_ids": list(sample_ids)})
        return found

    def settings(self) -> list[dict[str, Any]]:
        """All settings: value, meaning, and why it cannot be changed (None: it can); for owners."""
        found: list[dict[str, Any]] = self._server.json("/settings")["settings"]
        return found

    def configure(self, **changes: Any) -> None:
        """Change settings of the running project, all or none."""
        self._server.json("/settings", {"changes": changes})

    def classes(self) -> list[dict[str, Any]]:
        """The classes and how many labels of each people gave."""
        found: list[dict[str, Any]] = self._server.json("/classes")
        return found

    def change_classes(self, change: str, *names: str, ask_again: bool = False) -> list[dict[str, Any]]:
        """ "add" a class, "rename" one (old, new), or "merge" one into another; returns the new list.

        ask_again: have images that were answered none of these asked again.
        """
        body = {"change": change, "names": list(names), "ask_again": ask_again}
        found: list[dict[str, Any]] = self._server.json("/classes", body)["classes"]
        return found

    def pause(self) -> None:
        """Have nothing handed out or trained; answers are still taken."""
        self._server.json("/pause", {})

    def resume(self) -> None:
        """Go on after a pause or a chosen end."""
        self._server.json("/resume", {})

    def stop(self) -> None:
        """End the run."""
        self._server.json("/stop", {})

    def export(self, format: str = "csv") -> bytes:
        """All labels as a file: "csv", "jsonl" or "parquet"."""
        return self._server.content(f"/export?format={urllib.parse.quote(format)}")

    def report(self) -> bytes:
        """The report of the run's last end, as HTML."""
        return self._server.content("/report")

    def events(self, after: int = 0) -> Iterator[dict[str, Any]]:
        """Events after number `after` as they come, until the server ends."""
        with self._server.open(f"/events?after={after}") as reply:
            for line in reply:
                if line.startswith(b'data: {"seq"'):
                    yield json.loads(line.removeprefix(b"data: "))

    def _items(self, found: Mapping[str, Any]) -> list[ClaimedItem]:
        return [ClaimedItem(**item, guess=found["guesses"].get(item["sample_id"])) for item in found["items"]]

    def _held(self, item: ClaimedItem) -> dict[str, Any]:
        return {"client": self.name, "sample_id": item.sample_id, "token": item.token}
