"""The command that makes images up."""

import json
from pathlib import Path
from typing import Annotated

import typer

from budgetal import synthesising
from budgetal.cli import options
from budgetal.cli.app import app
from budgetal.engine.exported import load_model_of
from budgetal.project import Project


@app.command(epilog="Example: budgetal synthesise runs/digits --n 20 --out runs/mixtures")
def synthesise(
    folder: options.ProjectFolder,
    out: Annotated[Path, typer.Option(help="New folder for the PNG files and their manifest.")],
    n: Annotated[int, typer.Option(help="Number of mixtures.")] = 20,
    seed: options.Seed = 0,
    as_json: options.AsJson = False,
) -> None:
    """Mix pairs of a project's grey-scale images where the model is torn between their classes."""
    project = Project.open(folder)
    model, samples = load_model_of(folder), project.samples
    summary = synthesising.synthesise(model, samples, project.workspace.collection.pixels, n, out, seed)
    typer.echo(json.dumps(summary) if as_json else f"{n:,} mixtures to label, described in {summary['manifest']}")
