"""What a project works with: images, plan, learner and loop, each built from the settings at its first use."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from budgetal.budget.plan import BudgetPlan, plan_budget
from budgetal.config import Config
from budgetal.errors import ProjectError
from budgetal.learner import Learner
from budgetal.logbook import Logbook
from budgetal.loop import Loop
from budgetal.types import Quarantined, Sample
from budgetal.workspace import OnProgress, Workspace


@dataclass(frozen=True)
class Parts:
    """The parts for one set of settings; other settings need others. seconds_to_open: the machine's time before."""

    folder: Path
    logbook: Logbook
    config: Config
    on_progress: OnProgress
    seconds_to_open: float

    @cached_property
    def workspace(self) -> Workspace:
        """The folder's arrays and images."""
        return Workspace(self.folder, self.config, self.on_progress, self.logbook.state.first_settings)

    @cached_property
    def index(self) -> tuple[tuple[Sample, ...], tuple[Quarantined, ...]]:
        """Every image in row order, and the files that could not be used."""
        ref = self.logbook.state.index_ref
        if ref is None:
            raise ProjectError(f"{self.folder} was not set up to the end: run `budgetal init` again")
        return self.workspace.read_index(ref)

    @cached_property
    def plan(self) -> BudgetPlan:
        """How the budget is split."""
        state = self.logbook.state
        return plan_budget(self.config, state.n_samples, state.n_given)

    @cached_property
    def learner(self) -> Learner:
        """The machine's part of a round."""
        samples = self.index[0]  # Read first: the workspace then knows which images to expect.
        return Learner(self.workspace, self.workspace.pool(samples), self.plan)

    @cached_property
    def loop(self) -> Loop:
        """The steps between two queries."""
        loop = Loop(self.folder, self.logbook, self.learner, self.plan, self.on_progress)
        loop.worked_since_s -= self.seconds_to_open
        return loop
