"""modAL, through its functions that ask a classifier for probabilities; the classifier has them ready."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from modAL.uncertainty import entropy_sampling, margin_sampling, uncertainty_sampling

from selection.peers.arrays import Arrays

CALLS = {"least_confidence": "uncertainty_sampling", "margin": "margin_sampling", "entropy": "entropy_sampling"}
_FUNCTIONS = {
    "least_confidence": uncertainty_sampling,
    "margin": margin_sampling,
    "entropy": entropy_sampling,
}


class Given:
    """A classifier that answers with the probabilities it was made with."""

    def __init__(self, probs: np.ndarray) -> None:
        self.probs = probs

    def predict_proba(self, pool: np.ndarray) -> np.ndarray:
        return self.probs


def make_call(strategy: str, folder: Path) -> Callable[[], np.ndarray]:
    arrays, function = Arrays(folder), _FUNCTIONS[strategy]
    classifier, pool = Given(arrays.probs), arrays.embeddings[: arrays.size.n]
    return lambda: np.asarray(function(classifier, pool, n_instances=arrays.size.batch)[0])
