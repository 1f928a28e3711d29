"""Made-up embeddings and probabilities, written block by block, so that making them takes no memory.

A mixture on the unit sphere: four clusters a class around random directions, cluster j of size ∝ 1 / √(j + 1), and
row = normalise(centre + noise · g / √d) with g standard normal, so that two images of a cluster have a cosine of about
1 / (1 + noise²). Probabilities are the softmax of a linear model on those rows whose weights are disturbed.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

CLUSTERS_PER_CLASS = 4
WEIGHT_NOISE = 1.0
SHARPNESS = 20.0
BLOCK_ROWS = 50_000
# One stream of random numbers for each part of the data.
MIXTURE, POOL, LABELLED, SOURCE, TARGET, LAYERS, PASSES, COMMITTEE = range(8)

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Size:
    """What to select from, and how many."""

    n: int
    d: int
    classes: int
    batch: int
    labelled: int
    noise: float
    seed: int


@dataclass(frozen=True)
class Mixture:
    """Cluster centres (clusters, d) with each one's share and class, and the linear model's weights (d, classes)."""

    centres: Array
    shares: NDArray[np.float64]
    targets: NDArray[np.int64]
    weights: Array


def write_data(size: Size, folder: Path) -> None:
    """Write the pool and the labelled images as .npy files, and the size as size.json."""
    mixture = make_mixture(size)
    (folder / "size.json").write_text(json.dumps(asdict(size)))
    write_part(mixture, size, folder, "", size.n, POOL)
    write_part(mixture, size, folder, "labelled_", size.labelled, LABELLED)


def read_size(folder: Path) -> Size:
    return Size(**json.loads((folder / "size.json").read_text()))


def make_mixture(size: Size) -> Mixture:
    rng = np.random.default_rng([size.seed, MIXTURE])
    n_clusters = CLUSTERS_PER_CLASS * size.classes
    centres = on_sphere(rng.standard_normal((n_clusters, size.d), dtype=np.float32))
    shares = 1 / np.sqrt(np.arange(1, n_clusters + 1))
    targets = rng.permutation(n_clusters) % size.classes
    means = np.stack([centres[targets == target].mean(axis=0) for target in range(size.classes)])
    return Mixture(centres, shares / shares.sum(), targets, disturbed(rng, on_sphere(means).T))


def write_part(mixture: Mixture, size: Size, folder: Path, prefix: str, n: int, stream: int) -> None:
    """Write embeddings (n, d), probs (n, classes) and targets (n,) drawn from the mixture."""
    embeddings = new_file(folder / f"{prefix}embeddings.npy", (n, size.d))
    probs = new_file(folder / f"{prefix}probs.npy", (n, size.classes))
    targets = np.empty(n, np.int64)
    for block in blocks(n):
        rng = np.random.default_rng([size.seed, stream, block.start])
        clusters = rng.choice(len(mixture.centres), block.stop - block.start, p=mixture.shares)
        rows = on_sphere(mixture.centres[clusters] + small(rng, (len(clusters), size.d), size.noise))
        embeddings[block], targets[block] = rows, mixture.targets[clusters]
        probs[block] = predict(rows, mixture.weights)
    np.save(folder / f"{prefix}targets.npy", targets)


def predict(rows: Array, weights: Array) -> Array:
    """Class probabilities of the linear model."""
    logits = SHARPNESS * (rows @ weights)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def disturbed(rng: np.random.Generator, weights: Array) -> Array:
    """Columns of length 1, each pushed off by `WEIGHT_NOISE`."""
    columns = weights.T + small(rng, weights.T.shape, WEIGHT_NOISE)
    return np.ascontiguousarray(on_sphere(columns).T)


def small(rng: np.random.Generator, shape: tuple[int, ...], length: float) -> Array:
    """Normal vectors of expected length about `length`."""
    return rng.standard_normal(shape, dtype=np.float32) * np.float32(length / np.sqrt(shape[1]))


def on_sphere(rows: Array) -> Array:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def new_file(path: Path, shape: tuple[int, ...]) -> Array:
    return np.lib.format.open_memmap(path, "w+", np.float32, shape)


def read_file(path: Path) -> NDArray[np.generic]:
    """The array, mapped; copied on write, so that nobody can change what the next one sees."""
    return np.load(path, mmap_mode="c")


def blocks(n: int) -> list[slice]:
    return [slice(start, min(start + BLOCK_ROWS, n)) for start in range(0, n, BLOCK_ROWS)]
