"""The learner beside people who never stop: what it does when, and what it must not learn from the audit."""

import contextlib
import functools
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from budgetal.ahead import lead_for
from budgetal.annotators.oracle import Oracle
from budgetal.cli import exit_code
from budgetal.presence import LEARNER, Presence, learner_status
from budgetal.project import Project
from budgetal.rounds import SHOWN
from budgetal.simulate import true_labels
from budgetal.store import Instant, Lease, host_clock
from budgetal.types import Annotation
from budgetal.worker import Pace, Worker

SETTINGS = {"budget": 90, "audit": 40, "initial": 10, "batch": 10, "tolerance": 0.2, "risk": 0.2}


def make(images, folder, **changes):
    return Project.create(folder, images=str(images), **{**SETTINGS, **changes})


class SlowPeople:
    """The machine is always done before the next answer."""

    labels_per_s = 0.0

    def note(self, now_s, n_labels):
        pass


def worker_for(project):
    worker = Worker(project, Presence(project.logbook))
    worker.pace = SlowPeople()
    return worker


def work(worker):
    """Everything that is due now."""
    steps = []
    while (step := worker.step()) != "wait":
        steps.append(step)
    return steps


def answer_all(project, worker, answer):
    """One image at a time, the worker doing what is due after each; returns how many waited before each answer."""
    waiting = []
    work(worker)
    while project.state.open_items:
        waiting.append(len(project.state.open_items))
        sample_id = next(iter(project.state.open_items))
        project.tell([Annotation(sample_id, answer(sample_id))])
        work(worker)
    return waiting


def test_an_image_always_waits_until_the_budget_is_spent(images, tmp_path):
    project = make(images, tmp_path / "p")
    truth = true_labels(project)
    waiting = answer_all(project, worker_for(project), truth.__getitem__)
    assert len(waiting) == project.state.n_paid == 90
    assert min(waiting[:-1]) >= 1
    assert project.state.finished
    assert project.state.stop_reason == "budget spent"
    assert project.state.certificate is not None
    assert (project.folder / "report.html").exists()


def test_predictions_that_no_longer_change_end_a_run_after_its_last_audit(images, tmp_path):
    project = make(images, tmp_path / "p", budget=150, audit=20, last_audit=20, plateau_rounds=2)
    answer_all(project, worker_for(project), true_labels(project).__getitem__)
    assert project.state.finished
    assert len(project.state.last_audit) == 20
    assert all(sample_id in project.state.labels for sample_id in project.state.last_audit)


def test_labels_kept_for_the_end_are_asked_there_while_people_go_on(images, tmp_path):
    project = make(images, tmp_path / "p", audit=20, last_audit=20)
    answer_all(project, worker_for(project), true_labels(project).__getitem__)
    assert len(project.state.last_audit) == 20
    assert project.state.frame is not None
    assert project.state.n_paid == 90
    assert project.state.finished


def test_each_query_is_asked_while_the_last_images_of_the_one_before_wait(images, tmp_path):
    project = make(images, tmp_path / "p")
    truth = true_labels(project)
    answer_all(project, worker_for(project), truth.__getitem__)
    state = project.state
    assert [query.purpose for query in state.queries.values()][:3] == ["initial", "audit", "round"]
    assert [len(query.sample_ids) for query in state.queries.values()] == [10, 40, 10, 10, 10, 10]
    # Each model but the first and the last misses just the image that was in somebody's hands.
    assert [record.n_human for record in state.rounds] == [49, 59, 69, 79, 90]


def test_a_slow_machine_is_given_a_longer_lead(images, tmp_path):
    project = make(images, tmp_path / "p", budget=150)
    worker, truth = worker_for(project), true_labels(project)
    worker._machine_s, worker.pace = 1e9, Pace()
    worker.pace.note(0.0, 0)
    worker.pace.note(1.0, 1)
    assert worker._lead().used_up > 1e8
    work(worker)
    project.tell(Oracle(truth).annotate(project.ask()))
    project.tell(Oracle(truth).annotate(project.ask()))
    work(worker)
    assert len(project.state.open_items) == 100


def test_neither_models_nor_queries_depend_on_audit_answers(images, tmp_path):
    """The certificate is exact only when the audit reaches nothing but certificates and metrics."""
    asked, weights = [], []
    for name in ("honest", "lying"):
        project = make(images, tmp_path / name)
        truth, state = true_labels(project), project.state

        def answer(sample_id, lies=name == "lying", truth=truth, state=state):
            return "red" if lies and sample_id in state.audit else truth[sample_id]

        answer_all(project, worker_for(project), answer)
        asked.append([(query.round, query.sample_ids) for query in state.queries.values()])
        weights.append([event.data["weights"] for event in project.logbook.events() if event.kind == "fitted"])
        project.close()
    assert asked[0] == asked[1]
    assert weights[0] == weights[1]


