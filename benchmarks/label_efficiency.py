"""Human labels, audit included, until a whole collection is labelled at 90, 95, 98 and 99 % true accuracy.

Example:
    python benchmarks/label_efficiency.py --data DIR --weights WEIGHTS --runs runs --only mnist --seeds 5
    python benchmarks/label_efficiency.py … --finetune cotrain --systems margin random --variants clean

DIR holds cifar10/ and mnist/, each with train/ and test/ of images.npy and labels.npy; WEIGHTS the ImageNet weights of
squeezenet1_0 and mobilenet_v2_rot180. Runs that have ended are read, interrupted ones go on. Beside the results of
`budgetal compare` it writes whether ours keep what is required: never 0.5 points below random; at most 2 points lost
by 20 % wrong labels and 1 by half near-duplicates; 10 points of minority recall over random at 100 to 1.
"""

import argparse
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from efficiency.comparisons import SYSTEMS, VARIANTS, Scale, comparison, settings_of_all
from efficiency.harder import MAKERS, make_harder
from efficiency.required import Check, little_lost, minority_recall, never_below_random

from budgetal.compare.config import check_project_settings
from budgetal.compare.drawings import labels_to_target
from budgetal.compare.figures import Finished, read_finished
from budgetal.compare.page import write_results
from budgetal.compare.plan import Comparison
from budgetal.compare.runner import Runner
from budgetal.report.numbers import count

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "docs" / "results" / "label-efficiency"
KEPT = ("summary.csv", "results.json")


def main() -> None:
    args = parse_arguments()
    for collection in (args.only,) if args.only else ("mnist", "cifar10"):
        comparisons = {variant: planned(args, collection, variant) for variant in args.variants}
        for _name, place, settings in settings_of_all(comparisons):
            check_project_settings(place, settings)
        found = {variant: play(args, one, folder(args, collection, variant)) for variant, one in comparisons.items()}
        keep(args, collection, found)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument(
        "--weights", type=Path, help="folder of ImageNet weights; none: the embedded encoder for CIFAR-10 too"
    )
    parser.add_argument("--runs", type=Path, required=True, help="where the runs are kept")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", choices=("mnist", "cifar10"))
    parser.add_argument("--systems", nargs="+", choices=list(SYSTEMS), default=[])
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=["clean"])
    parser.add_argument("--finetune", choices=("head", "cotrain"), default="head")
    parser.add_argument("--pool-size", type=int, help="images drawn from each collection first; none: all")
    parser.add_argument("--read-only", action="store_true", help="play nothing, read what has ended")
    return parser.parse_args()


def planned(args: argparse.Namespace, collection: str, variant: str) -> Comparison:
    data = args.data
    if variant in MAKERS:
        data = args.runs / "collections" / variant
        make_harder(variant, args.data / collection, data / collection, args.pool_size)
    scale = Scale(data, args.weights, args.seeds, args.finetune, args.pool_size)
    return comparison(collection, variant, scale, tuple(args.systems))


def folder(args: argparse.Namespace, collection: str, variant: str) -> Path:
    return args.runs / f"{collection}-{variant}-{args.finetune}"


def play(args: argparse.Namespace, one: Comparison, out: Path) -> tuple[Finished, dict[str, Any]]:
    runner = Runner(one, out, args.jobs)
    runner.prepare()
    if not args.read_only:
        runner.go(lambda _: None)
    finished = read_finished(one, {run: runner.result_of(run) for run in runner.runs})
    return finished, write_results(finished, out)


def keep(args: argparse.Namespace, collection: str, found: dict[str, tuple[Finished, dict[str, Any]]]) -> None:
    """Copy what docs/results.md shows, and print it."""
    args.out.mkdir(parents=True, exist_ok=True)
    for variant, (_finished, figures) in found.items():
        source, stem = folder(args, collection, variant), f"{collection}-{variant}-{args.finetune}"
        for name in (*KEPT, f"{collection}-accuracy.svg"):
            if (source / name).exists():
                shutil.copyfile(source / name, args.out / f"{stem}-{name}")
        print(f"\n{stem}: {figures['n_finished']} of {figures['n_runs']} runs\n\n{table(figures, collection)}")
    checks = list(required(collection, found))
    (args.out / f"{collection}-{args.finetune}-checks.json").write_text(
        json.dumps([asdict(check) for check in checks], indent=1) + "\n", encoding="utf-8"
    )
    for check in checks:
        holds = "holds" if check.holds else "does not hold"
        print(
            f"{check.what}, {check.system}: {check.measured:+.4f} (limit {check.limit:+.3f}, {check.n} seeds): {holds}"
        )


def required(collection: str, found: dict[str, tuple[Finished, dict[str, Any]]]) -> list[Check]:
    checks: list[Check] = []
    for variant, (finished, figures) in found.items():
        if not figures["collections"][collection]["arms"]:
            continue
        checks += never_below_random(figures, collection)
        if variant in ("noise", "duplicates") and "clean" in found:
            checks += little_lost(variant, found["clean"][1], figures, collection)
        if variant == "imbalance":
            arms = finished.comparison.arms
            checks += minority_recall({arm.name: list(finished.of(collection, arm).values()) for arm in arms})
    return checks


def table(figures: dict[str, Any], collection: str) -> str:
    """Labels to each target as Markdown, and the accuracy at the end."""
    heads = " | ".join(f"{target:.0%}" for target in figures["targets"])
    lines = [f"| system | seeds | {heads} | at the end |", "|---" * (len(figures["targets"]) + 3) + "|"]
    for name, arm in figures["collections"][collection]["arms"].items():
        cells = " | ".join(labels_to_target(reached, half_width) for reached in arm["labels_to"]["accuracy"])
        end = arm["final"]["accuracy"]
        lines.append(f"| {name} | {arm['n_seeds']} | {cells} | {spread(end)} |")
    return "\n".join(lines)


def half_width(labels: Mapping[str, Any]) -> str:
    return f" ± {count(labels['high'] - labels['mean'])}"


def spread(end: dict[str, Any]) -> str:
    half = "" if end["low"] is None else f" ± {100 * (end['high'] - end['mean']):.2f}"
    return f"{100 * end['mean']:.2f}{half}"


if __name__ == "__main__":
    main()
