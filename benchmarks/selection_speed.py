"""Seconds and peak memory of every query strategy on made-up data, beside other libraries and the machine's limits.

Example:
    python benchmarks/selection_speed.py --n 20000 --d 128 --classes 10 --batch 500 --peers --json
    python benchmarks/selection_speed.py --n 1000000 --d 512 --classes 100 --batch 1000 --json

Each strategy runs in a process of its own, through `select`, on memory-mapped files. Ends with 1 when a strategy
fails, or when a peer that defines the same thing picks other images.
"""

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import numpy as np
from selection.agreement import compare
from selection.data import Size, write_data
from selection.measure import OURS, picks_file
from selection.peers import installed_peers, load_peer
from selection.processes import Outcome, Runner, fastest, machine
from selection.supplies import write_needs
from selection.tables import machine_line, peer_table, speed_table
from selection.work import bound, significant, too_large, works

from budgetal.query import list_strategies, strategies


def main() -> int:
    args = parse_arguments()
    size = Size(args.n, args.d, args.classes, args.batch, args.labelled, args.noise, args.seed)
    names = args.strategies.split(",") if args.strategies else [entry.name for entry in list_strategies()]
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        results = measure_all(args, size, names, Path(folder))
    if args.json:
        print(json.dumps(results, indent=1))
    else:
        tables = [machine_line(results), speed_table(results)] + ([peer_table(results)] if args.peers else [])
        print("\n\n".join(tables))
    return int(any(is_bad(outcome) for outcome in (*results["strategies"], *results["peers"])))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=20_000, help="images in the pool")
    parser.add_argument("--d", type=int, default=128, help="width of the embeddings")
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--batch", type=int, default=500, help="images to pick")
    parser.add_argument("--labelled", type=int, default=500, help="labelled images beside the pool")
    parser.add_argument("--noise", type=float, default=0.7, help="length of the noise around a centre of length 1")
    parser.add_argument("--strategies", help="names, with commas (default: all)")
    parser.add_argument("--peers", action="store_true", help="measure the installed peers on the same data")
    parser.add_argument("--repeats", type=int, default=3, help="the median of so many counts")
    parser.add_argument("--budget-s", type=float, default=600.0, help="a call that takes longer is ended")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--folder", type=Path, help="where the data may lie meanwhile")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def measure_all(args: argparse.Namespace, size: Size, names: list[str], folder: Path) -> dict[str, object]:
    write_data(size, folder)
    needs = {need for name in names if not too_large(name, size) for need in strategies[name].needs}
    write_needs(needs, folder, size)
    at_first = machine(args.device)
    runner = Runner(folder, args.repeats, args.budget_s, args.device)
    ours = [measure_ours(runner, name, size) for name in names]
    found = installed_peers() if args.peers else {}
    peers = [measure_peer(runner, library, outcome) for library in found for outcome in with_peer(library, ours)]
    limits = fastest(at_first, machine(args.device))
    described = [outcome | {"work": work_of(str(outcome["name"]), size, limits)} for outcome in ours]
    return {"size": asdict(size), "machine": limits | {"peers": found}, "strategies": described, "peers": peers}


def measure_ours(runner: Runner, name: str, size: Size) -> Outcome:
    reason = too_large(name, size)
    return {"name": name, **rounded({"skipped": reason} if reason else runner.measure(OURS, name))}


def work_of(name: str, size: Size, limits: Outcome) -> list[Outcome]:
    return [bound(formula, limits) for formula in works(name, strategies[name].needs, size)]


def with_peer(library: str, ours: list[Outcome]) -> list[Outcome]:
    return [outcome for outcome in ours if "seconds" in outcome and outcome["name"] in load_peer(library).CALLS]


def measure_peer(runner: Runner, library: str, ours: Outcome) -> Outcome:
    """A peer's outcome, its seconds over ours, and the share of same picks where these are defined alike."""
    name = str(ours["name"])
    outcome = rounded(runner.measure(library, name))
    peer = {"strategy": name, "library": library, "call": load_peer(library).CALLS[name], **outcome}
    took_s = outcome.get("seconds", outcome.get("over_s"))
    if took_s is None:
        return peer
    peer["ratio"] = significant(took_s / ours["seconds"])
    return peer | agreement(runner, library, name) if "seconds" in outcome else peer


def agreement(runner: Runner, library: str, name: str) -> Outcome:
    picks = [np.load(picks_file(runner.folder, who, name)) for who in (OURS, library)]
    found = compare(name, runner.folder, *picks)
    return {"compared": found.compared, "same_share": found.share} if found else {}


def rounded(outcome: Outcome) -> Outcome:
    return outcome | {"seconds": significant(outcome["seconds"])} if "seconds" in outcome else outcome


def is_bad(outcome: Outcome) -> bool:
    return "error" in outcome or outcome.get("same_share", 1.0) < 1.0


if __name__ == "__main__":
    sys.exit(main())
