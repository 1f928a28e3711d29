"""What is compared: systems, settings of each collection, and its variants."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from budgetal.compare.plan import Axis, Comparison

TARGETS = (0.9, 0.95, 0.98, 0.99)
BASELINE = "random"
NO_LABELLER: Mapping[str, Any] = {"auto_labeller": "none", "audit": 0}
SYSTEMS: Mapping[str, Mapping[str, Any]] = {
    BASELINE: {"strategy": "random"},
    "margin": {"strategy": "margin"},
    "badge": {"strategy": "badge"},
    "informative": {"strategy": "informative"},
    "classical AL": {"strategy": "margin", **NO_LABELLER},
    # Random labels, and a validation set of the audit's size by which a threshold is chosen. Which images are above it
    # changes no label: the others get the same guess.
    "Ground-Truth-style": {"strategy": "random", "auto_labeller": "none"},
    "CEAL": {"strategy": "ceal", "auto_labeller": "ceal", "audit": 0},
    "core_set": {"strategy": "core_set"},
    "typiclust": {"strategy": "typiclust"},
    "scikit-activeml Badge": {"strategy": "skactiveml:Badge"},
    "scikit-activeml CoreSet": {"strategy": "skactiveml:CoreSet"},
    "scikit-activeml TypiClust": {"strategy": "skactiveml:TypiClust"},
}
ROBUST = (BASELINE, "margin", "informative")
"""Systems that are played on the variants."""
MNIST = {"budget": 800, "audit": 300, "initial": 50, "batch": 50, "tolerance": 0.02}
CIFAR10 = {"budget": 10_000, "audit": 500, "initial": 500, "batch": 500, "tolerance": 0.05}
NETWORKS = "mobilenet_v2@128+squeezenet1_0@96+embedded"
WEIGHTS = ("mobilenet_v2_rot180.safetensors", "squeezenet1_0.safetensors")
VARIANTS = ("clean", "noise", "duplicates", "imbalance")
NOISE = 0.2


@dataclass(frozen=True)
class Scale:
    """What the command line chose. finetune: head, or cotrain for the student beside the frozen networks."""

    data: Path
    weights: Path | None
    seeds: int
    finetune: str = "head"
    pool_size: int | None = None


def comparison(collection: str, variant: str, scale: Scale, systems: tuple[str, ...] = ()) -> Comparison:
    """All systems on one variant of one collection; `systems` in place of all."""
    names = systems or (tuple(SYSTEMS) if variant == "clean" else ROBUST)
    axis = Axis("system", {name: SYSTEMS[name] for name in names})
    baseline = BASELINE if BASELINE in names else None
    settings = dict(_settings(collection, scale), **({"noise": NOISE} if variant == "noise" else {}))
    place = str(scale.data / collection)
    seeds, name = tuple(range(scale.seeds)), f"{collection}, {variant}"
    size = scale.pool_size if variant in ("clean", "noise") else None
    return Comparison(name, {collection: place}, seeds, settings, (axis,), TARGETS, size, baseline)


def _settings(collection: str, scale: Scale) -> dict[str, Any]:
    settings: dict[str, Any] = {**(MNIST if collection == "mnist" else CIFAR10), "guard": False}
    if scale.finetune != "head":
        settings |= {"finetune": scale.finetune}
    if collection == "cifar10" and scale.weights is not None:
        files = "+".join(str(scale.weights / name) for name in WEIGHTS)
        settings |= {"backbone": NETWORKS, "weights": f"{files}+embedded"}
    return settings


def settings_of_all(comparisons: Mapping[str, Comparison]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Place and settings of every arm, to be checked before anything runs."""
    for one in comparisons.values():
        for arm in one.arms:
            for place in one.collections.values():
                yield arm.name, place, arm.settings
