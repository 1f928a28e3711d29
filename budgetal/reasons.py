"""Why an image was asked: what the newest model finds of it, against a sample of the pool, and labelled look-alikes.

Only for open images that may be helped. Of an image that people answer by themselves nothing is told, since all of it
would tell: labelled neighbours name a class, and an audit image is an average one where a strategy's are not.
Neighbours are training images only: what people said of audit images never reaches those who label others.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from budgetal.blindness import may_be_helped
from budgetal.errors import DataError
from budgetal.guesses import Guess, Guesses
from budgetal.measures import adaptive_weights, centred, informativeness, knn_density, margin, mean_vector, redundancy
from budgetal.query.kernels.spread_rows import spread_rows
from budgetal.query.strategy import strategies
from budgetal.state import State
from budgetal.types import RowArray
from budgetal.views import Views

N_COMPARED = 1_024
"""Images of the pool, at random, that an image is compared with."""
N_NEIGHBOURS = 5
N_GUESSES = 3
_DENSITY_OVER = 10


@dataclass(frozen=True)
class Quantity:
    """A measure of the image, and the share of the pool's sample that is below it."""

    value: float
    percentile: float


@dataclass(frozen=True)
class Neighbour:
    """A labelled image outside the audit. similarity: cosine of embeddings less their mean, in [-1, 1]."""

    sample_id: str
    label: str
    similarity: float


@dataclass(frozen=True)
class Reason:
    """Why one image was asked, by the newest model; measures are those of the default strategy, whichever chose it."""

    strategy: str
    summary: str
    round: int
    weights: Mapping[str, float]
    guesses: tuple[Guess, ...]
    uncertainty: Quantity
    correlation: Quantity
    informativeness: Quantity
    neighbours: tuple[Neighbour, ...]


class Reasons:
    """Finds reasons in one project."""

    def __init__(self, views: Views, guesses: Guesses) -> None:
        self._views = views
        self._guesses = guesses

    def of(self, state: State, sample_id: str) -> Reason | None:
        """The reason for an open image; None where it is answered blind, or nothing is predicted yet.

        Raises DataError for an image that nobody is asked about now.
        """
        query_id = state.open_items.get(sample_id)
        if query_id is None:
            raise DataError(f"Nobody is asked about image {sample_id} now")
        probs, embeddings = self._guesses.array(state.probs_ref), self._guesses.array(state.embeddings_ref)
        if probs is None or embeddings is None or not may_be_helped(state, sample_id, query_id):
            return None
        row = int(self._views.pool.rows([sample_id])[0])
        rows = _compared_with(row, len(probs))
        training = self._views.training_rows(state)
        parts = [torch.from_numpy(np.asarray(embeddings[some])) for some in (rows, training)]
        mean = mean_vector(*parts)
        vectors, labelled = (centred(part, mean) for part in parts)
        weights = adaptive_weights(len(training), probs.shape[1])
        u, c = margin(torch.from_numpy(np.asarray(probs[rows]))), _density(vectors)
        return Reason(
            strategy=state.strategy,
            summary=strategies[state.strategy].summary,
            round=state.queries[query_id].round,
            weights=vars(weights),
            guesses=self._most_probable(state, np.asarray(probs[row])),
            uncertainty=_first_of(u),
            correlation=_first_of(c),
            informativeness=_first_of(informativeness(u, c, redundancy(vectors, labelled), weights)),
            neighbours=self._neighbours(state, training, labelled @ vectors[0]),
        )

    def _most_probable(self, state: State, probs: np.ndarray) -> tuple[Guess, ...]:
        order = np.argsort(-probs, kind="stable")[:N_GUESSES]
        names = state.settings.classes
        return tuple(Guess(names[int(target)], round(float(probs[target]), 4)) for target in order)

    def _neighbours(self, state: State, training: RowArray, similarity: Tensor) -> tuple[Neighbour, ...]:
        nearest = similarity.argsort(descending=True, stable=True)[:N_NEIGHBOURS].numpy()
        ids, targets = self._views.pool.ids(training[nearest]), self._views.targets(state, training[nearest])
        names = state.settings.classes
        found = zip(ids, targets, similarity.numpy()[nearest], strict=True)
        return tuple(Neighbour(i, names[int(target)], round(float(value), 4)) for i, target, value in found)


def _compared_with(row: int, n: int) -> RowArray:
    """The image's row, then a sample of the others."""
    sample = spread_rows(n, N_COMPARED, torch.device("cpu")).numpy()
    return np.concatenate([[row], sample[sample != row]])


def _density(vectors: Tensor) -> Tensor:
    """k-NN density of each vector among all but the first, which is compared with them."""
    return knn_density(vectors, _DENSITY_OVER, torch.arange(1, len(vectors)))


def _first_of(values: Tensor) -> Quantity:
    """The first value, against the others."""
    below = (values[1:] < values[0]).float().mean() if len(values) > 1 else torch.zeros(())
    return Quantity(round(float(values[0]), 4), round(float(below), 4))
