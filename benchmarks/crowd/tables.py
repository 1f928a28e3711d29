"""What the crowd's results say, for the page: a table, and a verdict on the goal of issue 6."""

from collections.abc import Mapping
from typing import Any

from selection.tables import table

Results = Mapping[str, Any]

GOAL_MS = 100
"""p95 of "next image" with fifty people on two cores while a learner trains."""
SHARES = ("p50", "p95", "p99")
KINDS = ("next image", "answer", "image")
CHECKS = {
    "handed_out_twice": "handed out twice",
    "tokens_of_two": "under one token to two people",
    "lost": "acknowledged answers lost",
}


def people_table(results: Results) -> str:
    """Where it was measured, each run's latencies and counts, and the verdict."""
    return "\n\n".join([_machine(results), _latencies(results), _counts(results), _verdict(results)])


def _machine(results: Results) -> str:
    return (
        f"{results['people']} people for {results['seconds']:g} s in each run, of `{results['images']}`, leases of "
        f"{results['lease_s']:g} s. {results['cores']} cores for the server, the learner and the people together; "
        f"load from other work {results['load_before']:g}; a write reached the disk in {results['fsync_ms']:g} ms."
    )


def _latencies(results: Results) -> str:
    runs = results["runs"]
    head = ("milliseconds", *(f"{name}: {share}" for name in runs for share in SHARES), "p95 with / without")
    rows = [(kind, *_times(runs, kind), f"{results['ratios'][kind]:g}") for kind in KINDS]
    return table(head, rows)


def _times(runs: Results, kind: str) -> list[str]:
    return [f"{run['latency_ms'][kind][share]:g}" for run in runs.values() for share in SHARES]


def _counts(results: Results) -> str:
    head = ("", "answers acknowledged", "rounds", "epochs", *CHECKS.values())
    keys = ("n_acknowledged", "n_rounds", "n_epochs", *CHECKS)
    return table(head, [(name, *(str(run[key]) for key in keys)) for name, run in results["runs"].items()])


def _verdict(results: Results) -> str:
    p95 = results["runs"]["with learner"]["latency_ms"]["next image"]["p95"]
    how = "kept" if p95 <= GOAL_MS else f"missed by a factor of {p95 / GOAL_MS:.2f}"
    return f"The goal, p95 of the next image at most {GOAL_MS} ms while a learner trains, was {how} in this run."
