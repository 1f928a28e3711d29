"""A project whose people are simulated: the answers are known, so the true errors are too."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from budgetal.annotators.oracle import Oracle
from budgetal.annotators.people import People
from budgetal.config import Config, make_config
from budgetal.data.sources import find_splits
from budgetal.errors import ConfigError, DataError, ProjectError
from budgetal.gold import read_gold
from budgetal.project import Project
from budgetal.setup import is_set_up
from budgetal.types import Annotation, Json, Query
from budgetal.validation import with_absolute_paths
from budgetal.workspace import OnProgress, no_progress

OnRound = Callable[[Project], None]
"""Called after every step of the loop, to show how it goes."""


def no_display(_project: Project) -> None:
    """The default display: none."""


class Annotator(Protocol):
    """Whoever answers a query at once."""

    def annotate(self, query: Query) -> list[Annotation]:
        """One annotation an image."""
        ...


def run(project: Project, oracle: Annotator, on_round: OnRound = no_display) -> None:
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
    gold: str | Path | None = None,
    noise: float = 0.0,
    n_annotators: int = 1,
    **settings: Any,
) -> dict[str, Json]:
    """Label `dataset` with simulated people, write everything to `out`, return the report's figures.

    dataset: a labelled collection, or a folder with train/ and, if there is one, test/. A simulation that
    was interrupted goes on where it stopped. gold: as in `Project.create`. noise: share of wrong answers;
    n_annotators: people who give them, from half to one and a half times as often. Raises InputError (a subclass)
    when anything does not fit.
    """
    played: dict[str, Json] = {"noise": noise, "annotators": n_annotators}
    project = open_or_create(dataset, out, played, on_progress=on_progress, gold=gold, **settings)
    truth = true_labels(project)
    run(project, people(project.config, truth, noise, n_annotators), on_round)
    return project.write_outputs(truth)


def open_or_create(
    dataset: str,
    out: str | Path,
    played: Mapping[str, Json] | None = None,
    *,
    on_progress: OnProgress = no_progress,
    gold: str | Path | None = None,
    **settings: Any,
) -> Project:
    """The project of a simulation: the one in `out`, where it was interrupted, or a new one.

    played: `noise` and `annotators` of its people. Raises ProjectError for one that was made with other settings, or
    whose people or gold were others.
    """
    images, test_images = find_splits(dataset)
    settings = {"images": images, "test_images": test_images, **settings}
    project = _resume(Path(out), settings, played, gold) or Project.create(
        out, on_progress=on_progress, simulated=played, gold=gold, **settings
    )
    project.on_progress = on_progress
    return project


def people(config: Config, truth: dict[str, str], noise: float, n_annotators: int) -> Annotator:
    """Whoever answers: the truth itself, or people who err. Raises ConfigError for more opinions than people."""
    asked = max(config.opinions_per_image, config.audit_opinions or 1)
    if n_annotators < asked:
        raise ConfigError(f"{asked} opinions an image need as many people, not {n_annotators}: raise --annotators")
    if noise == 0 and n_annotators == 1:
        return Oracle(truth, config.classes)
    return People(truth, config.classes, noise, n_annotators, config.seed)


def true_labels(project: Project) -> dict[str, str]:
    """The labels that came with the images. Raises DataError when one has none."""
    missing = [sample.paths[0] for sample in project.samples if sample.label is None]
    if missing:
        raise DataError(f"A simulation needs a label for every image: {len(missing)} have none, first {missing[0]}")
    return {sample.sample_id: str(sample.label) for sample in project.samples}


def _resume(
    out: Path, settings: dict[str, Any], played: Mapping[str, Json] | None, gold: str | Path | None
) -> Project | None:
    if not is_set_up(out):
        return None
    project = Project.open(out)
    _check_gold(out, project, gold)
    chosen = {"gold_per_query": project.config.gold_per_query} if gold and not settings.get("gold_per_query") else {}
    wanted = with_absolute_paths(make_config(**{"classes": project.config.classes, **settings, **chosen}))
    if _differs(project.config, wanted):
        raise ProjectError(f"{out} holds a run with other settings: choose another --out, or remove it")
    _check_people(out, project.state.simulated, played)
    return project


def _check_gold(out: Path, project: Project, table: str | Path | None) -> None:
    gold = read_gold(Path(table), project.samples, project.config) if table else {}
    if gold != {i: project.state.labels[i].label for i in project.state.gold}:
        raise ProjectError(f"{out} holds a run with other gold images: give the same, or choose another --out")


def _check_people(out: Path, before: Mapping[str, Any] | None, now: Mapping[str, Json] | None) -> None:
    """Raise ProjectError where the people of the run so far were others; older journals do not say."""
    if before is None or now is None or before == now:
        return
    was, are = (f"--noise {people['noise']} --annotators {people['annotators']}" for people in (before, now))
    raise ProjectError(f"{out} holds a run with {was}, not {are}: give the same to go on, or choose another --out")


def _differs(one: Config, other: Config) -> bool:
    return one.model_dump(mode="json") != other.model_dump(mode="json")
