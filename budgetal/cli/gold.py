"""The command that takes gold images while a project runs."""

from pathlib import Path
from typing import Annotated

import typer

from budgetal.cli import options
from budgetal.cli.app import app
from budgetal.project import Project


@app.command(epilog="Example: budgetal gold runs/birds gold.csv")
def gold(
    folder: options.ProjectFolder,
    table: Annotated[Path, typer.Argument(help="CSV or Parquet of their truth: path (or sample_id), label.")],
    annotator: Annotated[str, typer.Option(help="Who gives it.")] = "gold",
) -> None:
    """Take more gold images, or correct some: their labels are true, and people are tested with them."""
    project = Project.open(folder)
    n = project.add_gold(table, annotator)
    asked = project.config.gold_per_query
    more = f"{asked} in each later query." if asked else "Nobody is asked about them while gold_per_query is 0."
    typer.echo(f"{n:,} gold images taken, {len(project.state.gold):,} in all. {more}")
