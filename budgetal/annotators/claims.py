"""Who gets which image: pure functions of the leases and the clock.

An image is handed to one person at a time. Its lease ends by itself, so a closed browser holds nothing up; and an
answer is taken from whoever was handed the image last, however late it comes, so a slow person loses nothing
unless somebody else has the image by then. That is what the fencing token decides; the clock decides only when an
image may be handed on, so a clock that errs costs an answer at worst and never gives an image two holders.
"""

from collections.abc import Callable, Collection, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from budgetal.errors import LeaseError
from budgetal.store.leases import Instant, Lease

NOBODY = ""


@dataclass(frozen=True)
class Hands:
    """Whose images are whose when somebody comes: those that were `own` last, and those that `others` hold."""

    own: Set[str]
    others: Set[str]


def hands_of(owners: Mapping[str, str], owner: str) -> Hands:
    """The hands as `owner` sees them. owners: of each image in anybody's hands, and of the owner's expired ones."""
    own = frozenset(name for name, who in owners.items() if who == owner)
    return Hands(own, owners.keys() - own)


def hand_out(names: Sequence[str], hands: Hands, n: int) -> list[str]:
    """At most `n` of `names`: the owner's own again, then free ones in order.

    Of the free ones it is half at most, and one at least, so that those who come next find some too.
    """
    own = [name for name in names if name in hands.own][:n]
    free = _free(names, hands) if len(own) < n else []
    return [*own, *free[: min(n - len(own), _half(free))]]


def hand_out_together(
    names: Sequence[str], hands: Hands, arrange: Callable[[Sequence[str]], Sequence[str]], besides: Collection[str]
) -> tuple[list[str], list[str]]:
    """What `arrange` chooses to show next, and what else the owner holds, which is to be renewed.

    `arrange` is given what may be shown, in the order of `names`: the owner's own but those in `besides`; where it has
    none, free ones, of these half at most, and one at least, so that those who come next find some too.
    """
    own = [name for name in names if name in hands.own]
    left = [name for name in own if name not in besides]
    shown = list(arrange(left or _first_half(names, hands, besides)))
    return shown, [name for name in own if name not in shown]


def _first_half(names: Sequence[str], hands: Hands, besides: Collection[str]) -> list[str]:
    free = _free(names, hands)
    return [name for name in free[: _half(free)] if name not in besides]


def _free(names: Sequence[str], hands: Hands) -> list[str]:
    return [name for name in names if name not in hands.others and name not in hands.own]


def _half(free: Sequence[str]) -> int:
    return max(len(free) // 2, 1)


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
