"""What recipes, starts, images without labels and labels of another collection gain on small label sets.

Example:
    python benchmarks/training.py presets --data unpacked --json docs/results/presets.json
    python benchmarks/training.py unlabelled --data unpacked --json docs/results/unlabelled.json
    python benchmarks/training.py starts --data unpacked --json docs/results/starts.json
    python benchmarks/training.py adaptation --data unpacked --collections mnist --json docs/results/adaptation.json

`--data` holds cifar10/ and mnist/, each with train/ and test/ of images.npy and labels.npy. Labels are drawn at random,
so that nothing but training differs; `starts` trains in four rounds, each on a quarter more of them. The source of
`adaptation` are the 1,797 handwritten digits of 8 by 8 pixels that scikit-learn brings along. Prints the tables of
docs/results.md; what is in the JSON file is not run again.
"""

import argparse
import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_digits

from budgetal.config import make_config
from budgetal.engine.local import LocalEngine
from budgetal.errors import BudgetalError
from budgetal.models.backbones import default_input_size
from budgetal.store.arrays import ArrayStore
from budgetal.training.adaptation import Source
from budgetal.types import TrainingSet

CLASSES = {
    "mnist": tuple("0123456789"),
    "cifar10": ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
}
PRESETS: dict[str, dict[str, Any]] = {
    "last layer only": {"finetune": "head"},
    "paper, last block": {"finetune": "last_block", "preset": "paper"},
    "small, last block": {"finetune": "last_block", "preset": "small"},
    "paper, whole network": {"finetune": "full", "preset": "paper"},
    "small, whole network": {"finetune": "full", "preset": "small"},
}
UNLABELLED: dict[str, dict[str, Any]] = {
    "last layer only": {"finetune": "head"},
    **{name: {"finetune": "cotrain", "unlabelled": name} for name in ("pseudo_labels", "propagation")},
    **{name: {"finetune": "cotrain", "unlabelled": name} for name in ("fixmatch", "flexmatch")},
}
STARTS: dict[str, dict[str, Any]] = {
    f"{preset}, {start}": {"finetune": "full", "preset": preset, "start": start}
    for preset in ("paper", "small")
    for start in ("restart", "warm", "shrink")
}
ADAPTATION: dict[str, dict[str, Any]] = {
    "last layer only": {"finetune": "head"},
    "no source": {"finetune": "full"},
    **{name: {"finetune": "full", "adaptation": name, "source_images": "digits"} for name in ("ddc", "mmd")},
}
ARMS = {"presets": PRESETS, "unlabelled": UNLABELLED, "starts": STARTS, "adaptation": ADAPTATION}
N_ROUNDS = {"starts": 4}


@dataclass(frozen=True)
class Images:
    """Images in memory, uint8 (n, h, w, 3)."""

    pixels: np.ndarray

    def __len__(self) -> int:
        return len(self.pixels)

    def read(self, rows: np.ndarray) -> np.ndarray:
        return self.pixels[rows]


def main() -> None:
    args = parse_arguments()
    torch.set_num_threads(1)
    records = json.loads(args.json.read_text()) if args.json.exists() else []
    for data in args.collections:
        for seed in range(args.seeds):
            for arm, settings in ARMS[args.what].items():
                key = {"data": data, "labels": args.labels, "seed": seed, "arm": arm}
                if not any(key.items() <= record.items() for record in records):
                    records.append(key | measure(data, seed, settings, args))
                    args.json.write_text(json.dumps(records, indent=1) + "\n")
    print(table(records))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=ARMS)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--collections", nargs="+", default=list(CLASSES))
    parser.add_argument("--labels", type=int, default=200)
    parser.add_argument("--images", type=int, default=2_000, help="of the pool, all of which are judged")
    parser.add_argument("--epochs", type=int, default=4, help="of a student")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--backbone", default="embedded")
    parser.add_argument("--weights", default="")
    return parser.parse_args()


