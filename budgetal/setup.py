"""Making a new project: everything is checked before its journal exists."""

from collections.abc import Mapping
from pathlib import Path

from budgetal import journal
from budgetal.budget.plan import plan_budget
from budgetal.config import Config, save_config
from budgetal.errors import ProjectError
from budgetal.gold import gold_per_query, read_gold
from budgetal.logbook import JOURNAL, Logbook
from budgetal.state import GIVEN
from budgetal.store.events import NewEvent
from budgetal.types import Annotation, Json, Sample
from budgetal.validation import check_names, with_absolute_paths, with_classes
from budgetal.workspace import OnProgress, Workspace

SETTINGS = "budgetal.toml"


def is_set_up(folder: Path) -> bool:
    """Whether `folder` holds a project whose set-up came to its end."""
    if not (folder / JOURNAL).exists():
        return False
    logbook = Logbook(folder, create=True)
    logbook.close()
    return logbook.state.index_ref is not None


def set_up(
    folder: Path,
    draft: Config,
    *,
    use_given_labels: bool,
    on_progress: OnProgress,
    gold: Path | None = None,
    simulated: Mapping[str, Json] | None = None,
) -> None:
    """Read the images, fill in the classes, check all that is named, and begin the journal.

    gold: a table of images whose truth is known, for people to be tested with. A set-up that was killed is done again
    by the next. Raises InputError (a subclass) when anything does not fit.
    """
    if is_set_up(folder):
        raise ProjectError(f"{folder} is a project already: use it, or choose another folder")
    check_names(draft)
    on_progress("reading images", 0, 1)
    space = Workspace(folder, with_absolute_paths(draft), on_progress)
    space = space.with_config(with_classes(space.config, space.collection))
    samples = space.collection.samples
    truth = read_gold(gold, samples, space.config) if gold else {}
    given = [s for s in samples if use_given_labels and s.label is not None and s.sample_id not in truth]
    plan = plan_budget(space.config, len(samples), len(given))
    if truth:
        tested = space.config.model_copy(update={"gold_per_query": gold_per_query(space.config, plan.batch)})
        space = space.with_config(tested)
    space.check_inputs()
    _begin(space, given, truth, simulated)


def _begin(
    space: Workspace, given: list[Sample], gold: Mapping[str, str], simulated: Mapping[str, Json] | None
) -> None:
    """One transaction: a journal has all of this or nothing."""
    events: list[NewEvent] = [journal.created(space.config, simulated), journal.indexed(space.write_index())]
    for sample in given:
        events.append(journal.labelled(Annotation(sample.sample_id, str(sample.label), "given"), GIVEN))
    if gold:
        events.append(journal.gold_given(gold, "gold"))
    logbook = Logbook(space.folder, create=True)
    save_config(space.config, space.folder / SETTINGS, seq=1)
    logbook.append(events)
    logbook.close()
