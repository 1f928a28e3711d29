"""One measurement in a process of its own: `python -m selection.measure FOLDER WHO STRATEGY`.

WHO is "budgetal" or a peer's distribution. Prints one line of JSON and keeps the picked rows in
FOLDER/picks-WHO-STRATEGY.npy.
"""

import argparse
import json
import statistics
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from budgetal.query import select, strategies
from selection.data import read_size
from selection.peers import load_peer
from selection.supplies import read_pool
from selection.timing import limit_memory, peak_bytes, repeated

OURS = "budgetal"
Rows = np.ndarray


def main() -> None:
    args = parse_arguments()
    if args.device == "cpu":
        limit_memory()
    make = our_call if args.who == OURS else peer_call
    call = make(args)
    before = peak_bytes(args.device)
    seconds, rows = repeated(call, args.repeats, args.budget_s)
    extra_mib = (peak_bytes(args.device) - before) / 2**20
    np.save(picks_file(args.folder, args.who, args.strategy), rows)
    result = {"seconds": statistics.median(seconds), "runs": len(seconds), "extra_mib": round(extra_mib)}
    print(json.dumps(result))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("who")
    parser.add_argument("strategy")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--budget-s", type=float, default=600.0)
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


def our_call(args: argparse.Namespace) -> Callable[[], Rows]:
    """Through `select`, as a project calls it: checks and order of ids included."""
    size = read_size(args.folder)
    pool = read_pool(strategies[args.strategy].needs, args.folder, args.device)

    def call() -> Rows:
        rng = np.random.default_rng(size.seed)
        return select(args.strategy, pool, size.batch, rng).rows.cpu().numpy()

    if args.device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    return call


def peer_call(args: argparse.Namespace) -> Callable[[], Rows]:
    return load_peer(args.who).make_call(args.strategy, args.folder)


def picks_file(folder: Path, who: str, strategy: str) -> Path:
    return folder / f"picks-{who}-{strategy}.npy"


if __name__ == "__main__":
    main()