def measure(data: str, seed: int, settings: dict[str, Any], args: argparse.Namespace) -> dict[str, Any]:
    """Accuracy on the images without labels of one training, and how long it took."""
    images, targets = pool_of(args.data / data / "train", args.images, seed)
    drawn = np.random.default_rng([seed, 1]).permutation(len(targets))[: args.labels]
    network = {"backbone": args.backbone, "weights": args.weights, "student_epochs": args.epochs, "seed": seed}
    config = make_config(images="x", classes=CLASSES[data], budget=args.labels, **network, **settings)
    n_rounds = N_ROUNDS.get(args.what, 1)
    ends = [len(drawn) * number // n_rounds for number in range(1, n_rounds + 1)]
    with tempfile.TemporaryDirectory() as folder:
        side = default_input_size(args.backbone, images.shape[1])
        place = ArrayStore(Path(folder) / "arrays"), Path(folder) / "work"
        source = digits() if "source_images" in settings else None
        engine = LocalEngine(config, Images(images), len(CLASSES[data]), side, *place, source=source)
        engine.features()
        began = time.process_time()
        try:
            model = None
            for number, end in enumerate(ends):
                labels = training_set(drawn[:end], targets, len(CLASSES[data]))
                model = engine.fit(labels, number, lambda record: None, model)
        except BudgetalError:
            # A loss that is not finite: what a rate too large does to a network without normalisation.
            return {"accuracy": None, "nll": None, "cpu_seconds": None}
        seconds = time.process_time() - began
        probs = engine.predict(model).probs
    unknown = np.delete(np.arange(len(targets)), drawn)
    right = probs[unknown].argmax(axis=1) == targets[unknown]
    nll = -np.log(np.maximum(probs[unknown, targets[unknown]], 1e-12)).mean()
    return {"accuracy": float(right.mean()), "nll": float(nll), "cpu_seconds": round(seconds, 1)}


def training_set(drawn: np.ndarray, targets: np.ndarray, n_classes: int) -> TrainingSet:
    rows = np.sort(drawn)
    return TrainingSet(rows, targets[rows], np.ones(len(rows), np.float32), len(rows), n_classes)


def digits() -> Source:
    """Handwritten digits of another origin: 8 by 8 pixels of 17 greys, white on black as MNIST's."""
    found = load_digits()
    pixels = np.round(found.images * (255 / 16)).astype(np.uint8)
    return Source(Images(np.repeat(pixels[..., None], 3, axis=3)), found.target.astype(np.int64))


def pool_of(folder: Path, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    images, labels = np.load(folder / "images.npy", mmap_mode="r"), np.load(folder / "labels.npy")
    rows = np.sort(np.random.default_rng([seed, 0]).permutation(len(labels))[:n])
    chosen = np.asarray(images[rows])
    return chosen if chosen.ndim == 4 else np.repeat(chosen[..., None], 3, axis=3), labels[rows].astype(np.int64)


def table(records: list[dict[str, Any]]) -> str:
    """One row a data set and arm: means and standard deviations over seeds."""
    lines = [
        "| data, labels | training | seeds | accuracy | negative log-likelihood | CPU seconds |",
        "|---|---|---|---|---|---|",
    ]
    for data, labels, arm in dict.fromkeys((item["data"], item["labels"], item["arm"]) for item in records):
        same = [item for item in records if (item["data"], item["labels"], item["arm"]) == (data, labels, arm)]
        lines.append(f"| {data}, {labels} | {arm} | {len(same)} | " + " | ".join(cells(same)) + " |")
    return "\n".join(lines)


def cells(same: list[dict[str, Any]]) -> tuple[str, str, str]:
    if any(item["accuracy"] is None for item in same):
        return "diverged", "–", "–"
    accuracy, nll, seconds = (np.array([item[name] for item in same]) for name in ("accuracy", "nll", "cpu_seconds"))
    spread = accuracy.std(ddof=1) if len(same) > 1 else 0.0
    return f"{accuracy.mean():.1%} ± {spread:.1%}", f"{nll.mean():.2f}", f"{seconds.mean():.0f}"


if __name__ == "__main__":
    main()
