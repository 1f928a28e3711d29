"""What strategies need beside embeddings and probabilities, made up when one of them asks, and the view they get."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from budgetal.query.needs import Need
from budgetal.query.view import PoolView, SourceView
from selection.data import (
    COMMITTEE,
    LAYERS,
    PASSES,
    SOURCE,
    TARGET,
    Array,
    Size,
    blocks,
    disturbed,
    make_mixture,
    new_file,
    on_sphere,
    predict,
    read_file,
    write_part,
)

N_PASSES = 5
N_COMMITTEE = 5
N_ELSEWHERE = 5_000  # images of the source, and of the target
DROPPED = 0.25
LAYER_SHARES = (4, 2)  # the first two layers have d / 4 and d / 2 features; the embedding is the third


def write_needs(needs: Iterable[Need], folder: Path, size: Size) -> None:
    """Write the files of each need that is not in the pool's own."""
    wanted, mixture = set(needs), make_mixture(size)
    n_elsewhere = min(N_ELSEWHERE, size.n)
    if {"source", "shared_source", "layers"} & wanted:
        write_part(mixture, size, folder, "source_", n_elsewhere, SOURCE)
    if "target_embeddings" in wanted:
        write_part(mixture, size, folder, "target_", n_elsewhere, TARGET)
    if "layers" in wanted:
        write_layers(folder, size, "")
        write_layers(folder, size, "source_")
    if "passes" in wanted:
        write_predictions(folder, size, "passes", dropout_weights(size, mixture.weights))
    if "committee" in wanted:
        write_predictions(folder, size, "committee", committee_weights(size, mixture.weights))


def write_layers(folder: Path, size: Size, prefix: str) -> None:
    embeddings = read_file(folder / f"{prefix}embeddings.npy")
    for place, share in enumerate(LAYER_SHARES):
        rng = np.random.default_rng([size.seed, LAYERS, place])
        projection = rng.standard_normal((size.d, max(1, size.d // share)), dtype=np.float32)
        layer = new_file(folder / f"{prefix}layer{place}.npy", (len(embeddings), projection.shape[1]))
        for block in blocks(len(embeddings)):
            layer[block] = on_sphere(embeddings[block] @ projection)


def write_predictions(folder: Path, size: Size, name: str, models: list[Array]) -> None:
    embeddings = read_file(folder / "embeddings.npy")
    probs = new_file(folder / f"{name}.npy", (len(models), size.n, size.classes))
    for block in blocks(size.n):
        for place, weights in enumerate(models):
            probs[place, block] = predict(embeddings[block], weights)


def dropout_weights(size: Size, weights: Array) -> list[Array]:
    """The linear model with a quarter of its inputs dropped, another quarter in each pass."""
    rng = np.random.default_rng([size.seed, PASSES])
    masks = rng.random((N_PASSES, size.d, 1)) >= DROPPED
    return [(weights * mask / (1 - DROPPED)).astype(np.float32) for mask in masks]


def committee_weights(size: Size, weights: Array) -> list[Array]:
    rng = np.random.default_rng([size.seed, COMMITTEE])
    return [disturbed(rng, weights) for _ in range(N_COMMITTEE)]


def read_pool(needs: tuple[Need, ...], folder: Path, device: str) -> PoolView:
    """The view of a strategy with these needs; the arrays that it needs have been read once, no others."""
    always = ("probs", "embeddings", "labelled_embeddings")
    fields: dict[str, Any] = {name: _unread(folder / f"{name}.npy", device) for name in always}
    plain = [need for need in needs if need not in ("source", "shared_source", "layers")]
    fields |= {need: _read(folder / f"{need}.npy", device) for need in plain}
    if "layers" in needs:
        fields["layers"] = _read_layers(folder, "", device)
    if {"source", "shared_source"} & set(needs):
        fields["source"] = _read_source(folder, device, "layers" in needs)
    ranks = torch.arange(len(fields["probs"]), device=device)
    return PoolView(id_ranks=ranks, n_labelled=len(fields["labelled_embeddings"]), **fields)


def _unread(path: Path, device: str) -> Tensor:
    """An array of the right shape and no memory, for a strategy that does not look at it."""
    return torch.zeros((), device=device).expand(read_file(path).shape)


def _read_source(folder: Path, device: str, with_layers: bool) -> SourceView:
    layers = _read_layers(folder, "source_", device) if with_layers else ()
    targets = _read(folder / "source_targets.npy", device)
    return SourceView(_read(folder / "source_embeddings.npy", device), targets, layers)


def _read_layers(folder: Path, prefix: str, device: str) -> tuple[Tensor, ...]:
    names = [*(f"layer{place}" for place in range(len(LAYER_SHARES))), "embeddings"]
    return tuple(_read(folder / f"{prefix}{name}.npy", device) for name in names)


def _read(path: Path, device: str) -> Tensor:
    """One pass over the values brings the whole file into memory, without a copy on the CPU."""
    values = torch.from_numpy(read_file(path)).to(device)
    values.sum()
    return values
