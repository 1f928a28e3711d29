"""The learner's place in a project: who trains, what it is doing, and that it is alive.

A lease like any other, renewed every second. It keeps a second learner standing by and tells pages what the first
one does. What is written is guarded elsewhere: two learners at a time would cost time and nothing else.
"""

import json
import os
import socket
import threading
import time
from types import TracebackType

import psutil

from budgetal.annotators.claims import given_up, is_taken, take
from budgetal.logbook import Logbook
from budgetal.speed import Speed
from budgetal.store.leases import Clock, Lease, host_clock
from budgetal.types import Json

LEARNER = "learner"
DURATION_S = 5.0
RENEWED_EVERY_S = 1.0


def learner_status(logbook: Logbook, clock: Clock = host_clock) -> dict[str, Json] | None:
    """What the learner says that it does, or None when there is none."""
    lease = logbook.leases([LEARNER]).get(LEARNER)
    if lease is None or not lease.is_live(clock()):
        return None
    status: dict[str, Json] = json.loads(lease.note or "{}")
    return status


class Presence:
    """Takes the learner's place, and keeps it until the block ends."""

    def __init__(self, logbook: Logbook, clock: Clock = host_clock) -> None:
        self._logbook = logbook
        self._clock = clock
        self._owner = f"{socket.gethostname()}:{os.getpid()}"
        self._status: dict[str, Json] = {"doing": "starting", "done": 0, "total": 1}
        self._speed = Speed()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._renew_until_over, name="presence", daemon=True)

    def take_place(self) -> bool:
        """Take or keep the place. False: another learner has it."""
        with self._logbook.turn() as transaction:
            lease = transaction.leases([LEARNER]).get(LEARNER)
            if is_taken(lease, self._owner, self._clock()) and not _is_dead(lease):
                return False
            note = json.dumps(self._status)
            transaction.lease([take(lease, LEARNER, self._owner, self._clock(), DURATION_S, note)])
        return True

    def say(self, doing: str, done: int = 0, total: int = 1, **more: Json) -> None:
        """What pages are to show from the next renewal on, with the speed so far and the time left at that."""
        self._speed = self._speed.after(doing, done, total, time.monotonic())
        speed: dict[str, Json] = {"per_s": self._speed.per_s, "left_s": self._speed.left_s}
        self._status = {"doing": doing, "done": done, "total": total, **speed, **more}

    def __enter__(self) -> "Presence":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        with self._logbook.turn() as transaction:
            lease = transaction.leases([LEARNER]).get(LEARNER)
            if lease is not None and lease.owner == self._owner:
                transaction.lease([given_up(lease)])

    def _renew_until_over(self) -> None:
        while not self._over.wait(RENEWED_EVERY_S):
            self.take_place()


def _is_dead(lease: Lease | None) -> bool:
    """Whether the holder was a process of this machine that no longer runs."""
    host, _, pid = lease.owner.rpartition(":") if lease else ("", "", "")
    return host == socket.gethostname() and not psutil.pid_exists(int(pid))
