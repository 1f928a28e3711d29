"""How much of a whole collection is right after so many human labels: people's labels, and the model's for the rest.

Example:
    python benchmarks/whole_collection.py runs/cifar10-0 runs/cifar10-1 --budget 5000 --out runs/whole \
        --json docs/results/whole-collection.json

Copies finished simulations (those of benchmarks/coverage.py, say), raises their budget and goes on with them, so that
the shorter runs are kept as they are. Copies that have ended are read. Prints the table of docs/results.md.
"""

import argparse
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from coverage import pool_accuracy

from budgetal.annotators.oracle import Oracle
from budgetal.project import Project
from budgetal.report.numbers import count
from budgetal.simulate import run, true_labels


def main() -> None:
    args = parse_arguments()
    records = []
    for folder in args.projects:
        records += [read(folder), read(prolonged(folder, args.out / folder.name, args.budget))]
        args.json.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")
    print(table(records))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("projects", type=Path, nargs="+", help="finished simulations")
    parser.add_argument("--budget", type=int, required=True, help="labels to go on to")
    parser.add_argument("--out", type=Path, required=True, help="where the copies are kept")
    parser.add_argument("--json", type=Path, required=True, help="where the figures are written")
    return parser.parse_args()


def prolonged(folder: Path, copy: Path, budget: int) -> Path:
    """A copy of a finished simulation that went on to this budget."""
    if not copy.exists():
        shutil.copytree(folder, copy)
    project = Project.open(copy)
    if project.config.budget != budget:
        project.configure(budget=budget)
    run(project, Oracle(true_labels(project), project.config.classes))
    project.close()
    return copy


def read(folder: Path) -> dict[str, Any]:
    """What came of a finished simulation, every image of it labelled."""
    project = Project.open(folder)
    try:
        state = project.state
        return {
            "project": folder.name,
            "seed": project.config.seed,
            "n_human": state.n_paid,
            "n_audit": len(state.audit),
            "pool_accuracy": pool_accuracy(project),
            "test_accuracy": state.rounds[-1].test_accuracy,
        }
    finally:
        project.close()


def table(records: Sequence[dict[str, Any]]) -> str:
    """One row for each number of labels, as Markdown."""
    lines = ["| human labels | of them audit | seeds | of all right | by seed, % | test |", "|---" * 6 + "|"]
    for n_human, n_audit in sorted({(record["n_human"], record["n_audit"]) for record in records}):
        those = [record for record in records if (record["n_human"], record["n_audit"]) == (n_human, n_audit)]
        right, test = (np.array([record[name] for record in those]) for name in ("pool_accuracy", "test_accuracy"))
        by_seed = ", ".join(f"{100 * share:.2f}" for share in right)
        cells = (count(n_human), count(n_audit), len(those), spread(right), by_seed, spread(test))
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return "\n".join(lines)


def spread(shares: np.ndarray) -> str:
    """Mean and standard deviation over seeds."""
    deviation = f" ± {100 * shares.std(ddof=1):.2f}" if len(shares) > 1 else ""
    return f"{100 * shares.mean():.2f}{deviation} %"


if __name__ == "__main__":
    main()
