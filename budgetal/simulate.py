"""A project whose people are simulated: the answers are known, so the true errors are too."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from budgetal.annotators.oracle import Oracle
from budgetal.config import Config, make_config
from budgetal.data.sources import find_splits
from budgetal.errors import DataError, ProjectError
from budgetal.project import Project
from budgetal.setup import is_set_up
from budgetal.types import Json
from budgetal.validation import with_absolute_paths
from budgetal.workspace import OnProgress, no_progress

OnRound = Callable[[Project], None]
"""Called after every step of the loop, to show how it goes."""


def no_display(_project: Project) -> None:
    """The default display: none."""


def run(project: Project, oracle: Oracle, on_round: OnRound = no_display) -> None:
    """Drive a project to its end with an annotator that always answers."""
    while query := project.ask():
        on_round(project)
        project.tell(oracle.annotate(query))
    on_round(project)


def simulate(
    dataset: str,
    out: str | Path,
    *,
    on_progress: OnProgress = no_progress,
    on_round: OnRound = no_display,
    **settings: Any,
) -> dict[str, Json]:
    """Label `dataset` with simulated people, write everything to `out`, return the report's figures.

    dataset: a labelled collection, or a folder with train/ and, if there is one, test/. A simulation that
    was interrupted goes on where it stopped. Raises InputError (a subclass) when anything does not fit.
    """
    images, test_images = find_splits(dataset)
    settings = {"images": images, "test_images": test_images, **settings}
    project = _resume(Path(out), settings) or Project.create(out, on_progress=on_progress, **settings)
    project.on_progress = on_progress
    truth = true_labels(project)
    run(project, Oracle(truth, project.config.classes), on_round)
    return project.write_outputs(truth)


def true_labels(project: Project) -> dict[str, str]:
    """The labels that came with the images. Raises DataError when one has none."""
    missing = [sample.paths[0] for sample in project.samples if sample.label is None]
    if missing:
        raise DataError(f"A simulation needs a label for every image: {len(missing)} have none, first {missing[0]}")
    return {sample.sample_id: str(sample.label) for sample in project.samples}


def _resume(out: Path, settings: dict[str, Any]) -> Project | None:
    if not is_set_up(out):
        return None
    project = Project.open(out)
    wanted = with_absolute_paths(make_config(**{"classes": project.config.classes, **settings}))
    if _differs(project.config, wanted):
        raise ProjectError(f"{out} holds a run with other settings: choose another --out, or remove it")
    return project


def _differs(one: Config, other: Config) -> bool:
    return one.model_dump(mode="json") != other.model_dump(mode="json")
