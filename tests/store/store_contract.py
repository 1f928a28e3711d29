"""What every Store promises. A new store inherits StoreContract and gives `open_again`."""

import itertools
import threading
from collections.abc import Callable

import pytest

from budgetal.errors import StorageError
from budgetal.store import Instant, Lease, NewEvent, Store
from budgetal.store.leases import DONE


def append(store: Store, *events: NewEvent):
    with store.transaction() as transaction:
        return transaction.append(events)


def number(value: int, key: str | None = None) -> NewEvent:
    return NewEvent("number", {"value": value}, key)


def lease(name: str, owner: str = "anna", token: int = 1) -> Lease:
    return Lease(name, owner, token, Instant("test", 2.5), "a note")


def values(events) -> list[int]:
    return [event.data["value"] for event in events]


class StoreContract:
    @pytest.fixture
    def open_again(self) -> Callable[[], Store]:
        """Opens the one journal of this test, creating it at first."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, open_again):
        store = open_again()
        yield store
        store.close()

    def test_an_empty_journal(self, store):
        assert store.read() == []
        assert store.last_seq() == 0
        with store.transaction() as transaction:
            assert transaction.read() == []
            assert transaction.append([]) == []
        assert store.last_seq() == 0

    def test_events_are_numbered_from_one_without_gaps(self, store):
        first = append(store, number(10), number(11))
        second = append(store, number(12))
        assert [event.seq for event in first + second] == [1, 2, 3]
        assert store.last_seq() == 3

    def test_what_append_returns_is_what_is_read_later(self, store, open_again):
        data = {
            "text": "ä\x00\ud800",
            "list": [1, 2.5, None, True],
            "nested": {"b": {}, "a": []},
            "big": 2**70,
        }
        appended = append(store, NewEvent("kind", data, "key"), number(1))
        assert appended[0].data == data
        assert (appended[0].kind, appended[0].key, appended[1].key) == ("kind", "key", None)
        assert store.read() == appended
        store.close()
        again = open_again()
        assert again.read() == appended
        again.close()

    def test_later_changes_of_the_caller_do_not_reach_the_event(self, store):
        data = {"labels": ["cat"]}
        (event,) = append(store, NewEvent("kind", data))
        data["labels"].append("dog")
        assert event.data == {"labels": ["cat"]}

    def test_read_after_and_limit(self, store):
        append(store, *[number(value) for value in range(10)])
        assert values(store.read(after=7)) == [7, 8, 9]
        assert values(store.read(after=2, limit=3)) == [2, 3, 4]
        assert store.read(after=10) == []
        assert store.read(limit=0) == []
        with store.transaction() as transaction:
            assert values(transaction.read(after=8)) == [8, 9]

    @pytest.mark.parametrize("bad", [{"after": -1}, {"limit": -1}])
    def test_negative_positions_are_refused(self, store, bad):
        with pytest.raises(ValueError, match="count from 0"):
            store.read(**bad)

    def test_a_known_key_returns_the_existing_event(self, store):
        first = append(store, number(1, "a"))
        again = append(store, number(2, "b"), number(99, "a"), number(3, "b"))
        assert again[1] == first[0]
        assert again[2] == again[0]
        assert values(store.read()) == [1, 2]

    def test_a_key_is_known_within_its_own_transaction(self, store):
        with store.transaction() as transaction:
            first = transaction.append([number(1, "a")])
            assert transaction.append([number(2, "a")]) == first
        assert values(store.read()) == [1]

    def test_a_key_of_a_rolled_back_event_is_free(self, store):
        with pytest.raises(KeyError), store.transaction() as transaction:
            transaction.append([number(1, "a")])
            raise KeyError
        append(store, number(2, "a"))
        assert values(store.read()) == [2]

    def test_many_keys_at_once(self, store):
        events = [number(value, f"key {value}") for value in range(1700)]
        first = append(store, *events)
        assert append(store, *reversed(events)) == first[::-1]
        assert store.last_seq() == 1700

    def test_an_exception_rolls_back_and_passes_through(self, store):
        append(store, number(1))
        with pytest.raises(OSError, match="mine"), store.transaction() as transaction:
            transaction.append([number(2)])
            raise OSError("mine")
        append(store, number(3))
        assert values(store.read()) == [1, 3]
        assert [event.seq for event in store.read()] == [1, 2]

    def test_a_transaction_reads_what_it_appended_and_others_do_not(self, store):
        with store.transaction() as transaction:
            transaction.append([number(1)])
            assert values(transaction.read()) == [1]
            assert store.read() == []
            assert store.last_seq() == 0
        assert values(store.read()) == [1]

    def test_a_transaction_is_of_no_use_after_its_end(self, store):
        with store.transaction() as transaction:
            pass
        with pytest.raises(RuntimeError, match="over"):
            transaction.append([number(1)])
        with pytest.raises(RuntimeError, match="over"):
            transaction.read()
        assert store.read() == []

    def test_a_transaction_inside_a_transaction_is_refused_at_once(self, store):
        with store.transaction() as transaction:
            transaction.append([number(1)])
            with pytest.raises(RuntimeError, match="inside"), store.transaction():
                pass
        assert values(store.read()) == [1]

    @pytest.mark.parametrize(
        ("data", "field"),
        [
            ({"a": {"b": [0.0, float("nan")]}}, r"data\.a\.b\[1\]"),
            ({"a": float("inf")}, r"data\.a "),
            ({"a": {1: 2}}, r"data\.a: its key 1"),
            ({"a": {3}}, r"data\.a .*set"),
            ({"a": b"x"}, r"data\.a .*bytes"),
        ],
    )
    def test_data_that_json_cannot_keep_is_refused_by_field_and_nothing_is_written(self, store, data, field):
        with store.transaction() as transaction:
            with pytest.raises(ValueError, match=field):
                transaction.append([number(1), NewEvent("kind", data)])
            transaction.append([number(2)])
        assert values(store.read()) == [2]

    @pytest.mark.parametrize("name", ["", "a\0b", "\ud800", 3])
    def test_kinds_and_keys_are_text(self, store, name):
        with pytest.raises(ValueError, match="kind"):
            append(store, NewEvent(name, {}))
        with pytest.raises(ValueError, match="key"):
            append(store, NewEvent("kind", {}, name))
        assert store.read() == []

    def test_threads_lose_nothing_and_see_whole_transactions(self, store):
        torn: list[int] = []

        def write(thread: int) -> None:
            for turn in range(15):
                append(store, number(thread * 100 + turn), number(thread * 100 + turn))

        def watch() -> None:
            while any(writer.is_alive() for writer in writers):
                torn.extend(len(store.read()) % 2 for _ in range(5))

        writers = [threading.Thread(target=write, args=(thread,)) for thread in range(4)]
        threads = [*writers, threading.Thread(target=watch)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found = values(store.read())
        assert sorted(found) == sorted(2 * [thread * 100 + turn for thread in range(4) for turn in range(15)])
        assert all(first == second for first, second in zip(found[::2], found[1::2], strict=True))
        assert not any(torn)

    def test_a_lease_replaces_the_one_of_its_name_and_no_event_is_written(self, store):
        with store.transaction() as transaction:
            transaction.lease([lease("a"), lease("b")])
            transaction.lease([lease("a", "ben", 2)])
            assert transaction.leases(["a", "c"]) == {"a": lease("a", "ben", 2)}
            assert store.leases(["a"]) == {}
        assert store.leases(["a", "b", "c"]) == {"a": lease("a", "ben", 2), "b": lease("b")}
        assert store.last_seq() == 0

    def test_a_rolled_back_lease_was_never_given(self, store):
        with pytest.raises(KeyError), store.transaction() as transaction:
            transaction.lease([lease("a")])
            raise KeyError
        assert store.leases(["a"]) == {}

    def test_it_names_who_holds_what_and_what_one_owner_is_not_done_with(self, store):
        """Against each row by itself: live, expired, of another clock, given up, done."""
        expires = [Instant(clock, seconds) for clock in ("test", "before a restart") for seconds in (1.0, 2.5)]
        rows = itertools.product(["anna", "ben", ""], expires, ["", DONE])
        given = [Lease(f"image {i}", owner, 1, *rest) for i, (owner, *rest) in enumerate(rows)]
        now = Instant("test", 2.0)
        live = {one.name: one.owner for one in given if one.is_live(now)}
        unfinished = {one.name: "anna" for one in given if one.owner == "anna" and one.note != DONE}
        with store.transaction() as transaction:
            transaction.lease(given)
            assert transaction.owners(now) == live
            assert transaction.owners(now, "anna") == {**live, **unfinished}
            assert transaction.owners(now, "") == live
        assert store.owners(now) == live
        assert len(live) == 4
        assert len(unfinished) == 4

    def test_many_leases_at_once(self, store):
        many = [lease(f"image {i}") for i in range(1200)]
        with store.transaction() as transaction:
            transaction.lease(many)
        assert store.leases([one.name for one in many]) == {one.name: one for one in many}

    def test_threads_that_claim_one_lease_take_turns(self, store):
        """Compare-and-set: what a turn reads still holds when it writes."""

        def count_up() -> None:
            for _ in range(10):
                with store.transaction() as transaction:
                    before = transaction.leases(["counter"]).get("counter")
                    transaction.lease([lease("counter", token=before.token + 1 if before else 1)])

        threads = [threading.Thread(target=count_up) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert store.leases(["counter"])["counter"].token == 40

    def test_two_stores_on_one_journal_see_each_other(self, store, open_again):
        other = open_again()
        append(store, number(1))
        append(other, number(2))
        assert values(store.read()) == values(other.read()) == [1, 2]
        other.close()
        append(store, number(3))
        assert values(store.read()) == [1, 2, 3]

    def test_a_backup_is_a_journal_of_the_same_events(self, store, open_again, tmp_path):
        from budgetal.store import open_store

        events = append(store, number(1, "a"), number(2))
        store.backup(tmp_path / "backup.db")
        append(store, number(3))
        copy = open_store(tmp_path / "backup.db")
        assert copy.read() == events
        assert append(copy, number(9, "a")) == events[:1]
        copy.close()
        with pytest.raises(StorageError, match="exists"):
            store.backup(tmp_path / "backup.db")

    def test_a_closed_store_says_so(self, open_again):
        store = open_again()
        store.close()
        store.close()
        for use in (store.read, store.last_seq, lambda: append(store, number(1))):
            with pytest.raises(StorageError, match="closed"):
                use()
