"""The charts of the live page: those of the report, of a run that still goes on."""

from dataclasses import asdict
from typing import Any

from budgetal.report.data import RoundRow
from budgetal.report.epochs import epoch_accuracy_figure, epoch_loss_figure
from budgetal.report.figure import Figure
from budgetal.report.progress import accuracy_figure, bound_figure, budget_figure, coverage_figure, loss_figure
from budgetal.state import State


def drawings(state: State) -> list[dict[str, Any]]:
    """Each figure as JSON; `svg` is null when there is nothing to draw yet."""
    rounds = round_rows(state)
    certificate = asdict(state.certificate) if state.certificate else None
    training = [*rounds, *_under_way(state)]
    figures = (
        accuracy_figure(rounds),
        coverage_figure(rounds, state.n_samples),
        bound_figure(rounds, certificate),
        budget_figure(rounds, state.settings.budget),
        loss_figure(rounds),
        epoch_loss_figure(training),
        epoch_accuracy_figure(training),
    )
    return [as_json(figure) for figure in figures]


def round_rows(state: State) -> list[RoundRow]:
    """The finished rounds."""
    n_audit = sum(sample_id in state.labels for sample_id in state.audit)
    names = [name for name in RoundRow.__dataclass_fields__ if name != "n_audit"]
    return [RoundRow(**{name: getattr(record, name) for name in names}, n_audit=n_audit) for record in state.rounds]


def _under_way(state: State) -> list[RoundRow]:
    """The round that is being trained, of which only epochs are known."""
    round = len(state.rounds)
    epochs = tuple(state.epochs.get(round, {}).values())
    row = RoundRow(round, len(state.labels), 0, 0.0, None, None, None, None, 0.0, 0.0, epochs=epochs)
    return [row] if epochs else []


def as_json(figure: Figure) -> dict[str, Any]:
    """A figure as pages get it."""
    return {
        "heading": figure.heading,
        "note": figure.note,
        "svg": None if figure.drawing is None else str(figure.drawing),
        "keys": [asdict(key) for key in figure.keys],
        "columns": list(figure.columns),
        "rows": [list(row) for row in figure.rows],
    }
