"""Commands that say what there is: strategies, backbones, doctor."""

import json
from dataclasses import asdict

import typer
from rich.console import Console
from rich.table import Table

from budgetal.cli import options
from budgetal.cli.app import app
from budgetal.machine import Finding, examine
from budgetal.models.backbones import list_backbones
from budgetal.query.needs import SUPPLIES
from budgetal.query.strategy import list_strategies


@app.command(epilog="Example: budgetal strategies")
def strategies(as_json: options.AsJson = False) -> None:
    """List the query strategies: what each does, needs and costs, and its source."""
    found = list_strategies()
    if as_json:
        fields = ("name", "summary", "needs", "cost", "source")
        typer.echo(json.dumps([{name: getattr(item, name) for name in fields} for item in found]))
        return
    for item in found:
        needs = ", ".join(SUPPLIES[need].words for need in item.needs) or "nothing"
        typer.echo(f"{item.name}\n    {item.summary}\n    needs {needs}; {item.cost}; {item.source}")


@app.command(epilog="Example: budgetal backbones --json")
def backbones(as_json: options.AsJson = False) -> None:
    """List the networks: source, parameters, input size, whether published weights exist."""
    found = list_backbones()
    if as_json:
        typer.echo(json.dumps([asdict(item) for item in found]))
        return
    table = _table("name", "source", "parameters", "input", "weights")
    for item in found:
        millions = "–" if item.parameters is None else f"{item.parameters / 1e6:.1f} M"
        weights = "yes" if item.has_weights else "no published weights"
        table.add_row(item.name, item.source, millions, f"{item.input_size} px", weights)
    Console().print(table)
    Console(stderr=True).print("and any network of timm as timm:NAME (pip install 'budgetal\\[timm]')")


@app.command(epilog="Example: budgetal doctor")
def doctor(as_json: options.AsJson = False) -> None:
    """Say what this machine can do, and what would make it faster or safer."""
    findings = examine()
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings]))
        return
    table = _table("", "what", "found", "what follows")
    for finding in findings:
        table.add_row(_mark(finding), finding.what, finding.value, finding.advice)
    Console().print(table)


def _mark(finding: Finding) -> str:
    return "✓" if finding.good else "!"


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in columns:
        table.add_column(name, overflow="fold")
    return table
