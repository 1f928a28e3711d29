"""Where should the sequence of tested thresholds begin? Random audits of a finished simulation tell.

Example:
    python benchmarks/certificate_start.py runs/cifar10-seed0 --audit 500 1000 --draws 200

For each size of audit and each start: the mean share of the open images that is certified, the share of audits that
certify nothing, and the share whose certified labels are wrong more often than the tolerance (at most the risk).
"""

import argparse
from pathlib import Path

import numpy as np

from budgetal.annotators.bounds import audit_labels_needed
from budgetal.annotators.certificate import N_THRESHOLDS, candidate_thresholds, certify
from budgetal.project import Project
from budgetal.simulate import true_labels

ROOMS = (1, 2, 3, 4, 5, 7)


def main() -> None:
    args = parse_arguments()
    scores, wrong = predictions(args.project)
    best = oracle(scores, wrong, args)
    print(f"{len(scores):,} open images, {1 - wrong.mean():.1%} right; an oracle would label {best:.1%}")
    print(
        "| audit | begins with room for | certified | nothing certified | above the tolerance |\n|---|---|---|---|---|"
    )
    for n_audit in args.audit:
        for name, thresholds in starts(scores, n_audit, args).items():
            row = trial(scores, wrong, n_audit, thresholds, args)
            print(f"| {n_audit} | {name} | " + " | ".join(f"{value:.1%}" for value in row) + " |", flush=True)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("project", type=Path, help="a finished simulation")
    parser.add_argument("--audit", type=int, nargs="+", default=[500])
    parser.add_argument("--tolerance", type=float, default=0.05)
    parser.add_argument("--risk", type=float, default=0.04)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def predictions(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Score and error of every image that no query has touched."""
    project = Project.open(folder)
    truth, classes = true_labels(project), project.config.classes
    rows = project.learner.open_rows(project.state)
    probs = project.workspace.arrays.get(project.state.probs_ref)[rows]
    targets = np.array([classes.index(truth[project.samples[row].sample_id]) for row in rows])
    return probs.max(axis=1), probs.argmax(axis=1) != targets


def oracle(scores: np.ndarray, wrong: np.ndarray, args: argparse.Namespace) -> float:
    """Largest coverage whose true error is within the tolerance."""
    errors = np.cumsum(wrong[np.argsort(-scores)]) / np.arange(1, len(scores) + 1)
    within = np.flatnonzero(errors <= args.tolerance)
    return (within.max() + 1) / len(scores) if len(within) else 0.0


def starts(scores: np.ndarray, n_audit: int, args: argparse.Namespace) -> dict[str, list[float]]:
    """Thresholds from each start; the library's own is "the rule"."""
    descending, found = np.sort(scores)[::-1], {}
    for room in ROOMS:
        first = audit_labels_needed(args.tolerance, args.risk, room) / n_audit
        coverages = [step / N_THRESHOLDS for step in range(1, N_THRESHOLDS + 1) if step / N_THRESHOLDS >= first]
        found[f"{room} errors"] = [float(descending[int(np.ceil(c * len(scores))) - 1]) for c in coverages]
    return {**found, "the rule": candidate_thresholds(scores, n_audit, args.tolerance, args.risk)}


def trial(
    scores: np.ndarray, wrong: np.ndarray, n_audit: int, thresholds: list[float], args: argparse.Namespace
) -> tuple[float, float, float]:
    rng = np.random.default_rng(args.seed)
    certified, broken = [], 0
    for _ in range(args.draws):
        audit = np.sort(rng.choice(len(scores), n_audit, replace=False))
        certificate = certify(scores, audit, wrong[audit], args.tolerance, args.risk, thresholds)
        certified.append(certificate.n_auto / len(scores) if certificate else 0.0)
        if certificate:
            automatic = np.setdiff1d(np.flatnonzero(scores >= certificate.threshold), audit)
            broken += wrong[automatic].mean() > certificate.upper_bound
    return float(np.mean(certified)), float(np.mean(np.array(certified) == 0)), broken / args.draws


if __name__ == "__main__":
    main()
