"""What must hold after a crowd has labelled: nothing is lost, and nothing is in two people's hands."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from budgetal.store.events import Event
from crowd.people import Claim, Log


def lost(log: Log, events: Iterable[Event]) -> list[str]:
    """Keys of answers that were acknowledged and are not in the journal once, as they were given."""
    written: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for event in events:
        if event.kind == "labelled" and event.key is not None:
            written[event.key].append((event.data["sample_id"], event.data["label"]))
    return [key for key, answer in log.acknowledged.items() if _of(written, key) != [answer]]


def _of(written: Mapping[str, list[tuple[str, str]]], key: str) -> list[tuple[str, str]]:
    # The journal's own prefix tells people's keys from the program's.
    return [answer for name, answers in written.items() if name.endswith(key) for answer in answers]


def handed_out_twice(log: Log) -> list[tuple[Claim, Claim]]:
    """Pairs of claims of an image by two owners, of which the second fell wholly into the lease of the first."""
    by_image: dict[str, list[Claim]] = defaultdict(list)
    for claim in log.claims:
        by_image[claim.sample_id].append(claim)
    return [pair for claims in by_image.values() for pair in _overlapping(claims, log)]


def _overlapping(claims: list[Claim], log: Log) -> Iterable[tuple[Claim, Claim]]:
    for first in claims:
        let_go_s = log.let_go.get((first.sample_id, first.owner, first.token), float("inf"))
        until_s = min(first.until_s, let_go_s)
        for second in claims:
            if second.owner != first.owner and first.had_s < second.sent_s and second.had_s < until_s:
                yield first, second


def tokens_of_two(log: Log) -> list[tuple[str, int]]:
    """Fencing tokens that two owners were given for one image."""
    owners: dict[tuple[str, int], set[str]] = defaultdict(set)
    for claim in log.claims:
        owners[claim.sample_id, claim.token].add(claim.owner)
    return [token for token, who in owners.items() if len(who) > 1]
