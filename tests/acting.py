"""People who act on one project at once and note what they asked for and were told. Also a process: see `main`.

    acting.py FOLDER NAME SEED SECONDS LEASE_S

opens the project, prints "ready" and waits for a line; then lets three threads act at a desk of its own and a fourth
tell answers beside it, and prints one operation a line.
"""

import json
import random
import sys
import threading
import time
from dataclasses import asdict

from linearizable import Operation

from budgetal.client import Client
from budgetal.desk import Desk, Item, Seat
from budgetal.errors import LeaseError, ProjectError
from budgetal.project import Project
from budgetal.types import Annotation

N_THREADS = 3


class AtDesk:
    """Somebody at a desk in this process."""

    def __init__(self, desk: Desk, name: str) -> None:
        self.desk, self.seat = desk, Seat(name, "page")
        self.owner = self.seat.owner

    def claim(self, n):
        return [(item.sample_id, item.token) for item in self.desk.claim(self.seat, n)]

    def act(self, kind, sample_id, token, label, key):
        item = Item(sample_id, token)
        if kind == "answer":
            self.desk.submit(self.seat, item, label, f"{self.seat.annotator}/{key}")
        elif kind == "release":
            self.desk.release(self.seat, [sample_id])
        else:
            (self.desk.skip if kind == "skip" else self.desk.undo)(self.seat, item)


class OverHttp:
    """Somebody at a page of a server."""

    def __init__(self, url: str, token: str, name: str) -> None:
        self.client, self.owner, self._items = Client(url, token, "page"), f"{name}/page", {}

    def claim(self, n):
        items = self.client.claim(n)
        self._items.update({(item.sample_id, item.token): item for item in items})
        return [(item.sample_id, item.token) for item in items]

    def act(self, kind, sample_id, token, label, key):
        item = self._items[sample_id, token]
        if kind == "answer":
            self.client.label(item, label, key)
        elif kind == "release":
            self.client.release([item])
        else:
            (self.client.skip if kind == "skip" else self.client.undo)(item)


class Actor:
    """Does this and that at random until its time is over. classes: labels to give."""

    def __init__(self, place, classes, seed: int, lease_s: float) -> None:
        self.place, self.classes, self.lease_s = place, classes, lease_s
        # By name too: nobody else comes upon the same keys.
        self.random, self.log = random.Random(f"{place.owner} {seed}"), []

    def run(self, seconds: float) -> None:
        over_s = time.monotonic() + seconds
        while time.monotonic() < over_s:
            held = self.claim()
            for sample_id, token in held:
                self.use(sample_id, token)
            time.sleep(self.random.random() * 0.02)

    def claim(self):
        began_s = time.monotonic()
        held = self.place.claim(self.random.randint(1, 3))
        ended_s = time.monotonic()
        self.log += [Operation("claim", i, self.place.owner, token, None, began_s, ended_s) for i, token in held]
        return held

    def use(self, sample_id, token) -> None:
        chance = self.random.random()
        if chance < 0.15:
            # The lease ends in the meantime.
            time.sleep(1.5 * self.lease_s)
        key = f"{self.random.getrandbits(64):016x}"
        kind = self.random.choices(["answer", "skip", "release"], [8, 1, 2])[0]
        self.do(kind, sample_id, token, key)
        if chance > 0.9:
            self.do(kind, sample_id, token, key)
        elif chance > 0.8:
            self.do("undo", sample_id, token, key)

    def do(self, kind, sample_id, token, key) -> None:
        began_s, is_taken = time.monotonic(), True
        try:
            self.place.act(kind, sample_id, token, self.classes[int(key[-1], 16) % len(self.classes)], key)
        except LeaseError:
            is_taken = False
        except ProjectError:
            # Somebody who holds nothing told an answer just now, or took one back: nothing was done.
            return
        of_key = key if kind == "answer" else None
        operation = Operation(kind, sample_id, self.place.owner, token, of_key, began_s, time.monotonic(), is_taken)
        self.log.append(operation)


class Teller:
    """Tells answers for open images without holding any, as programs and files do."""

    def __init__(self, project: Project, seed: int) -> None:
        self.project, self.random, self.log = project, random.Random(f"teller {seed}"), []

    def run(self, seconds: float) -> None:
        over_s = time.monotonic() + seconds
        while time.monotonic() < over_s:
            self.project.catch_up()
            waiting = list(self.project.state.open_items)
            if waiting:
                self.tell(self.random.choice(waiting))
            time.sleep(0.1)

    def tell(self, sample_id) -> None:
        label, key = self.random.choice(self.project.config.classes), f"{self.random.getrandbits(64):016x}"
        began_s = time.monotonic()
        self.project.tell([Annotation(sample_id, label, "the teller", f"teller/{key}")])
        self.log.append(Operation("tell", sample_id, "", 0, key, began_s, time.monotonic()))


def run_all(actors, seconds: float) -> list[Operation]:
    """Everybody at once; what all noted. Raises what one of them raised."""
    failed = []

    def run(actor):
        try:
            actor.run(seconds)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(actor,)) for actor in actors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return [operation for actor in actors for operation in actor.log]


def main() -> None:
    folder, name, seed, seconds, lease_s = sys.argv[1:]
    project, beside = Project.open(folder), Project.open(folder)
    desk = Desk(project, lease_s=float(lease_s))
    places = [AtDesk(desk, f"{name} {number}") for number in range(N_THREADS)]
    actors = [Actor(place, project.config.classes, int(seed) + n, float(lease_s)) for n, place in enumerate(places)]
    print("ready", flush=True)
    sys.stdin.readline()
    for operation in run_all([*actors, Teller(beside, int(seed))], float(seconds)):
        print(json.dumps(asdict(operation)))


if __name__ == "__main__":
    main()
