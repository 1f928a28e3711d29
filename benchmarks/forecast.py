"""Back-test of `budgetal plan`: does the 80 % band hold what later rounds measure?

Example:
    python benchmarks/forecast.py --data DIR --weights squeezenet1_0.safetensors --runs runs
    python benchmarks/forecast.py --page    # write the table of docs/results.md from the stored result

DIR holds cifar10/ and mnist/, each with train/ and test/ of images.npy and labels.npy. Every run is a whole project on
frozen features; a finished one is read again. From its first 3, 4, … rounds each later round is forecast.
"""

import argparse
import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from forecasting.backtest import Outcome, outcomes, table
from forecasting.curves import Curve, play, read_curve

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "results.md"
RESULT = ROOT / "docs" / "results" / "forecast.json"
REGION = re.compile(r"(<!-- forecast -->\n).*?(<!-- end of forecast -->)", re.DOTALL)
STRATEGIES = ("random", "margin")
COLUMNS = ("runs", "forecasts", "holds", "holds_from_three_rounds", "lowest_of_a_run", "below", "above", "width")
HEADINGS = ("runs", "forecasts", "in the band", "from 3 rounds", "worst run", "below", "above", "width")
CHOSEN_ON = (0,)
"""Seeds whose runs were looked at when the constants of the forecast were chosen."""


def main() -> None:
    args = parse_arguments()
    if not args.page:
        result = measure(args)
        args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        print(rendered_table(result))
    if args.page:
        PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--page", action="store_true", help="only write the table of docs/results.md")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--weights", help="SqueezeNet 1.0's ImageNet weights, .safetensors")
    parser.add_argument("--runs", type=Path, help="where the projects are kept")
    parser.add_argument("--out", type=Path, default=RESULT)
    parser.add_argument("--seeds", type=int, default=5)
    args = parser.parse_args()
    if not args.page and None in (args.data, args.weights, args.runs):
        parser.error("give --data, --weights and --runs, or --page")
    return args


def measure(args: argparse.Namespace) -> dict[str, object]:
    """Play what was not played yet, forecast, and count."""
    curves: list[Curve] = []
    features: dict[str, Path] = {}
    for seed in range(args.seeds):
        for name in ("mnist", "cifar10"):
            for strategy in STRATEGIES:
                folder = play(name, strategy, seed, args.data, args.weights, args.runs, features.get(name))
                features.setdefault(name, folder)
                curves.append(read_curve(folder))
    return summary(curves, args.seeds)


def summary(curves: Sequence[Curve], n_seeds: int) -> dict[str, object]:
    """The result as it is stored."""
    found = [outcome for curve in curves for outcome in outcomes(curve)]
    fresh = [one for one in found if int(one.run.rsplit("-", 1)[1]) not in CHOSEN_ON]
    return {
        "strategies": list(STRATEGIES),
        "seeds": n_seeds,
        "chosen_on_seeds": list(CHOSEN_ON),
        "rows": table(fresh),
        "rows_of_all_seeds": table(found),
        "share_fresh": share(fresh),
        "share_all": share(found),
        "examples": [example(found, name) for name in ("cifar10-margin-1", "mnist-margin-1")],
        "curves": [as_json(curve) for curve in curves],
    }


def share(found: Sequence[Outcome]) -> float:
    return round(float(np.mean([one.holds for one in found])), 3)


def example(found: Sequence[Outcome], run: str) -> dict[str, object]:
    """One run's forecasts of accuracy from three rounds."""
    some = [one for one in found if (one.run, one.n_fitted, one.what) == (run, 3, "test accuracy")]
    return {"run": run, "forecasts": [{k: rounded(v) for k, v in asdict(one).items()} for one in some]}


def rounded(value: object) -> object:
    return round(value, 4) if isinstance(value, float) else value


def as_json(curve: Curve) -> dict[str, object]:
    return {
        "run": curve.name,
        "n_training": curve.n_training.tolist(),
        "audit_accuracy": curve.right.mean(axis=1).round(4).tolist(),
        "test_accuracy": curve.test_accuracy.round(4).tolist(),
        "coverage": curve.coverage.round(4).tolist(),
    }


def rendered_table(result: dict) -> str:
    lines = [
        "| collection | what | " + " | ".join(HEADINGS) + " |",
        "|" + "---|" * (len(HEADINGS) + 2),
    ]
    for row in result["rows"]:
        cells = [str(row[name]) if isinstance(row[name], int) else f"{row[name]:.1%}" for name in COLUMNS]
        lines.append(f"| {row['collection']} | {row['what']} | " + " | ".join(cells) + " |")
    others = f"{result['share_fresh']:.1%} of all lie in their band; with the seeds the constants were chosen on, "
    return "\n".join(lines) + f"\n\n{others}{result['share_all']:.1%}.\n"


def rendered(page: str) -> str:
    """`page` with its table as the stored result says."""
    table_now = rendered_table(json.loads(RESULT.read_text(encoding="utf-8")))
    return REGION.sub(lambda region: f"{region[1]}{table_now}{region[2]}", page)


if __name__ == "__main__":
    main()
