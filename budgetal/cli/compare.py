"""The command that compares: many simulated runs, and one page of what they say."""

import json
from pathlib import Path
from typing import Annotated

import typer

from budgetal.cli import options
from budgetal.cli.app import app, progress_console
from budgetal.cli.comparing import Board
from budgetal.compare.config import load_comparison
from budgetal.compare.figures import read_finished
from budgetal.compare.page import PAGE, write_results
from budgetal.compare.runner import Runner

Seeds = Annotated[int | None, typer.Option(help="So many seeds in place of the file's.", min=1)]


@app.command(epilog="Example: budgetal compare examples/compare.toml --out runs/compare --jobs 2")
def compare(
    config: Annotated[Path, typer.Argument(help="TOML file: data, settings, and the axes along which runs differ.")],
    out: Annotated[Path, typer.Option(help="Folder for runs and results; an interrupted comparison goes on there.")],
    jobs: Annotated[int, typer.Option(help="Runs at a time, each a process.", min=1)] = 1,
    seeds: Seeds = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the project folder of every run.")] = False,
    as_json: options.AsJson = False,
) -> None:
    """Compare strategies, networks or any settings over several seeds, people played by the labels."""
    comparison = load_comparison(config, seeds)
    runner = Runner(comparison, out, jobs, keep=keep)
    runner.prepare()
    try:
        with Board(progress_console, comparison).running() as board:
            runner.go(board.show)
    finally:
        # What has ended is worth seeing, whatever became of the others.
        finished = read_finished(comparison, {run: runner.result_of(run) for run in runner.runs})
        found = write_results(finished, out)
    typer.echo(
        json.dumps(found) if as_json else f"Open the results: python3 -m webbrowser {(out / PAGE).resolve().as_uri()}"
    )
