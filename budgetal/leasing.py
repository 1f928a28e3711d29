"""Claims of open images by people: each is decided in a turn at the journal, so no two people get the same one."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from budgetal.annotators.claims import Hands, check_holder, given_up, hand_out, hand_out_together, hands_of, take
from budgetal.gold import in_queue
from budgetal.logbook import Logbook
from budgetal.opinions import people_of
from budgetal.store.leases import DONE, Clock, Lease, host_clock
from budgetal.store.store import Transaction

DURATION_S = 60.0
"""Long enough to look at an image twice; a page that is open renews it."""
Arrange = Callable[[Sequence[str]], Sequence[str]]
"""Chooses what is shown next of images that wait, given in their order."""
SHORT = "short"
SHORT_S = 3.0


class Leasing:
    """Hands images of open queries out. An owner is whoever can hold one: a page of a person."""

    def __init__(self, logbook: Logbook, clock: Clock = host_clock, duration_s: float = DURATION_S) -> None:
        self.logbook = logbook
        self.clock = clock
        self.duration_s = duration_s

    def claim(self, owner: str, n: int, annotator: str | None = None) -> list[Lease]:
        """At most `n` images for `owner`, who keeps what it holds; renews those leases.

        annotator: whose page it is; images that wait for another person's opinion are then left out.
        """
        with self.logbook.transaction() as transaction:
            chosen = hand_out(self._waiting_for(annotator), self._hands(transaction, owner), n)
            leases = self._taken(transaction, chosen, owner)
            came_for_nothing = [] if leases else self._short(transaction, owner)
            transaction.lease([*leases, *came_for_nothing])
        return leases

    def claim_together(self, owner: str, arrange: Arrange, besides: Collection[str], annotator: str) -> list[Lease]:
        """The images that `arrange` chooses of those that wait, for `owner`; all leases that it holds are renewed.

        besides: images that it has before it already. annotator: as in `claim`.
        """
        with self.logbook.transaction() as transaction:
            hands = self._hands(transaction, owner)
            shown, renewed = hand_out_together(self._waiting_for(annotator), hands, arrange, besides)
            leases, others = (self._taken(transaction, names, owner) for names in (shown, renewed))
            came_for_nothing = [] if leases or others else self._short(transaction, owner)
            transaction.lease([*leases, *others, *came_for_nothing])
        return leases

    def release(self, owner: str, sample_ids: Sequence[str]) -> None:
        """Let images go before their time; those that `owner` does not hold stay as they are."""
        with self.logbook.transaction() as transaction:
            held = transaction.leases(sample_ids).values()
            transaction.lease([given_up(lease) for lease in held if lease.owner == owner])

    @contextmanager
    def fenced(self, owner: str, sample_id: str, token: int, *, keeps: bool) -> Iterator[None]:
        """What is written inside is written only while `owner` is the last that was handed the image.

        Raises LeaseError otherwise. keeps: the image stays in hand, since its answer is taken back; otherwise its lease
        ends here, so that another person can be asked about it, and the token still allows a correction.
        """
        duration_s, note = (self.duration_s, "") if keeps else (0.0, DONE)

        def check(transaction: Transaction) -> None:
            lease = transaction.leases([sample_id]).get(sample_id)
            check_holder(lease, f"image {sample_id}", owner, token)
            transaction.lease([take(lease, sample_id, owner, self.clock(), duration_s, note)])

        with self.logbook.checking(check):
            yield

    def confirm(self) -> None:
        """Check inside `fenced` where there is nothing else to write."""
        with self.logbook.transaction():
            pass

    def holders(self) -> dict[str, str]:
        """Who holds which of the open images now."""
        owners, open_now = self.logbook.owners(self.clock()), self.logbook.state.open_items
        return {name: owner for name, owner in owners.items() if name in open_now}

    def is_short(self) -> bool:
        """Whether somebody came for an image just now and found none to take, and no query was asked since."""
        found = self.logbook.leases([SHORT]).get(SHORT)
        return found is not None and found.is_live(self.clock()) and found.note == self._n_queries()

    def _hands(self, transaction: Transaction, owner: str) -> Hands:
        return hands_of(transaction.owners(self.clock(), owner), owner)

    def _taken(self, transaction: Transaction, names: Sequence[str], owner: str) -> list[Lease]:
        held = transaction.leases(names)
        return [take(held.get(name), name, owner, self.clock(), self.duration_s) for name in names]

    def _short(self, transaction: Transaction, owner: str) -> list[Lease]:
        """The word that images are short, unless it was given just now: fifty who wait need not write it each time."""
        found, now, asked = transaction.leases([SHORT]).get(SHORT), self.clock(), self._n_queries()
        soon = replace(now, seconds=now.seconds + SHORT_S / 2)
        if found is not None and found.note == asked and found.is_live(soon):
            return []
        return [take(found, SHORT, owner, now, SHORT_S, asked)]

    def _n_queries(self) -> str:
        return str(len(self.logbook.state.queries))

    def _waiting_for(self, annotator: str | None) -> list[str]:
        state = self.logbook.state
        if state.paused:
            return []
        opinions = {query_id for query_id in set(state.open_items.values()) if state.is_opinion(query_id)}
        waiting = self._waiting()
        return [i for i in waiting if not self._waits_for_another(i, annotator, opinions)] if opinions else waiting

    def _waits_for_another(self, sample_id: str, annotator: str | None, opinions: Collection[int]) -> bool:
        """opinions: the open queries that ask for further ones."""
        state = self.logbook.state
        return state.open_items[sample_id] in opinions and annotator in people_of(state, sample_id)

    def _waiting(self) -> list[str]:
        """Open images, those of the oldest query first."""
        return in_queue(self.logbook.state)
