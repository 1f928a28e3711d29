"""Learning curves of simulated projects: played once each, then read from what they stored."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from budgetal.annotators.oracle import Oracle
from budgetal.project import Project
from budgetal.setup import is_set_up
from budgetal.simulate import run, true_labels

SQUEEZENET = {"backbone": "squeezenet1_0", "input_size": 96}
CIFAR10 = {"budget": 5_000, "tolerance": 0.05, "audit": 1_000, "initial": 500, "batch": 500}
MNIST = {"budget": 1_000, "tolerance": 0.02}


@dataclass(frozen=True)
class Curve:
    """What one run measured. r rounds, a audit images.

    n_training: (r,) labels trained on; right: (r, a) whether the model is right on each audit image;
    coverage: (r,) share of the pool labelled by people or automatically; test_accuracy: (r,) on new images.
    """

    name: str
    n_samples: int
    n_training: NDArray[np.int64]
    right: NDArray[np.bool_]
    coverage: NDArray[np.float64]
    test_accuracy: NDArray[np.float64]


def play(
    collection: str, strategy: str, seed: int, data: Path, weights: str, runs: Path, features: Path | None
) -> Path:
    """Run a project to its end, unless that was done before; return its folder."""
    folder = runs / f"{collection}-{strategy}-{seed}"
    if not folder.exists() and features is not None:
        share_features(features, folder)
    project = _project(folder, collection, data, weights, strategy=strategy, seed=seed)
    truth = true_labels(project)
    run(project, Oracle(truth, project.config.classes))
    project.close()
    return folder


def _project(folder: Path, collection: str, data: Path, weights: str, **settings: Any) -> Project:
    if is_set_up(folder):
        return Project.open(folder)
    network = {**SQUEEZENET, "weights": weights} if collection == "cifar10" else {}
    plan = CIFAR10 if collection == "cifar10" else MNIST
    images, test_images = (str(data / collection / split) for split in ("train", "test"))
    # Without the guard, so that a run is its strategy's to the end.
    return Project.create(folder, images=images, test_images=test_images, guard=False, **settings, **plan, **network)


def share_features(finished: Path, folder: Path) -> None:
    """Give a new project the stored features of another one of the same images and network."""
    arrays = folder / "cache" / "arrays"
    arrays.mkdir(parents=True)
    for path in (finished / "cache" / "arrays").glob("features-*.npy"):
        os.link(path, arrays / path.name)
    shutil.copytree(finished / "models", folder / "models")


def read_curve(folder: Path) -> Curve:
    """The curve of a finished simulation, from its journal and stored probabilities."""
    project = Project.open(folder)
    try:
        return _curve(folder.name, project)
    finally:
        project.close()


def _curve(name: str, project: Project) -> Curve:
    state, space = project.state, project.workspace
    truth = true_labels(project)
    index = {label: target for target, label in enumerate(state.settings.classes)}
    targets = np.array([index[truth[sample.sample_id]] for sample in project.samples])
    audit = space.pool(project.samples).rows(list(state.audit))
    predicted = [space.arrays.get(state.probs_refs[record.round]).argmax(axis=1) for record in state.rounds]
    return Curve(
        name,
        state.n_samples,
        np.array([record.n_human - len(audit) for record in state.rounds]),
        np.array([found[audit] == targets[audit] for found in predicted]),
        np.array([record.coverage for record in state.rounds]),
        np.array([record.test_accuracy for record in state.rounds]),
    )
