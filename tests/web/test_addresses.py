"""Where a project is served: this machine only, unless there are accounts, and under known names only."""

import pytest
from argon2 import PasswordHasher
from starlette.testclient import TestClient

from budgetal.cli.app import exit_code
from budgetal.desk import Desk
from budgetal.errors import ConfigError
from budgetal.web import addresses, make_app, passwords
from budgetal.web.addresses import by_host, origins
from budgetal.web.roles import Role

PASSWORD = "four plain words here"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::", "labels.example.org"])
def test_nothing_listens_to_other_machines_without_an_owners_account(project, host, capsys):
    assert exit_code(["serve", str(project.folder), "--host", host, "--port", "0"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"Cannot serve on {host!r} without accounts" in line
    assert "budgetal invite" in line


def test_an_annotators_account_does_not_open_the_door_and_an_owners_does(project, sessions, monkeypatch):
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    members = sessions.members
    members.join(members.invite(Role.ANNOTATOR, "ann", "o"), "", PASSWORD)
    assert not members.has_owner()
    members.join(members.invite(Role.OWNER, "olga", "o"), "", PASSWORD)
    assert members.has_owner()


def test_own_addresses_are_known_by_their_numbers():
    assert origins("127.0.0.1", 80, []) == ["http://127.0.0.1:80", "http://localhost:80", "http://[::1]:80"]
    assert "http://192.168.1.7:8000" in origins("192.168.1.7", 8000, [])
    everywhere = origins("0.0.0.0", 8000, [])
    assert set(origins("127.0.0.1", 8000, [])) <= set(everywhere)
    assert "http://0.0.0.0:8000" not in everywhere


def test_further_names_are_those_that_were_allowed():
    found = origins("127.0.0.1", 8000, ["Labels.example.org", "labels.example.org:81", "https://labels.example.org"])
    assert found[3:] == ["http://labels.example.org:8000", "http://labels.example.org:81", "https://labels.example.org"]
    assert by_host(["https://a.org:443", "http://b.org:80", "http://c.org:8000"]) == {
        "a.org": "https://a.org",
        "b.org": "http://b.org",
        "c.org:8000": "http://c.org:8000",
    }


@pytest.mark.parametrize(
    "name", ["", "*", "a b", "ftp://x", "https://x/path", "x:port", "-x", "https://", "user@x", "x\n"]
)
def test_what_is_no_host_name_is_refused(name):
    with pytest.raises(ConfigError, match="Cannot allow"):
        origins("127.0.0.1", 8000, [name])


def test_behind_an_https_proxy_the_cookie_is_for_https_only(project, sessions):
    app = make_app(Desk(project), sessions, ["https://labels.example.org"])
    with TestClient(app, base_url="http://labels.example.org", follow_redirects=False) as client:
        code = sessions.link("https://labels.example.org", "anna").partition("code=")[2]
        assert (
            client.post("/enter", data={"code": code}, headers={"origin": "http://labels.example.org"}).status_code
            == 403
        )
        reply = client.post("/enter", data={"code": code}, headers={"origin": "https://labels.example.org"})
        assert reply.status_code == 303
        assert "Secure" in reply.headers["set-cookie"]
        assert client.get("/login", headers={"host": "127.0.0.1:8000"}).status_code == 400


def test_interfaces_without_a_plain_address_are_left_out(monkeypatch):
    class Address:
        def __init__(self, family, address):
            self.family, self.address = family, address

    import socket

    found = [Address(socket.AF_INET, "10.0.0.2"), Address(socket.AF_INET6, "fe80::1%eth0"), Address(17, "00:11:22")]
    monkeypatch.setattr(addresses.psutil, "net_if_addrs", lambda: {"eth0": found})
    assert origins("0.0.0.0", 8000, [])[3:] == ["http://10.0.0.2:8000"]
