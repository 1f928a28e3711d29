"""The commands for people who label: the web server, and what lets somebody in."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from budgetal.cli import options
from budgetal.cli.app import app

Annotator = Annotated[str, typer.Option(help="Whose answers these are.")]
Port = Annotated[int, typer.Option(help="Port; 0 takes a free one.")]
Host = Annotated[str, typer.Option(help="Address to listen on; others than this machine's own need accounts.")]
Allowed = Annotated[
    list[str],
    typer.Option(help="A further name under which people open it: labels.example.org, https://labels.example.org"),
]
NoLearner = Annotated[bool, typer.Option("--no-learner", help="Leave training to `budgetal work`.")]

Root = Annotated[
    list[Path] | None, typer.Option(help="Make the project in the browser, of images below this folder; repeatable.")
]


@app.command(epilog="Example: budgetal serve runs/birds")
def serve(
    folder: options.ProjectFolder,
    port: Port = 8000,
    host: Host = "127.0.0.1",
    allowed: Allowed = [],  # noqa: B006
    no_learner: NoLearner = False,
    annotator: Annotator = "human",
    root: Root = None,
    lease_s: Annotated[float, typer.Option(min=1, help="Seconds that an image stays with a page that is gone.")] = 60,
) -> None:
    """Label and watch in the browser; prints a link that lets one browser in."""
    serve_folder(
        folder, port, host, annotator, allowed=allowed, with_learner=not no_learner, roots=root or [], lease_s=lease_s
    )


@app.command(epilog="Example: budgetal token runs/birds --annotator anna")
def token(
    folder: options.ProjectFolder,
    annotator: Annotator = "human",
    role: Annotated[str, typer.Option(help="What it may do: annotator, reviewer or owner.")] = "annotator",
    link: Annotated[int | None, typer.Option(help="Print a one-use link for a browser, at this port.")] = None,
) -> None:
    """Print a token for programs that use the HTTP API, or a link for another browser."""
    from budgetal.project import Project
    from budgetal.web.names import check_name
    from budgetal.web.roles import role_named
    from budgetal.web.secret import installation_secret
    from budgetal.web.sessions import Sessions

    project = Project.open(folder)
    sessions = Sessions(folder, installation_secret(), project.logbook)
    name, may = check_name(annotator), role_named(role)
    typer.echo(sessions.token(name, may) if link is None else sessions.link(f"http://127.0.0.1:{link}", name, may))


@app.command(epilog="Example: budgetal invite runs/birds --name anna")
def invite(
    folder: options.ProjectFolder,
    role: Annotated[str, typer.Option(help="What they may do: annotator, reviewer or owner.")] = "annotator",
    name: Annotated[
        str, typer.Option(help="Their name; left out, they choose it. An account gets a new password.")
    ] = "",
    at: Annotated[str, typer.Option(help="Where they reach the server.")] = "http://127.0.0.1:8000",
) -> None:
    """Print a link that lets somebody make an account, once, within a week."""
    from budgetal.project import Project
    from budgetal.web.members import Members
    from budgetal.web.roles import role_named

    members = Members(Project.open(folder).logbook)
    code = members.invite(role_named(role), name, "the command line")
    typer.echo(f"{at.rstrip('/')}/join?code={code}")


def serve_folder(
    folder: Path,
    port: int,
    host: str,
    annotator: str,
    *,
    with_learner: bool,
    allowed: Sequence[str] = (),
    roots: Sequence[Path] = (),
    lease_s: float = 60,
) -> None:
    """Serve until Ctrl-C, saying where."""
    # The web's libraries take half a second, which no other command needs.
    from budgetal.web import serve_project

    def say(link: str) -> None:
        typer.echo(f"Open {link}\nThe link works once, within a day. Ctrl-C ends the server; nothing is lost.")
        # At once, also into a pipe: somebody waits for it.
        sys.stdout.flush()

    serve_project(
        folder,
        host,
        port,
        annotator,
        allowed=allowed,
        with_learner=with_learner,
        on_ready=say,
        roots=roots,
        lease_s=lease_s,
    )
