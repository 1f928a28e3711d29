"""What an audit drawn by weight certifies of a whole collection, beside a uniform one of as many labels.

Example:
    python benchmarks/whole_certified.py runs/whole/cifar10-? --audits 500 1000 --json docs/results/whole-certified.json

Reads finished simulations without an audit (those of benchmarks/whole_collection.py, say): every image has people's
label or the last model's. Audits are drawn from the images that people did not label, many for each project, as
`auto_labeller = "whole"` draws one: a tenth of the planned labels at a time until the tolerance is shown. Both bounds
are exact at the risk of a project's first audit by weight. Prints the table of docs/results.md.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from coverage import predicted, targets

from budgetal.annotators.bounds import hypergeometric_upper_bound
from budgetal.annotators.budget_annotator import Audit
from budgetal.annotators.proposals import Proposals, from_probabilities
from budgetal.annotators.risk import weighted_audit_risk
from budgetal.annotators.weighted_audit import draw, sampling_weights
from budgetal.annotators.whole import SHARE_AT_A_TIME, WeightedDraw, error_chances, label_whole
from budgetal.project import Project
from budgetal.report.numbers import count

RISK = weighted_audit_risk(0.05, 0)


def main() -> None:
    args = parse_arguments()
    records = [record for folder in args.projects for record in measured(folder, args)]
    args.json.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")
    print(table(records))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("projects", type=Path, nargs="+", help="finished simulations without an audit")
    parser.add_argument("--audits", type=int, nargs="+", default=[500, 1_000], help="labels in the audit")
    parser.add_argument("--tolerance", type=float, default=0.05, help="accepted share of wrong labels of all")
    parser.add_argument("--draws", type=int, default=100, help="audits drawn for each project and size")
    parser.add_argument("--json", type=Path, required=True, help="where the figures are written")
    return parser.parse_args()


def measured(folder: Path, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Of each size, how often the tolerance was shown, after how many labels, and how often a bound was broken."""
    project = Project.open(folder)
    proposals, truth = from_probabilities(predicted(project).probs), targets(project)
    rows, seed, n_trained = project.learner.open_rows(project.state), project.config.seed, len(project.state.labels)
    project.close()
    wrong = int((proposals.targets[rows] != truth[rows]).sum())
    about = {"project": folder.name, "seed": seed, "n_trained": n_trained, "right": 1 - wrong / len(truth)}
    for n in args.audits:
        rngs = [np.random.default_rng([23, seed, n, number]) for number in range(args.draws)]
        for name, played in (("by weight", by_weight), ("uniform", uniform)):
            ends = [played(proposals, rows, truth, n, args.tolerance, rng) for rng in rngs]
            spent, bounds, left = np.array(ends).T
            yield about | {
                "audit": name,
                "n_planned": n,
                "shown": float((bounds <= args.tolerance).mean()),
                "n_audit": float(spent.mean()),
                "bound": float(bounds.mean()),
                "true_error": float(left.mean()),
                "broken": float((left > bounds).mean()),
            }


def by_weight(
    proposals: Proposals, rows: np.ndarray, truth: np.ndarray, n: int, tolerance: float, rng: np.random.Generator
) -> tuple[float, float, float]:
    """Labels spent, bound on the share of all labels that is wrong, and that share."""
    order = rows[draw(sampling_weights(error_chances(proposals, rows)), n, rng)]
    part = max(1, round(SHARE_AT_A_TIME * n))
    for spent in (*range(part, n, part), n):
        audit = Audit(order[:spent], truth[order[:spent]])
        n_by_people = len(truth) - len(rows) + spent
        labels = label_whole(proposals, WeightedDraw(rows, (), audit, audit, n, n_by_people), tolerance, RISK)
        if labels.certificate is None:
            raise ValueError(f"an audit of {n} labels has no first part")
        if labels.certificate.tolerated <= tolerance:
            break
    left = int((labels.targets != truth[labels.rows]).sum()) / len(truth)
    return spent, labels.certificate.tolerated, left


def uniform(
    proposals: Proposals, rows: np.ndarray, truth: np.ndarray, n: int, _tolerance: float, rng: np.random.Generator
) -> tuple[float, float, float]:
    """The same with all of a uniform sample: its bound is exact for one look."""
    wrong = proposals.targets[rows] != truth[rows]
    errors = int(wrong[rng.choice(len(rows), n, replace=False)].sum())
    worst = hypergeometric_upper_bound(len(rows), n, errors, RISK)
    return n, (worst - errors) / len(truth), (int(wrong.sum()) - errors) / len(truth)


def table(records: Sequence[dict[str, Any]]) -> str:
    """One row for each number of labels and kind of audit, as Markdown."""
    heads = ("trained on", "audit", "planned", "seeds", "right before", "bound", "tolerance shown", "labels", "broken")
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for key in dict.fromkeys((record["n_trained"], record["n_planned"], record["audit"]) for record in records):
        those = [r for r in records if (r["n_trained"], r["n_planned"], r["audit"]) == key]
        mean = {name: np.mean([r[name] for r in those]) for name in ("right", "bound", "shown", "n_audit", "broken")}
        cells = (count(key[0]), key[2], count(key[1]), len(those), f"{mean['right']:.2%}", f"{mean['bound']:.2%}")
        rest = f"{mean['shown']:.0%}", count(round(key[0] + mean["n_audit"])), f"{mean['broken']:.1%}"
        lines.append(f"| {' | '.join(map(str, (*cells, *rest)))} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
