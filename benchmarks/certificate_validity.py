"""Does the certificate hold? Whole runs with known truth: how often is more wrong than was promised?

Example:
    python benchmarks/certificate_validity.py --runs 10 --json docs/results/certificate-validity.json
    python benchmarks/certificate_validity.py --runs 10 --real 120 --projects runs/mnist-seed0 runs/cifar10-seed0
    python benchmarks/certificate_validity.py --growing 14 --pools 500 2000 10000 --json RESULTS
    python benchmarks/certificate_validity.py --growing-real 112 --projects runs/mnist-0 runs/cifar10-0 --json RESULTS
    python benchmarks/certificate_validity.py --page    # write the tables of docs/certificate.md from the results

Synthetic runs: every cell of family × tolerance × risk × pool size, `--runs` times. Real runs: random parts of the
collections of finished simulations, `--real` times each, their stored features and a logistic head. Every run asks
by margin over four rounds, passes audit images over, and looks as the library does: with a target after each
round (every other run), or at its planned end and again after a larger budget. With --growing or --growing-real only
the runs whose audit grows are played (validity/growing.py), on made-up or on real predictions, and put beside what the
results hold already.
"""

import argparse
import json
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from validity.growing import GrowingRun
from validity.methods import CERTIFIED
from validity.play import ROUNDS, Outcome, Run, Setting
from validity.tables import RENDERERS, summarise
from validity.worlds import FAMILIES, World, read_collection, read_predictions, synthetic

