"""What would make people wait: replies held back by the network, and writes that say nothing new."""

import socket

from budgetal.desk import Desk, Seat
from budgetal.store import Instant
from budgetal.web.server import _listen


def test_connections_send_at_once():
    with _listen("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_fifty_who_find_nothing_write_once_and_the_learner_hears_of_it_all_the_time(project):
    seconds, written = [0.0], []
    desk = Desk(project, lambda: Instant("test", seconds[0]))
    everything = [item.sample_id for _ in range(10) for item in desk.claim(Seat("anna", "1"), 64)]
    assert set(everything) == set(project.state.open_items)
    for number in range(50):
        seconds[0] += 0.1
        assert desk.claim(Seat(f"person {number}", "1"), 5) == []
        assert desk.leasing.is_short()
        written.append(project.logbook.leases(["short"])["short"])
    assert len(set(written)) == 4
    project.stop()
