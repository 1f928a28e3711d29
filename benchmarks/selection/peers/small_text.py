"""small-text, through `query` and, where a strategy wants embeddings, `sample`."""

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from small_text import BreakingTies, GreedyCoreset, LeastConfidence, PredictionEntropy

from selection.peers.arrays import Arrays

# Its BADGE is not timed: its gradient embedding leaves out the "- 1" at the predicted class, and it draws with a
# generator that nobody can seed.
CALLS = {
    "least_confidence": "LeastConfidence",
    "margin": "BreakingTies",
    "entropy": "PredictionEntropy",
    "core_set": "GreedyCoreset",
}
_BY_CONFIDENCE = {"least_confidence": LeastConfidence, "margin": BreakingTies, "entropy": PredictionEntropy}


class Given:
    """A classifier that answers with the probabilities it was made with."""

    def __init__(self, probs: np.ndarray) -> None:
        self.probs = probs

    def predict_proba(self, dataset: np.ndarray) -> np.ndarray:
        return self.probs


def make_call(strategy: str, folder: Path) -> Callable[[], np.ndarray]:
    arrays = Arrays(folder)
    n, batch = arrays.size.n, arrays.size.batch
    images = arrays.embeddings
    unlabelled, labelled, targets = np.arange(n), np.arange(n, len(images)), arrays.labelled_targets
    if strategy == "core_set":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            coreset = GreedyCoreset(normalize=False)
        return lambda: coreset.sample(None, images, unlabelled, labelled, targets, batch, images)
    classifier, query = Given(arrays.all_probs), _BY_CONFIDENCE[strategy]()
    return lambda: query.query(classifier, images, unlabelled, labelled, targets, n=batch)
