"""The command that lists automatic labels for people to check, and takes in what they say."""

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from budgetal.cells import escape_cell
from budgetal.cli import options
from budgetal.cli.app import app
from budgetal.data.labels import read_labels
from budgetal.errors import DataError
from budgetal.files import write_atomic
from budgetal.project import Project
from budgetal.review_pages import Checked, Wanted
from budgetal.reviewing import Reviewing
from budgetal.types import Annotation, Sample

COLUMNS = ("path", "label", "confidence", "neighbours", "sample_id", "provenance")


@app.command(epilog="Example: budgetal review runs/birds --n 50 --out risky.csv")
def review(
    folder: options.ProjectFolder,
    n: Annotated[int, typer.Option(help="How many automatic labels to list.", min=1)] = 100,
    order: Annotated[
        Literal["risk", "disagreement"], typer.Option(help="Least confident first, or least like labelled neighbours.")
    ] = "risk",
    label: Annotated[str | None, typer.Option(help="Only automatic labels of this class.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where to write the list; default: stdout.")] = None,
    labels: Annotated[Path | None, typer.Option(help="Take in this table of checked labels instead.")] = None,
    annotator: Annotated[str, typer.Option(help="Who checked them.")] = "human",
    as_json: options.AsJson = False,
) -> None:
    """List the automatic labels to check first, as CSV; with --labels take in what people made of them."""
    project = Project.open(folder)
    reviewing = Reviewing(project)
    if labels is not None:
        said = _said(read_labels(labels), project.samples, annotator)
        reviewing.review(said)
        _report(project, len(said), as_json=as_json)
        return
    page = reviewing.page(Wanted(order, label), n, annotator)
    samples = {sample.sample_id: sample for sample in project.samples}
    rows = [_row(item, samples[item.sample_id]) for item in page.items]
    text = json.dumps(rows) + "\n" if as_json else _table(rows)
    if out is None:
        typer.echo(text, nl=False)
        return
    write_atomic(out, text.encode())
    typer.echo(f"Wrote {len(rows):,} labels to {out}: correct them there, then give the file back with --labels")


def _row(item: Checked, sample: Sample) -> dict[str, Any]:
    cells = sample.paths[0], item.automatic, round(item.score, 6), item.nearest, item.sample_id, "auto"
    return dict(zip(COLUMNS, cells, strict=True))


def _table(rows: list[dict[str, Any]]) -> str:
    sink = io.StringIO()
    writer = csv.DictWriter(sink, fieldnames=COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({**row, "path": escape_cell(row["path"]), "label": escape_cell(row["label"])} for row in rows)
    return sink.getvalue()


def _said(labels: Mapping[str, str], samples: tuple[Sample, ...], annotator: str) -> list[Annotation]:
    ids = {path: sample.sample_id for sample in samples for path in sample.paths}
    known = set(ids.values())
    strange = [key for key in labels if key not in ids and key not in known]
    if strange:
        raise DataError(
            f"There is no image {strange[0]!r} in this project: keep the column sample_id or path as listed"
        )
    return [Annotation(ids.get(key, key), label, annotator) for key, label in labels.items()]


def _report(project: Project, n: int, *, as_json: bool) -> None:
    after = project.after_review()
    if as_json:
        typer.echo(json.dumps({"n": n, "certificate_after_review": asdict(after) if after else None}))
        return
    typer.echo(f"{n:,} labels reviewed.")
    if after is not None:
        typer.echo(after.sentence())