from budgetal.annotators.bounds import audit_labels_needed

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "certificate.md"
RESULTS = ROOT / "docs" / "results" / "certificate-validity.json"
REGION = re.compile(r"(<!-- validity (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
TOLERANCES, RISKS, POOLS = (0.01, 0.02, 0.05, 0.1), (0.05, 0.1), (500, 2_000, 10_000, 50_000)
REAL_TOLERANCES, REAL_POOLS = {"mnist": (0.01, 0.02), "cifar10": (0.05, 0.1)}, (5_000, 20_000)
TARGET = 0.5

Task = tuple[str, Setting, Callable[[], World], np.random.Generator]
Runs = dict[tuple[str, float], list[Mapping[str, Outcome]]]


def main() -> None:
    args = parse_arguments()
    if not args.page:
        results = measured(args)
        print("\n\n".join(render(results) for render in RENDERERS.values()))
        if args.json:
            args.json.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    else:
        PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8"), RESULTS), encoding="utf-8")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10, help="synthetic runs a cell; there are 128 cells")
    parser.add_argument("--growing", type=int, default=0, help="runs a cell whose audit grows, in place of all others")
    parser.add_argument("--growing-real", type=int, default=0, help="the same on each of --projects")
    parser.add_argument("--real", type=int, default=120, help="runs on each of --projects")
    parser.add_argument("--projects", type=Path, nargs="*", default=[], help="finished simulations: mnist-…, cifar10-…")
    parser.add_argument("--pools", type=int, nargs="+", default=POOLS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="where to write the results")
    parser.add_argument("--page", action="store_true", help="only write the page's tables from the stored results")
    return parser.parse_args()


def measured(args: argparse.Namespace) -> dict[str, Any]:
    """The results as they are now: all anew, or what they held with the runs whose audit grows."""
    if args.growing:
        return {**_stored(args.json), "growing": measure_growing(args)}
    if args.growing_real:
        return {**_stored(args.json), "growing_real": measure_growing_real(args)}
    return measure(args)


def measure(args: argparse.Namespace) -> dict[str, Any]:
    began_s, runs = time.monotonic(), Runs()
    for number, (group, setting, world, rng) in enumerate([*_synthetic(args), *_real(args)]):
        runs.setdefault((group, setting.risk), []).append(Run(world(), setting, rng).play())
        if number % 100 == 99:
            print(f"{number + 1} runs, {time.monotonic() - began_s:.0f} s", file=sys.stderr, flush=True)
    return {
        "runs_a_cell": args.runs,
        "real_runs_a_collection": args.real if args.projects else 0,
        "tolerances": TOLERANCES,
        "pools": list(args.pools),
        "seed": args.seed,
        "groups": [summarise(group, risk, outcomes) for (group, risk), outcomes in sorted(runs.items(), key=_order)],
    }


def _stored(results: Path | None) -> dict[str, Any]:
    """What other runs have left, to which the new rows are added."""
    path = results if results and results.exists() else RESULTS
    return dict(json.loads(path.read_text(encoding="utf-8")))


def measure_growing(args: argparse.Namespace) -> dict[str, Any]:
    """Every other run raises its audit under way, the others after their first end."""
    groups = _grown(_synthetic_growing(args))
    return {"runs_a_cell": args.growing, "pools": list(args.pools), "seed": args.seed, "groups": groups}


def measure_growing_real(args: argparse.Namespace) -> dict[str, Any]:
    """The same on random parts of real collections, by what the models of a whole project said of them."""
    groups = _grown(_real_growing(args))
    return {"runs_a_collection": args.growing_real, "pools": list(REAL_POOLS), "seed": args.seed, "groups": groups}


def _grown(tasks: Iterable[Task]) -> list[dict[str, Any]]:
    began_s, runs = time.monotonic(), Runs()
    for number, (group, setting, world, rng) in enumerate(tasks):
        # Neighbours share a cell, so each is played both ways.
        run = GrowingRun(Run(world(), setting, rng), raised=bool(number % 2))
        runs.setdefault((group, setting.risk), []).append(run.play())
        if number % 100 == 99:
            print(f"{number + 1} runs, {time.monotonic() - began_s:.0f} s", file=sys.stderr, flush=True)
    return [summarise(*key, outcomes, (CERTIFIED,)) for key, outcomes in sorted(runs.items(), key=_order)]


def _synthetic_growing(args: argparse.Namespace) -> Iterator[Task]:
    cells = product(product(FAMILIES, TOLERANCES, RISKS, args.pools), range(args.growing))
    for number, ((family, tolerance, risk, n), _run) in enumerate(cells):
        rng = np.random.default_rng([args.seed, 100, number])
        yield family, _setting(tolerance, risk, n, 0), partial(synthetic, family, n, tolerance, rng), rng


def _real_growing(args: argparse.Namespace) -> Iterator[Task]:
    for place, folder in enumerate(args.projects):
        collection = read_predictions(folder, ROUNDS + 1)
        cells = list(product(REAL_TOLERANCES[collection.name], RISKS, REAL_POOLS))
        for run in range(args.growing_real):
            tolerance, risk, n = cells[run // 2 % len(cells)]
            rng = np.random.default_rng([args.seed, 101 + place, run])
            yield collection.name, _setting(tolerance, risk, n, 0), partial(collection.part, n, rng), rng


def _order(item: tuple[tuple[str, float], Any]) -> tuple[int, float]:
    group, risk = item[0]
    return ([*FAMILIES, "mnist", "cifar10"].index(group), risk)


def _synthetic(args: argparse.Namespace) -> Iterator[Task]:
    cells = product(FAMILIES, TOLERANCES, RISKS, args.pools)
    for cell, (family, tolerance, risk, n) in enumerate(cells):
        for run in range(args.runs):
            rng = np.random.default_rng([args.seed, 0, cell, run])
            yield family, _setting(tolerance, risk, n, run), partial(synthetic, family, n, tolerance, rng), rng


def _real(args: argparse.Namespace) -> Iterator[Task]:
    for place, folder in enumerate(args.projects):
        collection = read_collection(folder)
        cells = list(product(REAL_TOLERANCES[collection.name], RISKS, REAL_POOLS))
        for run in range(args.real):
            tolerance, risk, n = cells[run % len(cells)]
            rng = np.random.default_rng([args.seed, 1 + place, run])
            part = partial(collection.part, n, rng)
            yield collection.name, _setting(tolerance, risk, n, run // len(cells)), part, rng


def _setting(tolerance: float, risk: float, n: int, run: int) -> Setting:
    """Labels for a full audit where the pool allows that, a sixth of the pool where that is more."""
    budget = int(min(0.6 * n, max(n / 6, 6 * audit_labels_needed(tolerance, risk))))
    return Setting(tolerance, risk, budget, TARGET if run % 2 else None)


def rendered(page: str, results: Path) -> str:
    """`page` with every region as the results say."""
    found = json.loads(results.read_text(encoding="utf-8"))
    return REGION.sub(lambda region: f"{region[1]}{RENDERERS[region[2]](found)}\n{region[3]}", page)


if __name__ == "__main__":
    main()
