"""Run whole projects on MNIST and CIFAR-10, several seeds each, and tabulate what came out.

Example:
    python benchmarks/real_data.py --data unpacked --weights squeezenet1_0.safetensors --runs runs --out docs/results

`--data` holds cifar10/ and mnist/, each with train/ and test/ of images.npy and labels.npy. A run that was
interrupted goes on; one that is finished is read again. Writes one small JSON a run, a chart a data set,
and prints the table of docs/results.md.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from budgetal.report.charts import Axis, Series, line_chart

STYLE = """<style>svg{font:12px sans-serif;background:#fff}.grid{stroke:#ddd}.tick,.axis{fill:#444}
.line{fill:none;stroke-width:2}.line-1{stroke:#0b6bcb}.line-2{stroke:#c2410c}.line-3{stroke:#15803d}
[class^=area]{fill:#0b6bcb22}.mark-1{fill:#0b6bcb}.mark-2{fill:#c2410c}.mark-3{fill:#15803d}.reach{fill:none}</style>"""
COLUMNS = ("run", "seed", "human", "audit", "automatic", "bound", "true error", "pool right", "test", "minutes", "MB")


def main() -> None:
    args = parse_arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    print("| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS))
    for name, options in experiments(args).items():
        if args.only in (None, name):
            reports = [run(args, name, seed, options) for seed in range(args.seeds)]
            write_chart(name, reports, args.out / f"{name}.svg")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", required=True, help="SqueezeNet 1.0's ImageNet weights, .safetensors")
    parser.add_argument("--runs", type=Path, required=True, help="where the projects are kept")
    parser.add_argument("--out", type=Path, required=True, help="where tables and charts are written")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", help="one experiment")
    return parser.parse_args()


def experiments(args: argparse.Namespace) -> dict[str, list[str]]:
    """Options of `budgetal simulate` by experiment."""
    squeezenet = ["--backbone", "squeezenet1_0", "--weights", args.weights, "--input-size", "96"]
    cifar10 = ["--dataset", str(args.data / "cifar10"), "--budget", "5000", "--tolerance", "0.05", *squeezenet]
    mnist = ["--dataset", str(args.data / "mnist"), "--budget", "1000", "--tolerance", "0.02"]
    return {
        "mnist": mnist,
        "cifar10": [*cifar10, "--audit", "1000", "--initial", "500", "--batch", "500"],
    }


def run(args: argparse.Namespace, name: str, seed: int, options: list[str]) -> dict[str, object]:
    out = args.runs / f"{name}-seed{seed}"
    command = [sys.executable, "-m", "budgetal", "simulate", *options, "--seed", str(seed), "--out", str(out), "--json"]
    if not (out / "report.json").exists():
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    report = json.loads((out / "report.json").read_text())
    (args.out / f"{name}-seed{seed}.json").write_text(json.dumps(report, indent=1) + "\n")
    print("| " + " | ".join(cells(name, report)) + " |", flush=True)
    return report


def cells(name: str, report: dict) -> list[str]:
    certificate = report["certificate"] or {}
    return [
        name,
        str(report["seed"]),
        f"{report['n_human_labels']:,}",
        f"{report['n_audit_labels']:,}",
        f"{report['n_auto_labels']:,} ({report['n_auto_labels'] / report['n_samples']:.1%})",
        share(certificate.get("upper_bound")),
        share(report["auto_label_error_true"]),
        share(report["dataset_accuracy_true"]),
        share(report["test_accuracy"]),
        f"{report['seconds_total'] / 60:.1f}",
        f"{report['peak_memory_mb']:,.0f}",
    ]


def share(value: float | None) -> str:
    return "–" if value is None else f"{value:.2%}"


def write_chart(name: str, reports: list[dict], path: Path) -> None:
    """Mean over seeds of coverage, pool accuracy and test accuracy against human labels."""
    rounds = list(zip(*(report["rounds"] for report in reports), strict=True))
    labels = [at[0]["n_human"] for at in rounds]
    keys = {"coverage": "covered", "dataset_accuracy_true": "pool right", "test_accuracy": "test accuracy"}
    series = [
        Series(title, labels, [sum(record[key] for record in at) / len(at) for at in rounds], style)
        for style, (key, title) in enumerate(keys.items(), 1)
    ]
    x_axis = Axis("human labels", tuple(labels), lambda value: f"{value:,.0f}")
    y_axis = Axis("share", tuple(i / 5 for i in range(6)), lambda value: f"{value:.0%}")
    picture = line_chart(series, x_axis, y_axis, f"{name}: {', '.join(keys.values())} by human labels")
    text = str(picture).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    places = zip((60, 160, 260), ("#0b6bcb", "#c2410c", "#15803d"), keys.values(), strict=True)
    legend = "".join(f'<text x="{x}" y="12" style="fill:{colour}">{title}</text>' for x, colour, title in places)
    path.write_text(text.replace(">", f">{STYLE}", 1).replace("</svg>", f"{legend}</svg>") + "\n")


if __name__ == "__main__":
    main()