def test_the_first_model_is_the_same_however_fast_people_are_with_the_audit(images, tmp_path):
    models = []
    for name, n_audit_first in (("before", 0), ("after", 40)):
        project = make(images, tmp_path / name)
        worker, oracle = worker_for(project), Oracle(true_labels(project))
        assert work(worker) == ["ask"]
        initial = list(project.state.open_items)
        project.tell([oracle.annotate(project.ask())[i] for i in range(9)])
        assert work(worker) == ["ask"]
        audit = [i for i in project.state.open_items if i not in initial]
        answers = {a.sample_id: a for a in oracle.annotate(project.state.queries[2])}
        project.tell([answers[i] for i in audit[:n_audit_first]])
        work(worker)
        assert project.state.model is None
        project.tell([Annotation(initial[-1], oracle.labels[initial[-1]])])
        work(worker)
        models.append(project.state.model.weights_ref)
        project.close()
    assert models[0] == models[1]


def test_no_later_model_is_trained_before_the_audit_is_answered(images, tmp_path):
    project = make(images, tmp_path / "p")
    worker, truth = worker_for(project), true_labels(project)
    work(worker)
    project.tell(Oracle(truth).annotate(project.ask()))
    work(worker)
    project.tell([Annotation(i, truth[i]) for i in list(project.state.open_items)[:-1]])
    assert "assess" in work(worker)
    (last,) = [i for i in project.state.open_items if i in project.state.audit]
    project.tell([Annotation(i, truth[i]) for i in list(project.state.open_items) if i != last])
    assert "fit" not in work(worker)
    project.tell([Annotation(last, truth[last])])
    assert "fit" in work(worker)


def test_a_target_ends_the_run_with_a_look_paid_for_once(images, tmp_path):
    project = make(images, tmp_path / "p", budget=200, target_coverage=0.5, tolerance=0.35)
    answer_all(project, worker_for(project), true_labels(project).__getitem__)
    looks = [event.data for event in project.logbook.events() if event.kind == "auto_labelled"]
    assert project.state.stop_reason == "target reached"
    assert looks[-1]["n"] == looks[-2]["n"]
    assert looks[-1]["risk_spent"] == 0


def test_images_that_nobody_can_label_do_not_stop_the_queue(images, tmp_path):
    project = make(images, tmp_path / "p", audit=0, auto_labeller="none")
    worker = worker_for(project)
    work(worker)
    for sample_id in list(project.state.open_items):
        project.skip(sample_id)
    work(worker)
    assert len(project.state.open_items) == 10


def test_a_larger_budget_wakes_a_finished_run(images, tmp_path):
    project = make(images, tmp_path / "p")
    worker = worker_for(project)
    answer_all(project, worker, true_labels(project).__getitem__)
    assert work(worker) == []
    project.configure(budget=100)
    work(worker)
    assert len(project.state.open_items) == 10


@pytest.mark.parametrize(
    ("labels_per_s", "machine_s", "n"), [(0.0, 100.0, 1), (1.0, 0.5, 2), (1.0, 10.0, 16), (2.0, 60.0, 181)]
)
def test_the_lead_is_what_people_use_up_and_half_as_much_again(labels_per_s, machine_s, n):
    assert lead_for(1, labels_per_s, machine_s).n == n


def test_pace_is_measured_while_labels_come():
    pace = Pace()
    assert pace.labels_per_s == 0
    for second in range(11):
        pace.note(float(second), 2 * second)
    assert pace.labels_per_s == pytest.approx(2)
    pace.note(500.0, 20)
    assert pace.labels_per_s == pytest.approx(2)
    pace.note(600.0, 21)
    assert pace.labels_per_s == 0


def test_a_second_learner_stands_by_until_the_first_is_gone(images, tmp_path):
    project = make(images, tmp_path / "p")
    first, second = Presence(project.logbook), Presence(project.logbook)
    second._owner = "elsewhere:1"
    with first:
        assert first.take_place()
        assert not second.take_place()
        assert learner_status(project.logbook)["doing"] == "starting"
    assert learner_status(project.logbook) is None
    assert second.take_place()


