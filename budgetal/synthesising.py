"""Mixtures of a project's images, written as pictures that people can label."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from budgetal import seeding
from budgetal.cells import escape_cell
from budgetal.engine.saved import SavedModel
from budgetal.errors import ConfigError, DataError
from budgetal.files import write_atomic
from budgetal.models.predict import batches
from budgetal.query.mixtures import Mixtures, mix, opposite_pairs
from budgetal.types import Json, PixelSource, RowArray, Sample

MANIFEST = "manifest.csv"
_BATCH = 256
# Enough to pair images of all classes; predicting more would only take time.
_CANDIDATES = 1024


def synthesise(
    model: SavedModel, samples: Sequence[Sample], pixels: PixelSource, n: int, out: Path, seed: int
) -> dict[str, Json]:
    """Write n mixtures of two of the images each, as PNG with a manifest, into the new folder `out`.

    Same seed, same mixtures. Raises ConfigError for n < 1 or seed < 0, DataError when `out` holds something, when the
    images are in colour, or when the model puts all of them into one class.
    """
    _check(n, out, seed)
    rng = seeding.generator(seed, 0, "synthesise")
    rows = rng.permutation(len(samples))[: max(_CANDIDATES, 4 * n)]
    grey = _grey(pixels, rows)
    probs = _predict(model, grey)
    if len(torch.unique(probs.argmax(dim=1))) < 2:
        raise DataError("The model puts all images into one class: there is nothing between classes to show")
    first, second = opposite_pairs(probs, n, rng)
    mixtures = mix(grey[first], grey[second], lambda images: _predict(model, images))
    pairs = [(samples[rows[a]].paths[0], samples[rows[b]].paths[0]) for a, b in zip(first, second, strict=True)]
    _write(out, mixtures, pairs, model.classes)
    return {"n": n, "manifest": str(out / MANIFEST), "mean_margin": _mean_margin(mixtures.probs)}


def _check(n: int, out: Path, seed: int) -> None:
    if n < 1:
        raise ConfigError(f"'n' cannot be {n}: ask for 1 mixture or more")
    if seed < 0:
        raise ConfigError(f"'seed' cannot be {seed}: it must be 0 or more")
    if out.exists() and any(out.iterdir()):
        raise DataError(f"{out} is not empty: choose a new folder for the mixtures")


def _grey(pixels: PixelSource, rows: RowArray) -> Tensor:
    """One channel (n, h, w) of the images at `rows`. Raises DataError when their channels differ."""
    parts = [_one_channel(pixels.read(rows[part])) for part in batches(len(rows), _BATCH)]
    return torch.from_numpy(np.concatenate(parts))


def _one_channel(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if (images != images[..., :1]).any():
        raise DataError(
            "These are colour images: a mixture of two looks like neither. Mixtures are for grey-scale images; "
            "for others use the strategy 'synthesis'"
        )
    return images[..., 0]


def _predict(model: SavedModel, images: Tensor) -> Tensor:
    """Probabilities (n, classes) of grey images (n, h, w)."""
    found = [
        model.predict(np.repeat(images[rows].numpy()[..., None], 3, axis=3)) for rows in batches(len(images), _BATCH)
    ]
    return torch.from_numpy(np.concatenate(found))


def _write(out: Path, mixtures: Mixtures, pairs: list[tuple[str, str]], classes: tuple[str, ...]) -> None:
    """The pictures first: a manifest names only what is there."""
    out.mkdir(parents=True, exist_ok=True)
    names = [f"mixture-{i:04}.png" for i in range(1, len(pairs) + 1)]
    for name, image in zip(names, mixtures.images.numpy(), strict=True):
        write_atomic(out / name, _png(image))
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(("path", "first", "second", "share_of_first", *(f"p({name})" for name in classes)))
    for name, pair, share, probs in zip(names, pairs, mixtures.shares.tolist(), mixtures.probs.tolist(), strict=True):
        sources = [escape_cell(path) for path in pair]
        writer.writerow((name, *sources, round(share, 6), *(round(value, 6) for value in probs)))
    write_atomic(out / MANIFEST, text.getvalue().encode())


def _png(image: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


def _mean_margin(probs: Tensor) -> float:
    """Mean of p_1 - p_2: 0 when the model is torn on every mixture."""
    best = probs.topk(2, dim=1).values
    return round(float((best[:, 0] - best[:, 1]).mean()), 6)
