"""How much of MNIST and CIFAR-10 is labelled automatically under a certificate, and by the alternatives.

Example:
    python benchmarks/coverage.py --data unpacked --weights weights --runs runs --json docs/results/coverage.json

`--data` holds cifar10/ and mnist/, each with train/ and test/ of images.npy and labels.npy; `--weights` the ImageNet
weights squeezenet1_0.safetensors and mobilenet_v2_rot180.safetensors. Each project is trained once and kept in --runs;
the projects of a data set share the features of the first one. From its last predictions every method labels
automatically at each tolerance. Prints the table of docs/results.md.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from forecasting.curves import share_features
from validity.methods import ALTERNATIVES

from budgetal.annotators.budget_annotator import Audit, auto_label
from budgetal.annotators.confidence import ConfidenceView, HeldOut, propose
from budgetal.annotators.frame import frame_threshold
from budgetal.annotators.oracle import Oracle
from budgetal.annotators.proposals import Proposals, from_probabilities
from budgetal.annotators.risk import final_risk
from budgetal.engine.held_out import nothing_held_out
from budgetal.project import Project
from budgetal.scoring import MOST_REFERENCE_ROWS, spread
from budgetal.setup import is_set_up
from budgetal.simulate import run, true_labels
from budgetal.types import Prediction

TOLERANCES = (0.01, 0.02, 0.05, 0.1)
NETWORKS = "mobilenet_v2@128+squeezenet1_0@96+embedded"
# Without the guard, so that a run is its strategy's to the end.
COMMON = {"finetune": "cotrain", "guard": False, "auto_label_weight": 0.0}
# The audit that certifies comes after these labels, in `read`, for each tolerance anew.
N_AUDIT = {"mnist": 600, "cifar10": 1_000}
RISK, DRAWS, N_CLASSES = 0.05, 20, 10
ORACLE = "an oracle's threshold"


def main() -> None:
    args = parse_arguments()
    records = []
    for name, settings in experiments(args).items():
        for seed in range(args.seeds) if args.only in (None, name) else ():
            records.append(read(name, seed, play(name, seed, settings, args)))
            args.json.write_text(json.dumps(records, indent=1) + "\n")
    print(table(records))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True, help="folder of ImageNet weights")
    parser.add_argument("--runs", type=Path, required=True, help="where the projects are kept")
    parser.add_argument("--json", type=Path, required=True, help="where the figures are written")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", help="one experiment")
    return parser.parse_args()


def experiments(args: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Settings of each project. The student comes late, when it has most to learn from."""
    files = (args.weights / "mobilenet_v2_rot180.safetensors", args.weights / "squeezenet1_0.safetensors", "embedded")
    return {
        "mnist": {
            **{"budget": 400, "audit": 60, "initial": 60, "batch": 40, "strategy": "informative", "tolerance": 0.01},
            **{"unlabelled": "flexmatch", "student_from": 340, "student_epochs": 2},
        },
        "cifar10": {
            **{"budget": 4_000, "audit": 0, "initial": 500, "batch": 500, "strategy": "margin", "tolerance": 0.05},
            **{"student_from": 3_000, "student_epochs": 4},
            **{"backbone": NETWORKS, "weights": "+".join(map(str, files))},
        },
    }


def play(name: str, seed: int, settings: dict[str, Any], args: argparse.Namespace) -> Path:
    """Run a project to its end, unless that was done before; return its folder."""
    folder, first = args.runs / f"{name}-{seed}", args.runs / f"{name}-0"
    if not folder.exists() and seed:
        share_features(first, folder)
    if is_set_up(folder):
        project = Project.open(folder)
    else:
        images, test = (str(args.data / name / split) for split in ("train", "test"))
        project = Project.create(folder, images=images, test_images=test, seed=seed, **COMMON, **settings)
    run(project, Oracle(true_labels(project), project.config.classes))
    project.close()
    return folder


def read(name: str, seed: int, folder: Path) -> dict[str, Any]:
    """What every method labels from the last predictions of a finished project."""
    project = Project.open(folder)
    try:
        state = project.state
        return {
            "data": name,
            "seed": seed,
            "n_images": state.n_samples,
            "n_labelled": len(state.labels),
            "n_human": len(state.labels) + N_AUDIT[name],
            "test_accuracy": state.rounds[-1].test_accuracy,
            "pool_accuracy": pool_accuracy(project),
            "methods": summed(methods(project, N_AUDIT[name])),
        }
    finally:
        project.close()


def pool_accuracy(project: Project) -> float:
    """Share of the pool that is right: people's labels, and the model's elsewhere."""
    truth, guesses = targets(project), project.workspace.arrays.get(project.state.probs_ref).argmax(axis=1)
    is_human = np.zeros(len(truth), dtype=bool)
    is_human[project.workspace.pool(project.samples).rows(list(project.state.labels))] = True
    return float((is_human | (guesses == truth)).mean())


def targets(project: Project) -> np.ndarray:
    truth, classes = true_labels(project), project.config.classes
    return np.array([classes.index(truth[sample.sample_id]) for sample in project.samples])


def methods(project: Project, n_audit: int) -> Iterator[dict[str, Any]]:
    """What each method labels at each tolerance, from audits that are drawn as a run would draw them."""
    state, truth = project.state, targets(project)
    open_rows = project.learner.open_rows(state)
    prediction = predicted(project)
    sources = {"softmax": from_probabilities(prediction.probs)}
    sources["neighbours"] = propose("neighbours", confidence_view(project, prediction), rng(0)).pool
    for tolerance in TOLERANCES:
        for source, proposals in sources.items():
            yield from certified(source, proposals, open_rows, truth, tolerance, n_audit)
            wrong = proposals.targets[open_rows] != truth[open_rows]
            best = oracle(proposals.scores[open_rows], wrong, tolerance)
            chosen = open_rows[np.argsort(-proposals.scores[open_rows], kind="stable")[:best]]
            yield outcome(f"{ORACLE}, {source}", tolerance, chosen, proposals.targets[chosen], truth)
        yield from alternatives(prediction.probs, open_rows, truth, tolerance, n_audit, len(state.rounds))


