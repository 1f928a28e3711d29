"""Linear-probe accuracy of the embedded encoder, beside the same network untrained.

Example:
    python benchmarks/linear_probe.py --data DIR --json

DIR holds cifar10/ and mnist/, each with {train,test}/{images,labels}.npy; without --data only the digits
that scikit-learn bundles are measured. Embeddings are standardised by the training images' mean and
spread; the probe is a multinomial logistic regression. Few-label results are means over random draws.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from budgetal.models.compute import autocast
from budgetal.models.embedded import INPUT_SIZE, MEAN, STD, EmbeddedEncoder, load_embedded_encoder
from budgetal.models.preprocess import to_input

LABEL_COUNTS = (100, 1000)
N_DRAWS = 5
INVERSE_PENALTY = 0.1
N_DIGITS_TEST = 500
BATCH_SIZE = 500


@dataclass(frozen=True)
class Split:
    """Images uint8 (n, h, w, 3) and labels (n,), for training and for testing."""

    name: str
    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.int64]


@dataclass(frozen=True)
class Result:
    data: str
    encoder: str
    n_labels: int
    n_draws: int
    accuracy: float
    spread: float


def main() -> None:
    args = parse_arguments()
    encoders = {"pre-trained": load_embedded_encoder(), "untrained": untrained_encoder(args.seed)}
    results = []
    for split in read_splits(args.data, args.limit, args.seed):
        for name, encoder in encoders.items():
            for result in probe(split, name, encoder, args.seed):
                results.append(result)
                if not args.json:
                    print(format_result(result), flush=True)
    if args.json:
        print(json.dumps([asdict(result) for result in results], indent=2))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with cifar10/ and mnist/ (default: digits only)")
    parser.add_argument("--limit", type=int, help="use at most this many training images of each data set")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    return parser.parse_args()


def untrained_encoder(seed: int) -> EmbeddedEncoder:
    """The network as initialised, its norm statistics left at mean 0 and variance 1."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return EmbeddedEncoder().eval()


def read_splits(data: Path | None, limit: int | None, seed: int) -> Iterator[Split]:
    yield bundled_digits(np.random.default_rng(seed))
    for name in ("mnist", "cifar10") if data else ():
        yield Split(name, *read_part(data / name / "train", limit), *read_part(data / name / "test", None))


def bundled_digits(rng: np.random.Generator) -> Split:
    """The 1,797 digits of 8 x 8 pixels in scikit-learn, split at random."""
    images, labels = load_digits(return_X_y=True)
    grey = np.round(images.reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    order = rng.permutation(len(labels))
    test, train = order[:N_DIGITS_TEST], order[N_DIGITS_TEST:]
    colour = as_colour(grey)
    return Split("digits", colour[train], labels[train], colour[test], labels[test])


def read_part(folder: Path, limit: int | None) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    images = np.load(folder / "images.npy", mmap_mode="r")[:limit]
    labels = np.load(folder / "labels.npy")[:limit].astype(np.int64)
    return as_colour(images), labels


def as_colour(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Repeat grey (n, h, w) three times; leave (n, h, w, 3) as it is."""
    return np.repeat(images[..., None], 3, axis=3) if images.ndim == 3 else images


def probe(split: Split, name: str, encoder: EmbeddedEncoder, seed: int) -> Iterator[Result]:
    """Accuracies of one encoder on one data set, for each number of labels."""
    train, test = embed(encoder, split.train_images), embed(encoder, split.test_images)
    scaler = StandardScaler().fit(train)
    train, test = scaler.transform(train), scaler.transform(test)
    rng = np.random.default_rng(seed)
    for n_labels in (*LABEL_COUNTS, len(train)):
        n_draws = 1 if n_labels == len(train) else N_DRAWS
        draws = [rng.choice(len(train), n_labels, replace=False) for _ in range(n_draws)]
        scores = [fit_probe(train[rows], split.train_labels[rows]).score(test, split.test_labels) for rows in draws]
        yield Result(split.name, name, n_labels, n_draws, float(np.mean(scores)), float(np.std(scores)))


@torch.inference_mode()
def embed(encoder: EmbeddedEncoder, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Uint8 (n, h, w, 3) to float32 (n, EMBEDDING_WIDTH)."""
    encoder = encoder.to(memory_format=torch.channels_last)
    parts = []
    for start in range(0, len(images), BATCH_SIZE):
        batch = to_input(np.asarray(images[start : start + BATCH_SIZE]), INPUT_SIZE, MEAN, STD)
        with autocast("cpu"):
            parts.append(encoder(batch).float().numpy())
    return np.concatenate(parts)


def fit_probe(embeddings: NDArray[np.float32], labels: NDArray[np.int64]) -> LogisticRegression:
    return LogisticRegression(C=INVERSE_PENALTY, max_iter=300).fit(embeddings, labels)


def format_result(result: Result) -> str:
    return (
        f"{result.data:8s} {result.encoder:12s} {result.n_labels:6d} labels  "
        f"{100 * result.accuracy:5.1f} % (spread {100 * result.spread:.1f}, {result.n_draws} draws)"
    )


if __name__ == "__main__":
    main()