def test_a_dead_learner_of_this_machine_is_replaced_at_once(images, tmp_path):
    project = make(images, tmp_path / "p")
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    presence = Presence(project.logbook)
    host = presence._owner.rpartition(":")[0]
    now = host_clock()
    lease = Lease(LEARNER, f"{host}:{child.pid}", 1, Instant(now.clock, now.seconds + 1000), "{}")
    with project.logbook.turn() as transaction:
        transaction.lease([lease])
    assert presence.take_place()


def _start(folder):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "budgetal", "work", str(folder), "--until-stdin-closes"]
    # A test that runs in the background may ignore SIGINT, and its children with it.
    listens = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    return subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, preexec_fn=listens)


def _answer_until(project, truth, stop):
    """A person who labels whatever waits, until `stop` says so."""
    deadline = time.monotonic() + 60
    while not stop(project.state):
        assert time.monotonic() < deadline, "the learner does nothing"
        project.catch_up()
        project.tell([Annotation(i, truth[i]) for i in list(project.state.open_items)[:3]])
        time.sleep(0.02)


def test_a_killed_learner_is_started_again_and_ends_the_run(images, tmp_path):
    project = make(images, tmp_path / "p")
    truth = true_labels(project)
    first = _start(project.folder)
    _answer_until(project, truth, lambda state: len(state.labels) > 50)
    first.kill()
    first.wait()
    second = _start(project.folder)
    _answer_until(project, truth, lambda state: state.finished)
    assert project.state.n_paid == 90
    second.stdin.close()
    assert second.wait(20) == 130
    assert b"Nothing is lost" in second.stderr.read()


def test_ctrl_c_leaves_the_place_free(images, tmp_path):
    project = make(images, tmp_path / "p")
    learner = _start(project.folder)
    while learner_status(project.logbook) is None:
        time.sleep(0.05)
    learner.send_signal(signal.SIGINT)
    assert learner.wait(20) == 130
    assert learner_status(project.logbook) is None


@pytest.mark.timeout(60)
def test_ctrl_c_that_a_library_swallows_still_ends_the_learner(images, tmp_path, monkeypatch, capsys):
    def swallow(worker):
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        return "wait"

    project = make(images, tmp_path / "p")
    monkeypatch.setattr(Worker, "step", swallow)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        assert exit_code(["work", str(project.folder)]) == 130
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert "Nothing is lost" in capsys.readouterr().err
    assert learner_status(project.logbook) is None


def test_the_worker_wakes_when_labels_come(images, tmp_path):
    project = make(images, tmp_path / "p")
    other, over = Project.open(project.folder), threading.Event()
    worker = worker_for(other)
    thread = threading.Thread(target=worker.run, args=(over,))
    thread.start()
    try:
        _answer_until(project, true_labels(project), lambda state: len(state.rounds) == 2)
    finally:
        over.set()
        thread.join()


def test_people_who_find_every_image_in_other_hands_are_given_more(images, tmp_path):
    project = make(images, tmp_path / "p")
    worker = worker_for(project)
    work(worker)
    while worker.leasing.claim("absent", 64):
        if len(worker.leasing.holders()) == 10:
            break
    assert work(worker) == []
    assert worker.leasing.claim("anna", 1) == []
    assert work(worker) == ["ask"]
    assert len(project.state.open_items) == 50
    assert work(worker) == []


def test_a_learner_that_begins_by_waiting_counts_no_time_below_zero(images, tmp_path):
    project = make(images, tmp_path / "p")
    work(worker_for(project))
    project.close()
    again = Project.open(tmp_path / "p")
    over = threading.Event()
    threading.Timer(0.5, over.set).start()
    worker = worker_for(again)
    worker._wait_for_news(over)
    assert again.loop.worked_since_s <= time.monotonic()
    again.close()


def test_a_learner_draws_an_audit_by_weight_in_parts_and_ends_once_it_shows_enough(images, tmp_path):
    changes = {"audit": None, "last_audit": 50, "auto_labeller": "whole", "risk": 0.05}
    project = make(images, tmp_path / "whole", **changes)
    worker, truth = worker_for(project), true_labels(project)
    answer_all(project, worker, truth.__getitem__)
    state = project.state
    assert (state.finished, state.stop_reason) == (True, SHOWN)
    assert 0 < len(state.last_audit) < 50
    assert state.certificate.n_auto + len(state.labels) == state.n_samples
    parts = [query for query in state.queries.values() if query.purpose == "audit"]
    assert {len(query.sample_ids) for query in parts} == {5}
    assert work(worker) == []
    project.close()
