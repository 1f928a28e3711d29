"""The command that lists the classes, and adds, renames and merges them while a project runs."""

import json
from dataclasses import asdict
from typing import Annotated, Literal

import typer

from budgetal.cli import options
from budgetal.cli.app import app
from budgetal.errors import ConfigError
from budgetal.project import Project
from budgetal.steering import Steering

DONE = {
    "add": "Added {0!r}. The next model knows it.",
    "rename": "Renamed {0!r} to {1!r}. Labels, model and certificate stay as they are.",
    "merge": "Merged {0!r} into {1!r}. The next model knows it.",
}
WITHDRAWN = "Automatic labels and certificate are withdrawn until it is fitted and judged."


@app.command(epilog="Example: budgetal classes runs/birds merge raven crow")
def classes(
    folder: options.ProjectFolder,
    change: Annotated[
        Literal["list", "add", "rename", "merge"], typer.Argument(help="What to do.", show_default=True)
    ] = "list",
    names: Annotated[
        list[str] | None, typer.Argument(help="add: the new class. rename: old, new. merge: which, into which.")
    ] = None,
    ask_again: Annotated[
        bool, typer.Option("--ask-again", help="Have images answered `none of these` asked again, for a new class.")
    ] = False,
    annotator: Annotated[str, typer.Option(help="Who changes them.")] = "human",
    as_json: options.AsJson = False,
) -> None:
    """List the classes, or add, rename or merge them; labels given so far follow."""
    steering = Steering(Project.open(folder))
    if change == "list":
        _list(steering, names or [], as_json=as_json)
        return
    n = steering.change_classes(change, names or [], annotator, ask_again=ask_again)
    if as_json:
        _list(steering, [], as_json=True)
        return
    typer.echo(DONE[change].format(*(names or [])) + (f" {WITHDRAWN}" if change != "rename" else ""))
    if ask_again:
        typer.echo(f"{n:,} images that were none of the classes are asked again.")


def _list(steering: Steering, names: list[str], *, as_json: bool) -> None:
    if names:
        raise ConfigError(f"Cannot tell what to do with {names[0]!r}: say add, rename or merge before it")
    rows = steering.classes()
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in rows]))
        return
    for row in rows:
        typer.echo(f"{row.name}: {row.n:,} labels by people")
