"""Serves a project until Ctrl-C."""

import socket
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import uvicorn
from fastapi import FastAPI

from budgetal.desk import Desk
from budgetal.errors import ConfigError
from budgetal.leasing import DURATION_S
from budgetal.logbook import Logbook
from budgetal.project import Project
from budgetal.setup import is_set_up
from budgetal.web.addresses import is_loopback, origins, shown
from budgetal.web.app import make_app, make_start_app
from budgetal.web.members import Members
from budgetal.web.names import check_name
from budgetal.web.roles import Role
from budgetal.web.roots import Roots
from budgetal.web.secret import installation_secret
from budgetal.web.sessions import Sessions
from budgetal.web.starting import Starting
from budgetal.web.supervisor import Supervisor

ENDS_WITHIN_S = 2
READY_FOR_S = 1.5


def serve_project(
    folder: Path,
    host: str,
    port: int,
    annotator: str,
    *,
    with_learner: bool,
    on_ready: Callable[[str], None],
    allowed: Sequence[str] = (),
    roots: Sequence[Path] = (),
    lease_s: float = DURATION_S,
) -> None:
    """Serve `folder`; `on_ready` is told its owner's one-use link. Raises ConfigError for an unusable address.

    lease_s: how long an image stays in one page's hands that does not renew it.
    allowed: further names under which people open it.
    roots: where images may be chosen in the browser, if there is no project in the folder yet.
    """
    if not is_loopback(host):
        _refuse_without_accounts(folder, host)
    with ExitStack() as stack:
        listening = stack.enter_context(_listen(host, port))
        found_at = origins(host, listening.getsockname()[1], allowed)
        if roots and not is_set_up(folder):
            if not _start(folder, Roots(roots), listening, found_at, check_name(annotator), on_ready):
                return
            on_ready = _quiet
        project = Project.open(folder)
        stack.callback(project.close)
        sessions = Sessions(folder, installation_secret(), project.logbook)
        app = make_app(Desk(project, lease_s=lease_s), sessions, found_at)
        server = _server(app)
        app.state.site.watcher.is_closing = lambda: server.should_exit
        if with_learner:
            stack.enter_context(Supervisor(folder))
        on_ready(sessions.link(_address(host, found_at), check_name(annotator), Role.OWNER))
        server.run(sockets=[listening])


def _start(
    folder: Path,
    roots: Roots,
    listening: socket.socket,
    found_at: Sequence[str],
    annotator: str,
    on_ready: Callable[[str], None],
) -> bool:
    """Serve the page that makes the project until it is made; False when the server was ended before."""
    with TemporaryDirectory() as place:
        # There is no journal yet that could remember which links were used.
        logbook = Logbook(Path(place), create=True)
        sessions = Sessions(folder, installation_secret(), logbook)
        starting = Starting(folder, roots)
        server = _server(make_start_app(starting, sessions, found_at))
        starting.on_ready = lambda: _end(server)
        link = sessions.link(found_at[0], annotator, Role.OWNER)
        on_ready(link)
        # Closed with the first server; those who come meanwhile wait at the other.
        server.run(sockets=[listening.dup()])
        starting.wait()
        logbook.close()
    if starting.progress.is_ready:
        _use_up(link, folder)
    return starting.progress.is_ready


def _end(server: uvicorn.Server) -> None:
    # The page asks once more how far it is, and learns that it is ready.
    time.sleep(READY_FOR_S)
    server.should_exit = True


def _use_up(link: str, folder: Path) -> None:
    """The link has let somebody in, who has a cookie for the project: it does not work a second time."""
    logbook = Logbook(folder)
    Sessions(folder, installation_secret(), logbook).use_code(link.partition("code=")[2])
    logbook.close()


def _quiet(_link: str) -> None:
    """Whoever made the project is in already."""


def _server(app: FastAPI) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        access_log=False,
        log_level="warning",
        server_header=False,
        # Whoever asks could name any address in these, and so try to log in without end.
        proxy_headers=False,
        timeout_graceful_shutdown=ENDS_WITHIN_S,
    )
    return uvicorn.Server(config)


def _refuse_without_accounts(folder: Path, host: str) -> None:
    logbook = Logbook(folder) if is_set_up(folder) else None
    has_owner = logbook is not None and Members(logbook).has_owner()
    if logbook is not None:
        logbook.close()
    if not has_owner:
        raise ConfigError(
            f"Cannot serve on {host!r} without accounts: serve here first, make an owner's account with the link that "
            "`budgetal invite FOLDER --role owner` prints, and start again; or use a tunnel: "
            "ssh -L 8000:127.0.0.1:8000 this-machine"
        )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server(("127.0.0.1" if host == "localhost" else host, port), family=family)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"Cannot serve on port {port} ({reason}): choose another with --port") from None
    # Inherited by every connection, which asyncio leaves out for sockets that it did not make: replies went out 40 ms
    # late, as headers and body are two packets and the second waited until the first was acknowledged.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _address(host: str, found_at: Sequence[str]) -> str:
    """The one of `found_at` that is `host`; the first where it stands for every address."""
    return next((origin for origin in found_at if f"://{shown(host)}:" in origin), found_at[0])
