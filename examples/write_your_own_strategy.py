"""A query strategy of your own in ten lines, used like any other: strategy="sure_and_unsure"."""

import sys
from pathlib import Path

import torch

from budgetal import Project
from budgetal.annotators.oracle import Oracle
from budgetal.measures import margin
from budgetal.query import PoolView, Selection, strategy
from budgetal.simulate import run, true_labels


@strategy("sure_and_unsure", needs=("probs",), source="this example", cost="O(N m)")
def sure_and_unsure(pool: PoolView, n: int, rng) -> Selection:
    """Half from the surest images, where hidden mistakes lie, half from the least sure."""
    order = torch.argsort(margin(pool.probs), descending=True, stable=True)
    n_sure = n // 2
    rows = torch.cat([order[: n - n_sure], order[len(order) - n_sure :]])
    return Selection(rows=rows, scores=margin(pool.probs)[rows])


def main(folder: Path) -> None:
    project = Project.create(folder, images="digits", budget=120, tolerance=0.1, strategy="sure_and_unsure")
    run(project, Oracle(true_labels(project)))
    for record in project.state.rounds:
        print(f"{record.n_human} labels: {record.audit_accuracy:.1%} right on the audit")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "runs/own-strategy"))
