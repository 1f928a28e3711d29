"""Simulated annotators: they think, send twice, lose replies, send late, and go away with images in hand."""

import asyncio
import random
import time
import uuid
from dataclasses import dataclass, field

import httpx

HELD = 5
THINKING_MEDIAN_S, THINKING_SPREAD = 1.5, 0.6
TWICE, LOST, LATE, AWAY = 0.05, 0.05, 0.05, 0.02
AWAY_S = 5.0
KINDS = ("next image", "nothing yet", "answer", "image")


@dataclass(frozen=True)
class Claim:
    """An image that was handed to `owner`: asked for at `sent_s`, had at `had_s`; surely theirs until `until_s`."""

    sample_id: str
    owner: str
    token: int
    sent_s: float
    had_s: float
    until_s: float


@dataclass
class Log:
    """What all saw: seconds of each kind of request, claims, answers that were acknowledged, refusals.

    A claim that came with nothing is of a kind of its own: it says little of how long people wait for an image.
    """

    seconds: dict[str, list[float]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    claims: list[Claim] = field(default_factory=list)
    acknowledged: dict[str, tuple[str, str]] = field(default_factory=dict)
    statuses: dict[int, int] = field(default_factory=dict)
    let_go: dict[tuple[str, str, int], float] = field(default_factory=dict)


class Person:
    """One annotator at one page."""

    def __init__(self, name: str, client: httpx.AsyncClient, classes: list[str], log: Log, lease_s: float) -> None:
        self.name, self.client, self.classes, self.log, self.lease_s = name, client, classes, log, lease_s
        self.page = uuid.uuid4().hex
        self.random = random.Random(name)
        self.late: set[asyncio.Task[None]] = set()

    async def work(self, over: asyncio.Event) -> None:
        """Label until it is over."""
        await asyncio.sleep(self.random.random() * THINKING_MEDIAN_S)
        while not over.is_set():
            items = await self.claim()
            if not items:
                await asyncio.sleep(0.5)
            for item in items[:1]:
                await self.look(item["sample_id"])
                await asyncio.sleep(self.random.lognormvariate(0, THINKING_SPREAD) * THINKING_MEDIAN_S)
                if self.random.random() < AWAY:
                    await asyncio.sleep(AWAY_S)
                await self.answer(item)
        await asyncio.gather(*self.late)

    async def claim(self) -> list[dict[str, object]]:
        sent_s = time.monotonic()
        reply = await self.post("/claims", {"client": self.page, "n": HELD})
        had_s = time.monotonic()
        items = reply.json()["items"]
        self.log.seconds["next image" if items else "nothing yet"].append(had_s - sent_s)
        until_s = sent_s + self.lease_s
        self.log.claims += [
            Claim(item["sample_id"], self.page, item["token"], sent_s, had_s, until_s) for item in items
        ]
        return items

    async def look(self, sample_id: str) -> None:
        began_s = time.monotonic()
        await self.client.get(f"/api/v1/images/{sample_id}")
        self.log.seconds["image"].append(time.monotonic() - began_s)

    async def answer(self, item: dict[str, object]) -> None:
        """Answer in one of the ways in which answers really arrive."""
        body = {"client": self.page, **item, "label": self.random.choice(self.classes), "key": uuid.uuid4().hex}
        self.log.let_go.setdefault((item["sample_id"], self.page, item["token"]), time.monotonic())
        way = self.random.random()
        if way < TWICE:
            await asyncio.gather(self.send(body), self.send(body))
        elif way < TWICE + LOST:
            # The reply never comes: the same again, under the same key.
            with_patience = asyncio.create_task(self.send(body, counts=False))
            await asyncio.sleep(0.005)
            with_patience.cancel()
            await asyncio.gather(with_patience, return_exceptions=True)
            await self.send(body)
        elif way < TWICE + LOST + LATE:
            self.late.add(asyncio.create_task(self.send_late(body)))
        else:
            await self.send(body)

    async def send_late(self, body: dict[str, object]) -> None:
        await asyncio.sleep(self.random.random() * 3)
        await self.send(body)

    async def send(self, body: dict[str, object], counts: bool = True) -> None:
        began_s = time.monotonic()
        reply = await self.post("/labels", body)
        self.log.seconds["answer"].append(time.monotonic() - began_s)
        if reply.status_code == 200 and counts:
            self.log.acknowledged[f"{self.name}/{body['key']}"] = (str(body["sample_id"]), str(body["label"]))

    async def post(self, path: str, body: dict[str, object]) -> httpx.Response:
        reply = await self.client.post(f"/api/v1{path}", json=body)
        self.log.statuses[reply.status_code] = self.log.statuses.get(reply.status_code, 0) + 1
        return reply
