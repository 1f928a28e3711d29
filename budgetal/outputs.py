"""The files that a project leaves: labels.csv, report.json, report.html and model/."""

import json
from collections.abc import Mapping, Sequence

from budgetal.class_coverage import class_coverage
from budgetal.class_table import certificate_by_class
from budgetal.evidence import proposals_of
from budgetal.export.labels import export_labels
from budgetal.files import write_atomic
from budgetal.illustrated import Illustrator
from budgetal.learner import Learner
from budgetal.planning import Planner
from budgetal.report.html import render_report
from budgetal.results import label_rows, summarise, true_curve
from budgetal.review_list import n_reviewed, outcome
from budgetal.ruling_out import outlier_summary, outliers_of, outliers_to_save
from budgetal.state import State
from budgetal.types import Json, Quarantined, Sample


def write_outputs(
    state: State,
    samples: Sequence[Sample],
    quarantined: Sequence[Quarantined],
    learner: Learner,
    truth: Mapping[str, str] | None,
) -> dict[str, Json]:
    """Write all of them, each whole or not at all, and return the content of report.json."""
    folder = learner.space.folder
    rows = label_rows(state, samples, learner)
    curve = true_curve(state, samples, learner, truth) if truth else ()
    proposals = proposals_of(state, learner.space.arrays)
    by_class = certificate_by_class(state, state.certificate, learner.pool, proposals)
    of_look = state, learner.pool, learner.space.arrays
    reviewed = n_reviewed(*of_look), outcome(*of_look)
    forecast = Planner(state, learner.pool, learner.space.arrays, learner.plan.batch).forecast()
    coverage = class_coverage(state, learner.auto_labels(state)[1], learner.pool, proposals, by_class)
    summary = {
        **summarise(state, rows, truth, curve, by_class, *reviewed),
        "class_coverage": list(coverage),
        "outliers": outlier_summary(state, learner.pool, outliers_of(state, learner.space.arrays)),
        "forecast": forecast,
    }
    export_labels(rows, "csv", folder / "labels.csv")
    write_atomic(folder / "report.json", (json.dumps(summary, indent=1) + "\n").encode())
    page = render_report(Illustrator(state, samples, quarantined, learner).report_data(rows, summary))
    write_atomic(folder / "report.html", page.encode())
    if state.model is not None:
        ruled_out = outliers_to_save(learner.views, state)
        learner.space.engine.save_model(state.model, folder / "model", ruled_out)
    return summary
