"""The command that says what the next labels would buy."""

import json
from typing import Annotated

import typer

from budgetal.cli import options
from budgetal.cli.app import app
from budgetal.project import Project
from budgetal.report.outlook import forecast_lines

TargetCoverage = Annotated[
    float | None, typer.Option("--coverage", help="Say what it takes to label this share, 0 to 1.")
]
TargetAccuracy = Annotated[
    float | None, typer.Option("--accuracy", help="Say what it takes for this accuracy, 0 to 1.")
]


@app.command(epilog="Example: budgetal plan runs/birds --coverage 0.9")
def plan(
    folder: options.ProjectFolder,
    coverage: TargetCoverage = None,
    accuracy: TargetAccuracy = None,
    as_json: options.AsJson = False,
) -> None:
    """Say what the next labels would buy and cost, what a target takes, and whether to stop."""
    project = Project.open(folder)
    forecast = project.forecast(coverage, accuracy)
    typer.echo(json.dumps(forecast) if as_json else "\n".join(forecast_lines(forecast)))
