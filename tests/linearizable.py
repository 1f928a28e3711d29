"""Whether some order of what many did at once explains all that each was told, and the journal: one image at a time.

The search of Wing and Gong (1993), on images one by one, since operations on different ones do not touch. What was
written guides it: an operation that writes can come only where the journal has its event.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from budgetal.store.events import Event

NEVER = -math.inf
WRITTEN = ("labelled", "skipped", "undone")


@dataclass(frozen=True)
class Operation:
    """What somebody asked for between two instants of the machine's clock, and was told.

    kind: claim, answer, skip, undo or release by who holds the image; tell: an answer of somebody who holds nothing.
    is_taken: whether it was accepted. For a claim, token is what it got.
    """

    kind: str
    sample_id: str
    owner: str
    token: int
    key: str | None
    began_s: float
    ended_s: float
    is_taken: bool = True


@dataclass(frozen=True)
class Held:
    """One image: who was handed it last and surely holds it until when, whether it waits, and events so far."""

    owner: str = ""
    token: int = 0
    until_s: float = NEVER
    is_open: bool = True
    n_written: int = 0


Written = tuple[tuple[str, str | None], ...]


def unexplained(operations: Iterable[Operation], events: Iterable[Event], lease_s: float) -> list[str]:
    """Images whose history no order of the operations explains."""
    done, written = defaultdict(list), defaultdict(list)
    for operation in operations:
        done[operation.sample_id].append(operation)
    for event in events:
        if event.kind in WRITTEN:
            # The journal's own prefix tells people's keys from the program's.
            written[event.data["sample_id"]].append((event.kind, event.key and event.key.rpartition("/")[2]))
    ids = sorted(done.keys() | written.keys())
    return [i for i in ids if not is_explained(done[i], tuple(written[i]), lease_s)]


def is_explained(operations: Sequence[Operation], written: Written, lease_s: float) -> bool:
    """Whether one image's operations have an order that keeps real time, the rules of leases and the journal."""
    everything = (1 << len(operations)) - 1
    stack, seen = [(0, Held())], set()
    while stack:
        done, held = stack.pop()
        if done == everything and held.n_written == len(written):
            return True
        for place in _next(operations, done):
            after = _after(held, operations[place], written, lease_s)
            step = (done | 1 << place, after)
            if after is not None and step not in seen:
                seen.add(step)
                stack.append(step)
    return False


def _next(operations: Sequence[Operation], done: int) -> list[int]:
    """Those that may come next: begun before any other of the rest had ended."""
    left = [place for place in range(len(operations)) if not done >> place & 1]
    first_ended_s = min((operations[place].ended_s for place in left), default=NEVER)
    return [place for place in left if operations[place].began_s <= first_ended_s]


def _after(held: Held, operation: Operation, written: Written, lease_s: float) -> Held | None:
    """The image after an operation; None where it cannot have happened, or not have been told so."""
    if operation.kind == "claim":
        return _claimed(held, operation, lease_s)
    if operation.kind == "release":
        return replace(held, owner="", until_s=NEVER) if held.owner == operation.owner else held
    if operation.kind == "tell":
        return _wrote(held, "labelled", operation.key, written)
    is_holder = (held.owner, held.token) == (operation.owner, operation.token)
    if is_holder != operation.is_taken:
        return None
    return _acted(held, operation, written, lease_s) if is_holder else held


def _claimed(held: Held, claim: Operation, lease_s: float) -> Held | None:
    is_own = claim.owner == held.owner
    is_held_by_another = held.owner and not is_own and claim.ended_s < held.until_s
    if not held.is_open or is_held_by_another or claim.token != held.token + (not is_own):
        return None
    return replace(held, owner=claim.owner, token=claim.token, until_s=claim.began_s + lease_s)


def _acted(held: Held, operation: Operation, written: Written, lease_s: float) -> Held | None:
    if operation.kind == "undo":
        kept = replace(held, until_s=operation.began_s + lease_s)
        return kept if held.is_open else _wrote(kept, "undone", None, written)
    let_go = replace(held, until_s=NEVER)
    if operation.kind == "skip":
        return _wrote(let_go, "skipped", None, written) if held.is_open else let_go
    return _wrote(let_go, "labelled", operation.key, written)


def _wrote(held: Held, kind: str, key: str | None, written: Written) -> Held | None:
    """With the event that comes next in the journal, if it is this one; a known key writes nothing."""
    if key is not None and ("labelled", key) in written[: held.n_written]:
        return held
    if written[held.n_written : held.n_written + 1] != ((kind, key),):
        return None
    return replace(held, is_open=kind == "undone", n_written=held.n_written + 1)
