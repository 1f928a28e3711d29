"""Several processes on one journal, and processes that die."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from store_contract import append, number, values

from budgetal.store import open_store

SCRIPT = Path(__file__).with_name("append_script.py")
WRITER = """
import sys
from pathlib import Path
from budgetal.store import NewEvent, open_store
store = open_store(Path(sys.argv[1]))
sys.stdin.readline()
for turn in range(int(sys.argv[3])):
    with store.transaction() as transaction:
        known = len(transaction.read())
        events = transaction.append([NewEvent("n", {"writer": sys.argv[2], "turn": turn, "known": known})] * 2)
        assert events[0].seq == known + 1
store.close()
"""


def start_writers(journal, n_writers, n_turns):
    command = [sys.executable, "-c", WRITER, str(journal)]
    writers = [
        subprocess.Popen([*command, str(name), str(n_turns)], stdin=subprocess.PIPE, text=True)
        for name in range(n_writers)
    ]
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    return writers


def test_two_processes_lose_nothing_keep_their_order_and_exclude_each_other(tmp_path):
    store = open_store(tmp_path / "journal.db", create=True)
    for writer in start_writers(tmp_path / "journal.db", 2, 60):
        assert writer.wait(60) == 0
        writer.stdin.close()
    events = store.read()
    assert [event.seq for event in events] == list(range(1, 241))
    for name in "01":
        turns = [event.data["turn"] for event in events if event.data["writer"] == name]
        assert turns == [turn for turn in range(60) for _ in range(2)]
    # Nobody wrote between a writer's reading and its appending.
    assert [event.data["known"] for event in events[::2]] == list(range(0, 240, 2))
    store.close()


def test_a_journal_is_whole_after_kill_9_in_the_middle(tmp_path):
    journal = tmp_path / "journal.db"
    wait = random.Random(0)
    acknowledged = 0
    for _ in range(3):
        writer = subprocess.Popen([sys.executable, str(SCRIPT), str(journal), "100000"], stdout=subprocess.PIPE)
        first = writer.stdout.readline()
        time.sleep(wait.uniform(0.02, 0.1))
        writer.send_signal(signal.SIGKILL)
        lines = (first + writer.stdout.read()).decode().splitlines()
        writer.wait()
        acknowledged = max(acknowledged, int(lines[-1].split()[0]))
        store = open_store(journal)
        events = store.read()
        assert [event.data["number"] for event in events] == list(range(len(events)))
        assert acknowledged <= len(events) <= acknowledged + 1
        store.close()


def test_a_dead_writer_keeps_nobody_waiting(tmp_path):
    store = open_store(tmp_path / "journal.db", create=True)
    child = os.fork()
    if child == 0:
        own = open_store(tmp_path / "journal.db")
        with own.transaction() as transaction:
            transaction.append([number(1)])
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    append(store, number(2))
    assert values(store.read()) == [2]
    store.close()


def test_two_busy_writers_do_not_starve_one_another(tmp_path):
    journal = tmp_path / "journal.db"
    store = open_store(journal, create=True)
    (rival,) = start_writers(journal, 1, 10**6)
    while store.last_seq() < 10:
        time.sleep(0.01)
    waits = []
    for _ in range(10):
        start = time.monotonic()
        append(store, number(0))
        waits.append(time.monotonic() - start)
    rival.kill()
    rival.wait()
    rival.stdin.close()
    assert max(waits) < 3
    store.close()