def rng(draw: int) -> np.random.Generator:
    return np.random.default_rng([17, draw])


def predicted(project: Project) -> Prediction:
    arrays, state = project.workspace.arrays, project.state
    return Prediction(arrays.get(state.probs_ref), arrays.get(state.embeddings_ref))


class Unasked:
    """Of the supplies of a source, held-out labels serve the choice between sources only, and here none is made."""

    def held_out(self, reference_rows: np.ndarray) -> HeldOut:
        return nothing_held_out(N_CLASSES, len(reference_rows))


def confidence_view(project: Project, prediction: Prediction) -> ConfidenceView:
    state, views = project.state, project.learner.views
    rows = views.training_rows(state)
    return ConfidenceView(
        probs=prediction.probs,
        embeddings=prediction.embeddings,
        open_rows=project.learner.open_rows(state),
        rows=rows,
        targets=views.targets(state, rows),
        reference_rows=spread(len(prediction.probs), MOST_REFERENCE_ROWS),
        tolerance=state.settings.tolerance,
        supplies=Unasked(),
    )


def certified(
    source: str, proposals: Proposals, open_rows: np.ndarray, truth: np.ndarray, tolerance: float, n_audit: int
) -> Iterator[dict[str, Any]]:
    """The last look of a run, with its share of the risk: an audit of all open images, and one of the frame."""
    risk = final_risk(RISK, 0, has_target=False)
    frame = open_rows[proposals.scores[open_rows] >= frame_threshold(proposals, open_rows, tolerance)]
    for name, rows in (("an audit of all", open_rows), ("a last audit", frame)):
        for draw in range(DRAWS):
            audit = np.sort(rng(draw).choice(rows, min(n_audit, len(rows)), replace=False))
            labels = auto_label(proposals, rows, Audit(audit, truth[audit]), tolerance, risk)
            bound = labels.certificate.upper_bound if labels.certificate else None
            yield outcome(f"certified, {source}, {name}", tolerance, labels.rows, labels.targets, truth, bound)


def alternatives(
    probs: np.ndarray, open_rows: np.ndarray, truth: np.ndarray, tolerance: float, n_audit: int, round: int
) -> Iterator[dict[str, Any]]:
    for draw in range(DRAWS):
        audit = np.sort(rng(draw).choice(open_rows, n_audit, replace=False))
        free = np.setdiff1d(open_rows, audit)
        for name, choose in ALTERNATIVES.items():
            above = choose(probs, audit, truth[audit], tolerance, round)
            rows = free[above[free]]
            yield outcome(name, tolerance, rows, probs[rows].argmax(axis=1), truth)


def oracle(scores: np.ndarray, wrong: np.ndarray, tolerance: float) -> int:
    """Most images, the surest first, whose true error is within the tolerance."""
    errors = np.cumsum(wrong[np.argsort(-scores, kind="stable")]) / np.arange(1, len(scores) + 1)
    within = np.flatnonzero(errors <= tolerance)
    return int(within.max()) + 1 if len(within) else 0


def outcome(
    name: str, tolerance: float, rows: np.ndarray, labels: np.ndarray, truth: np.ndarray, bound: float | None = None
) -> dict[str, Any]:
    error = float((labels != truth[rows]).mean()) if len(rows) else 0.0
    promise = tolerance if bound is None else bound
    return {
        "method": name,
        "tolerance": tolerance,
        "automatic": len(rows) / len(truth),
        "error": error,
        "broken": error > promise,
    }


def summed(outcomes: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    """Means over the draws of one project's audit."""
    found: dict[tuple[str, float], list[dict[str, Any]]] = {}
    for entry in outcomes:
        found.setdefault((entry["method"], entry["tolerance"]), []).append(entry)
    return [
        {"method": method, "tolerance": tolerance, "draws": len(part)}
        | {key: round(float(np.mean([entry[key] for entry in part])), 5) for key in ("automatic", "error", "broken")}
        for (method, tolerance), part in found.items()
    ]


def table(records: list[dict[str, Any]]) -> str:
    """By method and tolerance: share labelled automatically (of it wrong; audits that broke the promise)."""
    heads = " | ".join(f"ε = {tolerance:.0%}" for tolerance in TOLERANCES)
    lines = [f"| data, human labels | seeds | method | {heads} |", "|---|---|---" + "|---" * len(TOLERANCES) + "|"]
    for name in dict.fromkeys(record["data"] for record in records):
        mine = [record for record in records if record["data"] == name]
        entries = [entry for record in mine for entry in record["methods"]]
        for method in dict.fromkeys(entry["method"] for entry in entries):
            part = [entry for entry in entries if entry["method"] == method]
            found = " | ".join(cell([e for e in part if e["tolerance"] == tolerance]) for tolerance in TOLERANCES)
            lines.append(f"| {name}, {mine[0]['n_human']:,} | {len(mine)} | {method} | {found} |")
    return "\n".join(lines)


def cell(part: list[dict[str, Any]]) -> str:
    shares, errors, broken = (np.array([entry[key] for entry in part]) for key in ("automatic", "error", "broken"))
    return f"{shares.mean():.1%} ± {shares.std():.1%} ({errors.mean():.1%}; {broken.mean():.0%})"


if __name__ == "__main__":
    main()
