"""Serves a project on this machine until Ctrl-C."""

import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import uvicorn

from budgetal.desk import Desk
from budgetal.errors import ConfigError
from budgetal.project import Project
from budgetal.web.app import make_app
from budgetal.web.roles import Role
from budgetal.web.secret import installation_secret
from budgetal.web.sessions import Sessions, check_name
from budgetal.web.supervisor import Supervisor

LOOPBACK = ("127.0.0.1", "localhost", "::1")
ENDS_WITHIN_S = 2


def serve_project(
    folder: Path, host: str, port: int, annotator: str, *, with_learner: bool, on_ready: Callable[[str], None]
) -> None:
    """Serve `folder`; `on_ready` is told its owner's one-use link. Raises ConfigError for an unusable address."""
    _refuse_other_machines(host)
    with ExitStack() as stack:
        listening = stack.enter_context(_listen(host, port))
        project = Project.open(folder)
        stack.callback(project.close)
        sessions = Sessions(folder, installation_secret(), project.logbook)
        port = listening.getsockname()[1]
        app = make_app(Desk(project), sessions, _hosts(port))
        config = uvicorn.Config(
            app, access_log=False, log_level="warning", server_header=False, timeout_graceful_shutdown=ENDS_WITHIN_S
        )
        server = uvicorn.Server(config)
        app.state.site.watcher.is_closing = lambda: server.should_exit
        if with_learner:
            stack.enter_context(Supervisor(folder))
        on_ready(sessions.link(f"{_shown(host)}:{port}", check_name(annotator), Role.OWNER))
        server.run(sockets=[listening])


def _refuse_other_machines(host: str) -> None:
    if host not in LOOPBACK:
        raise ConfigError(
            f"Cannot serve on {host!r}: other machines may come in only with accounts, which do not exist yet. "
            "Leave --host out, and let others in through an SSH tunnel: ssh -L 8000:127.0.0.1:8000 this-machine"
        )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server(("127.0.0.1" if host == "localhost" else host, port), family=family)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"Cannot serve on port {port} ({reason}): choose another with --port") from None


def _hosts(port: int) -> list[str]:
    return [f"{_shown(host)}:{port}" for host in LOOPBACK]


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
