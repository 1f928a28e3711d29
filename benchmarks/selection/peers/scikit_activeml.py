"""scikit-activeml, through `query` with the labelled images' labels and classifiers that have nothing to fit."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from skactiveml.base import SkactivemlClassifier
from skactiveml.pool import (
    Badge,
    CoreSet,
    GreedyBALD,
    MaxHerding,
    ProbCover,
    QueryByCommittee,
    TypiClust,
    UncertaintySampling,
)

from selection.peers.arrays import Arrays

# Its DropQuery is not timed: it draws its dropout inside the call and predicts anew, ours is given the passes.
CALLS = {
    "least_confidence": "UncertaintySampling",
    "margin": "UncertaintySampling",
    "entropy": "UncertaintySampling",
    "bald": "GreedyBALD",
    "committee": "QueryByCommittee",
    "core_set": "CoreSet",
    "badge": "Badge",
    "typiclust": "TypiClust",
    "prob_cover": "ProbCover",
    "max_herding": "MaxHerding",
}
_METHODS = {"least_confidence": "least_confident", "margin": "margin_sampling", "entropy": "entropy"}


class Given(SkactivemlClassifier):
    """A classifier that answers with the probabilities it was made with, those of the pool."""

    def __init__(self, probs: np.ndarray) -> None:
        super().__init__(classes=np.arange(probs.shape[1]))
        self.probs = probs
        self.classes_ = self.classes

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> "Given":
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return self.probs

    def predict(self, X: np.ndarray) -> np.ndarray:
        return self.probs.argmax(axis=1)


def make_call(strategy: str, folder: Path) -> Callable[[], np.ndarray]:
    arrays = Arrays(folder)
    images, batch = arrays.embeddings, arrays.size.batch
    targets = np.concatenate([np.full(arrays.size.n, np.nan), arrays.labelled_targets])
    models = _models(strategy, arrays)
    # A fresh query strategy for each call: ProbCover would keep its distances for the next.
    return lambda: np.asarray(_make(strategy, arrays).query(X=images, y=targets, batch_size=batch, **models))


def _make(strategy: str, arrays: Arrays) -> Any:
    seed = arrays.size.seed
    if strategy in _METHODS:
        return UncertaintySampling(method=_METHODS[strategy], random_state=seed)
    if strategy == "committee":
        return QueryByCommittee(method="KL_divergence", random_state=seed)
    if strategy == "prob_cover":
        return ProbCover(n_classes=arrays.size.classes, random_state=seed)
    if strategy == "max_herding":
        return MaxHerding(metric_dict={"gamma": 1.0}, random_state=seed)
    simple = {"bald": GreedyBALD, "core_set": CoreSet, "badge": Badge, "typiclust": TypiClust}
    return simple[strategy](random_state=seed)


def _models(strategy: str, arrays: Arrays) -> Mapping[str, Any]:
    """The arguments by which a strategy takes a fitted classifier, or several."""
    if strategy in (*_METHODS, "badge"):
        return {"clf": Given(arrays.probs), "fit_clf": False}
    if strategy in ("bald", "committee"):
        several = arrays.read("passes" if strategy == "bald" else "committee")
        return {"ensemble": [Given(probs) for probs in several], "fit_ensemble": False}
    return {}
