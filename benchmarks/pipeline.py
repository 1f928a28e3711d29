"""How much of the network's own speed the pipeline keeps, and how long a head-only round takes.

Example:
    python benchmarks/pipeline.py --backbone embedded --images 4096 --json

Ratios of times measured in turn in one process, so that they mean the same on a busy machine:
- scoring: images a second of reading, resizing, forward, hashing and writing, over forward alone;
- cached: seconds to ask for the same features again, over computing them;
- head round: seconds to cross-fit, fit and predict on cached embeddings.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from budgetal.config import make_config
from budgetal.data.pixels import ArrayPixels
from budgetal.engine.head_round import fit_calibrated_head
from budgetal.engine.local import LocalEngine
from budgetal.models.backbones import build_classifier, default_input_size
from budgetal.models.calibration import softmax
from budgetal.models.predict import batches, features_of, inputs
from budgetal.store.arrays import ArrayStore
from budgetal.training.head import standardisation
from budgetal.types import TrainingSet

NATIVE_SIDE = 32
CLASSES = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def main() -> None:
    args = parse_arguments()
    with tempfile.TemporaryDirectory() as folder:
        scoring = time_scoring(args, Path(folder))
    result = scoring | time_head_round(args)
    if args.json:
        print(json.dumps(result, indent=1))
        return
    for name, value in result.items():
        print(f"{name:28} {value:.4g}")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--backbone", default="embedded")
    parser.add_argument("--weights", default="embedded", help="as the command line's")
    parser.add_argument("--images", type=int, default=2048, help="images of 32 x 32 pixels to score")
    parser.add_argument("--repeats", type=int, default=3, help="the best of so many counts: the least disturbed")
    parser.add_argument("--rows", type=int, default=50_000, help="cached embeddings of the head round")
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--labels", type=int, default=5_000)
    parser.add_argument("--auto-labels", type=int, default=40_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def time_scoring(args: argparse.Namespace, folder: Path) -> dict[str, float]:
    pixels = stored_images(args, folder)
    side = default_input_size(args.backbone, NATIVE_SIDE)
    classifier = build_classifier(args.backbone, args.weights, len(CLASSES), np.random.default_rng(args.seed))
    prepared = next(iter(inputs(classifier, pixels, batches(256, 256), side)))
    bare_s, pipeline_s, cached_s = [], [], []
    features_of(classifier, prepared, 2)
    for repeat in range(args.repeats):
        bare_s.append(seconds(lambda: [features_of(classifier, prepared[: len(rows)], 2) for rows in parts(args)]))
        engine = make_engine(args, pixels, side, folder / str(repeat))
        # Weights are read once a process; the pipeline's speed is that of the images.
        _ = engine.networks.frozen.digest
        pipeline_s.append(seconds(engine.features))
        cached_s.append(seconds(engine.features))
    return {
        "forward_images_per_s": args.images / min(bare_s),
        "scoring_images_per_s": args.images / min(pipeline_s),
        "scoring_over_forward": min(bare_s) / min(pipeline_s),
        "cached_over_computed": min(cached_s) / min(pipeline_s),
    }


def parts(args: argparse.Namespace) -> list[np.ndarray]:
    return batches(args.images, 256)


def stored_images(args: argparse.Namespace, folder: Path) -> ArrayPixels:
    shape = (args.images, NATIVE_SIDE, NATIVE_SIDE, 3)
    images = np.random.default_rng(args.seed).integers(0, 256, shape).astype(np.uint8)
    np.save(folder / "images.npy", images)
    return ArrayPixels(np.load(folder / "images.npy", mmap_mode="r"), np.arange(args.images))


def make_engine(args: argparse.Namespace, pixels: ArrayPixels, side: int, folder: Path) -> LocalEngine:
    folder.mkdir()
    config = make_config(
        images="random", classes=CLASSES, budget=1, backbone=args.backbone, weights=args.weights, seed=args.seed
    )
    return LocalEngine(config, pixels, len(CLASSES), side, ArrayStore(folder / "arrays"), folder / "work")


def time_head_round(args: argparse.Namespace) -> dict[str, float]:
    embeddings, training_set = made_up_round(args)
    mean, std = standardisation(embeddings)

    def head_round() -> None:
        head, temperature, _ = fit_calibrated_head(
            embeddings[training_set.rows],
            training_set,
            mean,
            std,
            rng=np.random.default_rng(args.seed),
            on_epoch=lambda record: None,
        )
        softmax(head.logits(embeddings), temperature)

    return {"head_round_s": min(seconds(head_round) for _ in range(args.repeats))}


def made_up_round(args: argparse.Namespace) -> tuple[np.ndarray, TrainingSet]:
    """Overlapping clusters with sparse, positive features, as after a ReLU and an average."""
    rng = np.random.default_rng(args.seed)
    labels = rng.integers(0, len(CLASSES), args.rows)
    centres = rng.gamma(0.5, 1.0, (len(CLASSES), args.width))
    noise = rng.gamma(0.5, 2.0, (args.rows, args.width))
    embeddings = (0.3 * centres[labels] + noise).astype(np.float32)
    n = min(args.rows, args.labels + args.auto_labels)
    weights = np.where(np.arange(n) < args.labels, 1.0, 0.05).astype(np.float32)
    n_human = min(n, args.labels)
    return embeddings, TrainingSet(np.arange(n), labels[:n], weights, n_human, len(CLASSES))


def seconds(work: Callable[[], object]) -> float:
    started_s = time.perf_counter()
    work()
    return time.perf_counter() - started_s


if __name__ == "__main__":
    main()
