"""Any sequence of appends, roll-backs, reads, backups and reopenings against a plain list."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from store_contract import append

from budgetal.store import NewEvent, open_store

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
new_events = st.builds(
    NewEvent,
    kind=st.sampled_from(["labelled", "queried", "trained"]),
    data=st.dictionaries(st.text(), json_values, max_size=3),
    key=st.none() | st.sampled_from(["a", "b", "c", "d"]),
)


class JournalMachine(RuleBasedStateMachine):
    @initialize()
    def start(self):
        self.folder = Path(tempfile.mkdtemp())
        self.model: list[NewEvent] = []
        self.backups = 0
        self.open()

    def open(self):
        self.store = open_store(self.folder / "journal.db", create=True)

    def expected(self, events):
        """The position of each event in the model, after adding the new ones to it."""
        positions = []
        for event in events:
            known = [old.key for old in self.model]
            if event.key is None or event.key not in known:
                self.model.append(event)
                positions.append(len(self.model))
            else:
                positions.append(known.index(event.key) + 1)
        return positions

    @rule(events=st.lists(new_events, max_size=4))
    def append(self, events):
        found = append(self.store, *events)
        assert [event.seq for event in found] == self.expected(events)

    @rule(events=st.lists(new_events, max_size=4))
    def roll_back(self, events):
        try:
            with self.store.transaction() as transaction:
                transaction.append(events)
                raise InterruptedError
        except InterruptedError:
            pass

    @rule()
    def reopen(self):
        self.store.close()
        self.open()

    @rule()
    def back_up_and_go_on_with_the_copy(self):
        self.backups += 1
        copy = self.folder / f"backup-{self.backups}.db"
        self.store.backup(copy)
        self.store.close()
        shutil.move(copy, self.folder / "journal.db")
        self.open()

    @rule(after=st.integers(0, 12), limit=st.none() | st.integers(0, 12))
    def read_a_part(self, after, limit):
        expected = self.model[after:] if limit is None else self.model[after : after + limit]
        assert [as_new(event) for event in self.store.read(after, limit)] == expected

    @invariant()
    def the_journal_is_the_model(self):
        events = self.store.read()
        assert [as_new(event) for event in events] == self.model
        assert [event.seq for event in events] == list(range(1, len(self.model) + 1))
        assert self.store.last_seq() == len(self.model)

    def teardown(self):
        if hasattr(self, "store"):
            self.store.close()
            shutil.rmtree(self.folder)


def as_new(event) -> NewEvent:
    return NewEvent(event.kind, event.data, event.key)


TestJournalMachine = JournalMachine.TestCase
TestJournalMachine.settings = settings(max_examples=10, stateful_step_count=12, deadline=None)
