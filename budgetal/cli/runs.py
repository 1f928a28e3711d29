"""Commands that drive a project to its end: demo, simulate, run."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from budgetal.annotators.oracle import Oracle
from budgetal.cli import options
from budgetal.cli.app import app, progress_console
from budgetal.cli.console import Display
from budgetal.cli.serve import serve_folder
from budgetal.cli.settings import SETTINGS, with_settings
from budgetal.data.labels import read_labels
from budgetal.errors import DataError
from budgetal.project import Project
from budgetal.report.sentences import result_in_three_lines
from budgetal.setup import is_set_up
from budgetal.simulate import run as drive
from budgetal.simulate import simulate as run_simulation

NOT_PLAYED = ("test_images", "budget_money", *(name for name in SETTINGS if name.startswith("cost_")))
DEMO_SETTINGS: dict[str, Any] = {"budget": 150, "tolerance": 0.05}


@app.command(epilog="Example: budgetal demo --out runs/demo")
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("runs/demo"),
    seed: options.Seed = 0,
    serve: Annotated[bool, typer.Option("--serve", help="Label them yourself, in the browser.")] = False,
    as_json: options.AsJson = False,
) -> None:
    """Label scikit-learn's 1,797 handwritten digits with 150 simulated human labels, or your own."""
    if serve:
        _serve_digits(out, seed)
        return
    _simulate("digits", out, as_json, seed=seed, **DEMO_SETTINGS)
    if not as_json:
        typer.echo(f"Open the report: python3 -m webbrowser {(out / 'report.html').resolve().as_uri()}")


@app.command(epilog="Example: budgetal simulate --dataset digits --budget 150 --out runs/digits")
@with_settings(name for name in SETTINGS if name not in NOT_PLAYED)
def simulate(
    dataset: Annotated[
        str, typer.Option(help="Labelled images: a folder (with train/ and test/), a manifest, a name.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the project and its report.json.")],
    budget: options.Budget,
    *,
    settings: dict[str, Any],
    gold: options.Gold = None,
    noise: Annotated[float, typer.Option(help="Share of wrong answers by the simulated people, 0 to 1.")] = 0.0,
    annotators: Annotated[int, typer.Option(help="Simulated people, some better than others.", min=1)] = 1,
    as_json: options.AsJson = False,
) -> None:
    """Run the whole loop on a labelled data set, with people played by its labels."""
    _simulate(dataset, out, as_json, budget=budget, gold=gold, noise=noise, n_annotators=annotators, **settings)


@app.command(epilog="Example: budgetal run runs/birds --oracle labels.csv")
def run(
    folder: options.ProjectFolder,
    oracle: Annotated[Path, typer.Option(help="CSV or Parquet of labels: path (or sample_id), label.")],
    as_json: options.AsJson = False,
) -> None:
    """Drive a project to its end with a label file as the annotator; goes on where it was stopped."""
    display = Display(progress_console)
    with display.running():
        project = Project.open(folder)
        project.on_progress = display.on_progress
        drive(project, Oracle(_by_sample_id(project, read_labels(oracle))), display.on_round)
        summary = project.write_outputs()
    _print_result(summary, as_json)


def _serve_digits(out: Path, seed: int) -> None:
    if not is_set_up(out):
        Project.create(out, images="digits", seed=seed, **DEMO_SETTINGS).close()
    serve_folder(out, 8000, "127.0.0.1", "human", with_learner=True)


def _simulate(dataset: str, out: Path, as_json: bool, **settings: Any) -> None:
    display = Display(progress_console)
    with display.running():
        summary = run_simulation(dataset, out, on_progress=display.on_progress, on_round=display.on_round, **settings)
    _print_result(summary, as_json)


def _print_result(summary: dict[str, Any], as_json: bool) -> None:
    text = json.dumps(summary) if as_json else "\n".join(result_in_three_lines(summary))
    typer.echo(text)


def _by_sample_id(project: Project, labels: dict[str, str]) -> dict[str, str]:
    """Labels keyed by id or by any path of a sample, as one table by id."""
    found: dict[str, str] = {}
    for sample in project.samples:
        key = next((name for name in (sample.sample_id, *sample.paths) if name in labels), None)
        if key is not None:
            found[sample.sample_id] = labels[key]
    if not found:
        raise DataError("The label file names no image of this project: its paths must be those of labels.csv")
    return found
