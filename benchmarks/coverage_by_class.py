"""What a threshold for each class labels automatically, class by class, and what the audit cannot certify.

Example:
    python benchmarks/coverage_by_class.py runs/cifar10-0 runs/cifar10-1 --json docs/results/coverage-by-class.json

Reads the last predictions of finished simulations (those of benchmarks/coverage.py, say) and draws audits of all open
images, as the last look of a run would have them. Prints the table of docs/results.md: means over draws and projects.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from coverage import RISK, targets

from budgetal.annotators.budget_annotator import Audit, auto_label
from budgetal.annotators.certificate import Certificate
from budgetal.annotators.class_thresholds import certify_each_class, together
from budgetal.annotators.per_class import AuditedPool, ClassCertificate
from budgetal.annotators.proposals import Proposals, from_probabilities
from budgetal.annotators.risk import final_risk
from budgetal.project import Project

ALL = "all"
LOOK_RISK = final_risk(RISK, 0, has_target=False)


def main() -> None:
    args = parse_arguments()
    records = [record for folder in args.projects for record in read(folder, args)]
    if args.json:
        args.json.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")
    print(table(records))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("projects", type=Path, nargs="+", help="finished simulations")
    parser.add_argument("--audits", type=int, nargs="+", default=(1_000, 2_000))
    parser.add_argument("--tolerance", type=float, default=0.05)
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--json", type=Path, help="where the figures are written")
    return parser.parse_args()


def read(folder: Path, args: argparse.Namespace) -> list[dict[str, Any]]:
    """One record for each project and size of audit."""
    project = Project.open(folder)
    try:
        truth, names = targets(project), project.config.classes
        proposals = from_probabilities(project.workspace.arrays.get(project.state.probs_ref))
        rows = project.learner.open_rows(project.state)
        return [
            {
                "project": folder.name,
                "n_labelled": len(project.state.labels),
                "n_open": len(rows),
                "n_audit": n_audit,
                "tolerance": args.tolerance,
                "draws": args.draws,
                "classes": measured(proposals, rows, truth, names, n_audit, args),
            }
            for n_audit in args.audits
        ]
    finally:
        project.close()


def measured(
    proposals: Proposals, rows: np.ndarray, truth: np.ndarray, names: Sequence[str], n_audit: int, args: Any
) -> list[dict[str, Any]]:
    """By predicted class, then of all images: means over the draws."""
    found: dict[str, list[dict[str, float | None]]] = {}
    for draw in range(args.draws):
        drawn = np.sort(np.random.default_rng([23, draw]).choice(rows, n_audit, replace=False))
        audit = Audit(drawn, truth[drawn])
        classes = each_class(proposals, rows, audit, args.tolerance, len(names))
        for name, part in zip(names, classes, strict=True):
            found.setdefault(name, []).append(of_class(part, proposals, rows, truth, drawn))
        found.setdefault(ALL, []).append(of_all(classes, proposals, rows, truth, audit, args.tolerance))
    return [{"class": name, **summed(entries)} for name, entries in found.items()]


def each_class(
    proposals: Proposals, rows: np.ndarray, audit: Audit, tolerance: float, n_classes: int
) -> tuple[ClassCertificate, ...]:
    scores, predicted, places = proposals.scores[rows], proposals.targets[rows], np.searchsorted(rows, audit.rows)
    pool = AuditedPool(scores, predicted, places, audit.wrong(predicted[places]))
    return certify_each_class(pool, tolerance, LOOK_RISK, n_classes)


def of_class(
    part: ClassCertificate, proposals: Proposals, rows: np.ndarray, truth: np.ndarray, drawn: np.ndarray
) -> dict[str, float | None]:
    """automatic: share of the open images that are predicted as the class; bound: None where nothing is certified.

    wrong: of its automatic labels; wrong_predicted: of all open images that are predicted as it.
    """
    mine = rows[proposals.targets[rows] == part.target]
    wrong_predicted = float((truth[mine] != part.target).mean())
    if part.certificate is None:
        return {"automatic": 0.0, "bound": None, "wrong": None, "wrong_predicted": wrong_predicted, "broken": 0.0}
    chosen = np.setdiff1d(mine[proposals.scores[mine] >= part.certificate.threshold], drawn)
    wrong = float((truth[chosen] != part.target).mean())
    return {
        "automatic": len(chosen) / len(mine),
        "bound": part.certificate.upper_bound,
        "at_threshold": part.certificate.bound_at_threshold,
        "wrong": wrong,
        "wrong_predicted": wrong_predicted,
        "broken": float(wrong > part.certificate.upper_bound),
    }


def of_all(
    classes: Sequence[ClassCertificate],
    proposals: Proposals,
    rows: np.ndarray,
    truth: np.ndarray,
    audit: Audit,
    tolerance: float,
) -> dict[str, float | None]:
    """The whole promise, and beside it what one threshold for all certifies with the same audit."""
    certificate = together(classes, tolerance, LOOK_RISK)
    chosen = labelled(certificate, proposals, rows, audit)
    one = auto_label(proposals, rows, audit, tolerance, LOOK_RISK)
    wrong = float((proposals.targets[chosen] != truth[chosen]).mean()) if len(chosen) else None
    over = [float((truth[one.rows[one.targets == c]] != c).mean() > tolerance) for c in np.unique(one.targets)]
    return {
        "automatic": len(chosen) / len(rows),
        "bound": certificate.upper_bound if certificate else None,
        "wrong": wrong,
        "wrong_predicted": float((proposals.targets[rows] != truth[rows]).mean()),
        "not_certified": float(sum(part.certificate is None for part in classes)),
        "one_threshold": len(one.rows) / len(rows),
        "one_wrong": float((one.targets != truth[one.rows]).mean()) if len(one.rows) else None,
        "one_over": float(sum(over)),
    }


def labelled(certificate: Certificate | None, proposals: Proposals, rows: np.ndarray, audit: Audit) -> np.ndarray:
    """Rows that get an automatic label."""
    if certificate is None:
        return np.empty(0, np.int64)
    return np.setdiff1d(rows[certificate.reached(proposals.scores[rows], proposals.targets[rows])], audit.rows)


def summed(entries: Sequence[dict[str, float | None]]) -> dict[str, float | None]:
    """Means of what there is; certified: share of the draws with a bound."""
    keys = dict.fromkeys(key for entry in entries for key in entry)
    means = {key: _mean([entry.get(key) for entry in entries]) for key in keys}
    return {"certified": _mean([float(entry["bound"] is not None) for entry in entries]), **means}


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(float(np.mean(known)), 5) if known else None


def table(records: Sequence[dict[str, Any]]) -> str:
    """A row for each class: two columns of figures for each size of audit."""
    audits = list(dict.fromkeys(record["n_audit"] for record in records))
    heads = " | ".join(f"audit of {n:,}: certified | automatic | bound | wrong" for n in audits)
    lines = [f"| predicted class | all its images: wrong | {heads} |", "|---" * (2 + 4 * len(audits)) + "|"]
    for name in [entry["class"] for entry in records[0]["classes"]]:
        by_audit = [_over_projects(records, n, name) for n in audits]
        cells = [cell for entry in by_audit for cell in _cells(entry)]
        lines.append(f"| {name} | {_share(by_audit[0]['wrong_predicted'])} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _over_projects(records: Sequence[dict[str, Any]], n_audit: int, name: str) -> dict[str, float | None]:
    found = [e for r in records if r["n_audit"] == n_audit for e in r["classes"] if e["class"] == name]
    return {key: _mean([entry.get(key) for entry in found]) for key in found[0] if key != "class"}


def _cells(entry: dict[str, float | None]) -> list[str]:
    left_out = entry.get("not_certified")
    certified = _share(entry["certified"], 0) if left_out is None else f"all but {left_out:.1f} classes"
    return [certified, *(_share(entry[key]) for key in ("automatic", "bound", "wrong"))]


def _share(share: float | None, digits: int = 1) -> str:
    return "–" if share is None else f"{share:.{digits}%}"


if __name__ == "__main__":
    main()
