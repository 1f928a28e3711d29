"""Many processes and threads at one project: some order explains all that they were told, and the journal has it."""

import json
import math
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from acting import Actor, AtDesk, OverHttp, run_all
from collections_made import write_npy
from linearizable import Operation, is_explained, unexplained

from budgetal.desk import Desk
from budgetal.leasing import Leasing
from budgetal.presence import Presence
from budgetal.project import Project
from budgetal.worker import Worker

SETTINGS = {"audit": 40, "initial": 60, "batch": 60, "tolerance": 0.2, "risk": 0.2}
LEASE_S = 0.25
SHORTEST_S = 1.0
"""The shortest lease that a server takes."""


def make(tmp_path, n):
    images = write_npy(tmp_path / "images", n)
    project = Project.create(tmp_path / "project", images=str(images), budget=n, **SETTINGS)
    project.ask()
    return project


def start_process(project, name, seed, seconds, lease_s=LEASE_S):
    script = str(Path(__file__).with_name("acting.py"))
    command = [sys.executable, script, str(project.folder), name, str(seed), str(seconds), str(lease_s)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    return process


def begin(*processes):
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()


def operations_of(process):
    printed, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return [Operation(**json.loads(line)) for line in printed.splitlines()]


def actors_at(desk, name, n=3):
    return [Actor(AtDesk(desk, f"{name} {i}"), desk.project.config.classes, i, LEASE_S) for i in range(n)]


def checked(project, operations, lease_s=LEASE_S):
    """The operations, after they were found explained and every acknowledged answer to be in the journal once."""
    events = project.logbook.events()
    keys = [event.key.rpartition("/")[2] for event in events if event.kind == "labelled" and event.key]
    acknowledged = {one.key for one in operations if one.kind in ("answer", "tell") and one.is_taken}
    assert len(keys) == len(set(keys))
    assert acknowledged == set(keys)
    wrong = unexplained(operations, events, lease_s)
    assert not wrong, [one for one in operations if one.sample_id == wrong[0]]
    return operations


def test_desks_of_two_processes_a_teller_and_a_learner_at_once(tmp_path):
    project = make(tmp_path, 240)
    process = start_process(project, "there", 100, 2.5)
    learning = Project.open(project.folder)
    over = threading.Event()
    learner = threading.Thread(target=Worker(learning, Presence(learning.logbook)).run, args=(over,))
    learner.start()
    begin(process)
    try:
        here = run_all(actors_at(Desk(project, lease_s=LEASE_S), "here"), 2.5)
    finally:
        over.set()
        learner.join()
    operations = checked(project, [*here, *operations_of(process)])
    assert {one.kind for one in operations} >= {"claim", "answer", "tell", "release"}
    learning.close()
    project.close()


@pytest.mark.slow
def test_a_server_with_its_learner_and_three_more_processes_at_once(tmp_path, monkeypatch):
    from web.serving import Server

    from budgetal.web.secret import installation_secret
    from budgetal.web.sessions import Sessions

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    project = make(tmp_path, 1500)
    server = Server(project.folder, tmp_path / "state", "--lease-s", str(SHORTEST_S))
    sessions = Sessions(project.folder, installation_secret(), project.logbook)
    names = [f"page {i}" for i in range(6)]
    places = [OverHttp(server.origin, sessions.token(name), name) for name in names]
    processes = [start_process(project, f"process {i}", 1000 * i, 40.0, SHORTEST_S) for i in range(3)]
    begin(*processes)
    try:
        found = run_all([Actor(at, project.config.classes, i, SHORTEST_S) for i, at in enumerate(places)], 45.0)
    finally:
        others = [operations_of(process) for process in processes]
        server.stop()
    operations = checked(project, [*found, *(one for log in others for one in log)], SHORTEST_S)
    assert len(operations) > 1000
    assert any(not one.is_taken for one in operations)
    project.close()


def test_a_claim_that_hands_out_what_others_hold_is_caught(tmp_path, monkeypatch):
    """A seeded fault of the code itself: leases of others are overlooked."""
    project = make(tmp_path, 240)
    hands = Leasing._hands

    def careless(self, transaction, owner):
        found = hands(self, transaction, owner)
        return type(found)(found.own, frozenset())

    monkeypatch.setattr(Leasing, "_hands", careless)
    operations = run_all(actors_at(Desk(project, lease_s=LEASE_S), "here"), 1.5)
    assert unexplained(operations, project.logbook.events(), LEASE_S)
    project.close()


def at(kind, owner, began_s, ended_s, token=1, key=None, is_taken=True):
    return Operation(kind, "image", owner, token, key, began_s, ended_s, is_taken)


ANNA_HAS = at("claim", "anna", 0.0, 0.1)
BEN_GETS = at("claim", "ben", 5.0, 5.1, token=2)
ANNA_SAYS = at("answer", "anna", 1.0, 1.1, key="k")
UNDOES, SKIPS = at("undo", "anna", 2.0, 2.1), at("skip", "anna", 3.0, 3.1)
K = ("labelled", "k")


@pytest.mark.parametrize(
    ("operations", "written"),
    [
        ([], ()),
        ([ANNA_HAS, ANNA_SAYS], (K,)),
        ([ANNA_HAS, ANNA_SAYS, at("answer", "anna", 1.0, 2.0, key="k")], (K,)),
        ([ANNA_HAS, BEN_GETS, at("answer", "anna", 6.0, 6.1, key="k", is_taken=False)], ()),
        # Late, and nobody else has it; or at the same time as ben, so in either order.
        ([ANNA_HAS, at("answer", "anna", 9.0, 9.1, key="k")], (K,)),
        ([ANNA_HAS, at("answer", "anna", 4.9, 5.2, key="k", is_taken=False), BEN_GETS], ()),
        ([ANNA_HAS, at("release", "anna", 0.2, 0.3), at("claim", "ben", 0.4, 0.5, token=2)], ()),
        ([ANNA_HAS, ANNA_SAYS, UNDOES, SKIPS], (K, ("undone", None), ("skipped", None))),
    ],
)
def test_what_may_happen_is_explained(operations, written):
    assert is_explained(operations, written, lease_s=2.0)


@pytest.mark.parametrize(
    ("operations", "written"),
    [
        # Lost, written twice, or never given.
        ([ANNA_HAS, ANNA_SAYS], ()),
        ([ANNA_HAS, ANNA_SAYS], (K, K)),
        ([ANNA_HAS], (K,)),
        # Two hold it; a token comes twice; a token is left out.
        ([ANNA_HAS, at("claim", "ben", 0.5, 0.6, token=2)], ()),
        ([ANNA_HAS, at("claim", "ben", 5.0, 5.1, token=1)], ()),
        ([ANNA_HAS, at("claim", "ben", 5.0, 5.1, token=3)], ()),
        # An answer of who has it no more is taken; one of its holder is refused.
        ([ANNA_HAS, BEN_GETS, at("answer", "anna", 6.0, 6.1, key="k")], (K,)),
        ([ANNA_HAS, at("answer", "anna", 1.0, 1.1, key="k", is_taken=False)], ()),
        # What was answered is handed out again; the journal has another order than real time.
        ([ANNA_HAS, ANNA_SAYS, BEN_GETS], (K,)),
        ([ANNA_HAS, ANNA_SAYS, at("answer", "anna", 2.0, 2.1, key="l")], (("labelled", "l"), K)),
    ],
)
def test_what_may_not_happen_is_not_explained(operations, written):
    assert not is_explained(operations, written, lease_s=2.0)


def test_operations_without_an_end_may_come_last():
    assert is_explained([ANNA_HAS, at("answer", "anna", 1.0, math.inf, key="k")], (K,), lease_s=2.0)
