"""What `serve` and `token` refuse, in one line each, and what they print."""

import socket

import pytest
from collections_made import write_npy

from budgetal.cli import exit_code
from budgetal.project import Project


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    images = write_npy(tmp_path / "images", 90)
    Project.create(tmp_path / "p", images=str(images), budget=60, audit=30, tolerance=0.2, risk=0.2).close()
    return tmp_path / "p"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "::", "example.org"])
def test_other_machines_are_kept_out(folder, capsys, host):
    assert exit_code(["serve", str(folder), "--host", host]) == 2
    assert f"Cannot serve on {host!r} without accounts" in capsys.readouterr().err


def test_a_port_in_use_is_refused(folder, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert exit_code(["serve", str(folder), "--port", str(taken.getsockname()[1])]) == 2
    assert "choose another with --port" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["-1", "70000"])
def test_a_port_that_is_none_is_refused(folder, capsys, port):
    assert exit_code(["serve", str(folder), "--port", port]) == 2
    assert "--port" in capsys.readouterr().err


def test_a_folder_without_a_project_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert exit_code(["serve", str(tmp_path), "--port", "0"]) == 2
    assert exit_code(["work", str(tmp_path)]) == 2
    assert "no journal" in capsys.readouterr().err


def test_a_token_and_a_link_are_printed(folder, capsys):
    assert exit_code(["token", str(folder), "--annotator", "anna"]) == 0
    assert exit_code(["token", str(folder), "--link", "8123"]) == 0
    token, link = capsys.readouterr().out.split()
    assert len(token) > 40
    assert link.startswith("http://127.0.0.1:8123/enter?code=")
    assert exit_code(["token", str(folder), "--annotator", "a/b"]) == 2
