"""The command that reads images as a stream."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from budgetal.cli import options
from budgetal.cli.app import app, progress_console
from budgetal.cli.console import Display
from budgetal.engine.exported import load_model_of
from budgetal.query.stream import StreamSettings
from budgetal.streaming import StreamJob, run_stream


@app.command(epilog="Example: budgetal stream runs/birds camera/ --rate 0.05 --out runs/camera")
def stream(
    folder: Annotated[Path, typer.Argument(help="A project's folder, or the folder of a model.")],
    source: Annotated[str, typer.Argument(help="Folder or manifest of images, read in the order of paths.")],
    out: Annotated[Path, typer.Option(help="Folder for the decisions; a stopped stream goes on there.")],
    policy: Annotated[
        str,
        typer.Option(
            help="balanced_uncertainty, fixed_uncertainty, random, randomised_variable_uncertainty, "
            "variable_uncertainty or variance."
        ),
    ] = "balanced_uncertainty",
    rate: Annotated[float, typer.Option(help="Most labels, as a share of the images seen, above 0 to 1.")] = 0.1,
    budget: Annotated[int | None, typer.Option(help="Most labels in all.")] = None,
    threshold: Annotated[float | None, typer.Option(help="fixed_uncertainty asks above this, 0 to 1.")] = None,
    member: Annotated[
        list[Path] | None, typer.Option(help="One more project or model of the same classes; may be repeated.")
    ] = None,
    chunk: Annotated[int, typer.Option(help="Images read at a time, and compared by `variance`.")] = 256,
    copy: Annotated[bool, typer.Option("--copy", help="Copy the images to label into OUT/to_label.")] = False,
    seed: options.Seed = 0,
    as_json: options.AsJson = False,
) -> None:
    """Offer images one after the other and say which are worth a label, within a rate of spending."""
    settings = StreamSettings(policy, rate, most=budget, threshold=threshold, seed=seed)
    models = tuple(load_model_of(place) for place in (folder, *(member or ())))
    display = Display(progress_console)
    with display.running():
        summary = run_stream(StreamJob(models, source, out, settings, chunk, copy), display.on_progress)
    typer.echo(json.dumps(summary) if as_json else _told(summary))


def _told(summary: dict[str, Any]) -> str:
    lines = [
        f"{summary['n_queried']:,} of {summary['n_seen']:,} images to label "
        f"({summary['n_queried_now']:,} of {summary['n_seen_now']:,} in this run), "
        f"{summary['n_quarantined']:,} files set aside.",
        f"See {summary['to_label']}, and why in {summary['decisions']}",
    ]
    if summary["n_outliers"]:
        lines.insert(1, f"{summary['n_outliers']:,} images may be none of the classes: possible outliers, not offered.")
    if summary["n_late"]:
        lines.insert(1, f"{summary['n_late']:,} files came later but sort before the last one read: not offered.")
    return "\n".join(lines)
