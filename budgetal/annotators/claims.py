"""Who gets which image: pure functions of the leases and the clock.

An image is handed to one person at a time. Its lease ends by itself, so a closed browser holds nothing up; and an
answer is taken from whoever was handed the image last, however late it comes, so a slow person loses nothing
unless somebody else has the image by then. That is what the fencing token decides; the clock decides only when an
image may be handed on, so a clock that errs costs an answer at worst and never gives an image two holders.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from budgetal.errors import LeaseError
from budgetal.store.leases import Instant, Lease

NOBODY = ""


def hand_out(
    names: Sequence[str], held: Mapping[str, Lease], owner: str, n: int, now: Instant, duration_s: float
) -> list[Lease]:
    """At most `n` of `names` as leases of `owner` from `now` on: the owner's own again, then free ones in order.

    Of the free ones it is half at most, and one at least, so that those who come next find some too.
    """
    own = [name for name in names if name in held and held[name].owner == owner][:n]
    free = [name for name in names if not is_taken(held.get(name), owner, now) and name not in own]
    n_new = min(n - len(own), max(len(free) // 2, 1))
    return [take(held.get(name), name, owner, now, duration_s) for name in [*own, *free[:n_new]]]


def hand_out_together(
    names: Sequence[str],
    held: Mapping[str, Lease],
    owner: str,
    arrange: Callable[[Sequence[str]], Sequence[str]],
    besides: Collection[str],
    now: Instant,
    duration_s: float,
) -> tuple[list[Lease], list[Lease]]:
    """What `arrange` chooses to show next, as leases of `owner`; and leases that it holds already, renewed.

    `arrange` is given what may be shown, in the order of `names`: the owner's own but those in `besides`; where it has
    none, free ones, of these half at most, and one at least, so that those who come next find some too.
    """
    own = [name for name in names if name in held and held[name].owner == owner]
    free = [name for name in names if not is_taken(held.get(name), owner, now) and name not in own]
    left = [name for name in own if name not in besides]
    shown = arrange(left or [name for name in free[: max(len(free) // 2, 1)] if name not in besides])
    renewed = [name for name in own if name not in shown]
    leases, others = ([take(held.get(i), i, owner, now, duration_s) for i in some] for some in (shown, renewed))
    return leases, others


def is_taken(lease: Lease | None, owner: str, now: Instant) -> bool:
    """Whether somebody else holds it now."""
    return lease is not None and lease.owner != owner and lease.is_live(now)


def take(lease: Lease | None, name: str, owner: str, now: Instant, duration_s: float, note: str = "") -> Lease:
    """The lease of `name` as `owner` holds it from `now` on; the token counts up when it changes hands."""
    expires = Instant(now.clock, now.seconds + duration_s)
    if lease is None:
        return Lease(name, owner, 1, expires, note)
    token = lease.token + (lease.owner != owner)
    return Lease(name, owner, token, expires, note)


def given_up(lease: Lease) -> Lease:
    """The lease when its holder lets it go."""
    return replace(lease, owner=NOBODY, note="")


def check_holder(lease: Lease | None, name: str, owner: str, token: int) -> None:
    """Raise LeaseError unless `owner` was the last to be handed it, under this token."""
    if lease is None:
        raise LeaseError(f"Cannot take the answer for {name}: it was never handed out. Claim it first.")
    if (lease.owner, lease.token) != (owner, token):
        raise LeaseError(f"Cannot take the answer for {name}: it was handed to somebody else since (token {token})")
