"""Commands about one project: init, status, export, predict."""

import csv
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from budgetal.annotators.no_guarantee import LABELLERS
from budgetal.answers import none_of_these
from budgetal.cells import escape_cell
from budgetal.class_coverage import unseen
from budgetal.cli import options
from budgetal.cli.app import app, progress_console
from budgetal.cli.console import COLUMNS, Display, cells_of
from budgetal.cli.settings import with_settings
from budgetal.consensus import people_table
from budgetal.data.sources import load_collection
from budgetal.engine.saved import Judged, load_model
from budgetal.errors import ProjectError
from budgetal.export.labels import export_labels
from budgetal.project import Project
from budgetal.report.people_rows import people_line
from budgetal.report.sentences import each_class, of_all_labels, without_guarantee
from budgetal.results import summarise
from budgetal.state import State
from budgetal.types import Provenance


@app.command(epilog="Example: budgetal init runs/birds --images birds/ --classes owl,crow --budget 500")
@with_settings()
def init(
    folder: Annotated[Path, typer.Argument(help="The new project's folder.")],
    images: Annotated[str, typer.Option(help="Folder, manifest, .npy folder or data set name.")],
    budget: options.Budget,
    classes: Annotated[str, typer.Option(help="Class names, comma-separated; default: the labels found.")] = "",
    given_labels: Annotated[bool, typer.Option(help="Count labels that come with the images as given.")] = False,
    gold: options.Gold = None,
    *,
    settings: dict[str, Any],
) -> None:
    """Make a project: read the images, set a budget and a tolerance."""
    names = tuple(name.strip() for name in classes.split(",") if name.strip())
    display = Display(progress_console)
    with display.running():
        project = Project.create(
            folder,
            images=images,
            budget=budget,
            use_given_labels=given_labels,
            gold=gold,
            on_progress=display.on_progress,
            classes=names,
            **settings,
        )
    state = project.state
    typer.echo(
        f"{state.n_samples:,} images, {len(project.config.classes)} classes, {state.n_quarantined} files set aside. "
        f"Of {budget:,} labels, {project.plan.audit + project.plan.last_audit:,} are for the audit."
    )
    if state.gold:
        typer.echo(f"{len(state.gold):,} gold images, {project.config.gold_per_query} in each later query.")
    typer.echo(f"Next: budgetal run {folder} --oracle labels.csv")


@app.command(epilog="Example: budgetal status runs/demo")
def status(folder: options.ProjectFolder, as_json: options.AsJson = False) -> None:
    """Where a project stands: budget, rounds, coverage, certificate."""
    project = Project.open(folder)
    after = project.after_review()
    summary = summarise(project.state, (), n_reviewed=project.n_reviewed(), review=after)
    if as_json:
        typer.echo(json.dumps(summary))
        return
    state = project.state
    typer.echo(f"{state.n_samples:,} images; {state.n_paid:,} of {project.config.budget:,} labels spent")
    for record in state.rounds:
        typer.echo("  ".join(f"{name} {cell}" for name, cell in zip(COLUMNS, cells_of(record), strict=True)))
    if state.felt_fallback is not None:
        typer.echo(f"Queries are random since round {state.felt_fallback}: {project.config.strategy!r} did worse.")
    for line in _promised(state):
        typer.echo(line)
    if after is not None:
        typer.echo(after.sentence())
    for row in people_table(state):
        typer.echo(people_line(cast(Any, row)))
    for line in _of_classes(state):
        typer.echo(line)
    typer.echo(f"Ended: {state.stop_reason}" if state.finished else f"{len(state.open_items)} images wait for labels")


def _promised(state: State) -> Iterator[str]:
    """What is promised of the automatic labels, of each class too where it has a threshold of its own."""
    certificate, config = state.certificate, state.settings
    if config.auto_labeller in LABELLERS:
        n_auto = state.auto.n if state.auto else 0
        yield f"{n_auto:,} automatic labels. {without_guarantee(config.auto_labeller)}."
    elif certificate is None:
        yield "No automatic label is certified yet."
    else:
        yield (
            f"{certificate.n_auto:,} automatic labels, at most {certificate.upper_bound:.2%} wrong with "
            f"{1 - config.risk:.0%} confidence ({certificate.errors} errors in {certificate.n_audit} audit labels)"
        )
        if certificate.class_thresholds is not None:
            yield each_class(certificate.class_thresholds, certificate.tolerance)
        if certificate.n_all is not None:
            yield of_all_labels(asdict(certificate))


def _of_classes(state: State) -> Iterator[str]:
    """Classes that nobody has seen yet, and images that are none of them."""
    if state.rounds:
        for where, names in zip(("training", "the audit"), unseen(state), strict=True):
            if names:
                yield f"Never seen in {where}: {', '.join(names)}"
    strange = len(none_of_these(state, state.labels))
    if strange:
        yield f"{strange:,} labelled images are none of the classes"


@app.command(epilog="Example: budgetal export runs/demo --format csv --out labels.csv")
def export(
    folder: options.ProjectFolder,
    out: Annotated[Path, typer.Option(help="File (or folder, for imagefolder) to write.")],
    format: Annotated[str, typer.Option(help="csv, jsonl, parquet or imagefolder.")] = "csv",
) -> None:
    """Write every label with its provenance."""
    project = Project.open(folder)
    export_labels(project.label_rows(), format, out, resolve=project.workspace.file_of)
    typer.echo(f"Wrote {out}")


@app.command(epilog="Example: budgetal predict runs/demo images/ > predictions.csv")
def predict(
    folder: options.ProjectFolder,
    images: Annotated[str, typer.Argument(help="Folder, manifest, .npy folder or data set name.")],
    as_json: options.AsJson = False,
) -> None:
    """Label new images with a project's model, as CSV on stdout; possible outliers are said to be such."""
    if not (folder / "model").is_dir():
        raise ProjectError(f"{folder} has no model yet: run it to its end first")
    model = load_model(folder / "model")
    collection = load_collection(images, side=model.side, labelled=False)
    rows: list[dict[str, Any]] = []
    for sample, judged in zip(collection.samples, model.judge(collection.pixels), strict=True):
        rows += [{"path": path, **_judged(judged)} for path in sample.paths]
    strange = sum(row["provenance"] == "possible outlier" for row in rows)
    if strange:
        typer.echo(f"{strange:,} of {len(rows):,} images may be none of the classes: possible outliers", err=True)
    if as_json:
        typer.echo(json.dumps(rows))
        return
    columns = ["path", "label", "confidence", "provenance", "outlier_score"]
    writer = csv.DictWriter(sys.stdout, fieldnames=columns)
    writer.writeheader()
    writer.writerows({**row, "path": escape_cell(row["path"]), "label": escape_cell(row["label"])} for row in rows)


def _judged(judged: Judged) -> dict[str, Any]:
    """The cells of one image, in the words of labels.csv."""
    provenance: Provenance = "possible outlier" if judged.possible_outlier else "predicted"
    score = None if judged.outlier_score is None else round(judged.outlier_score, 6)
    confidence = round(judged.confidence, 6)
    return {"label": judged.label, "confidence": confidence, "provenance": provenance, "outlier_score": score}
