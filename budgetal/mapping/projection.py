"""From embeddings to points in the plane: principal components, then t-SNE (van der Maaten & Hinton, JMLR 2008)."""

from collections.abc import Callable

import faiss
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
OnStep = Callable[[int, int, Floats], None]
"""Called with how many steps are done, of how many, and where the points (n, 2) are by now."""

WIDTH = 50
"""Principal components that t-SNE is given: what is beyond them is mostly noise, and costs time."""
PERPLEXITY = 30.0
FEWEST = 12
"""With fewer images the first two components are the map: t-SNE needs neighbours to choose from."""
MOST_BY_TREE = 4_000
"""Up to so many points a tree (Barnes & Hut) finds the forces sooner than interpolation on a grid."""
EARLY, LATE = 250, 500
"""Steps that pull the clusters apart, and steps that settle them, of a map without a predecessor."""
ANEW = 250
"""Steps of a map that begins where the last one ended."""
EARLY_EXAGGERATION = 12.0
TOLD_EVERY = 25


def no_step(_done: int, _total: int, _points: Floats) -> None:
    """Nobody watches."""


def project(embeddings: Floats, start: Floats | None, rng: np.random.Generator, on_step: OnStep = no_step) -> Floats:
    """Points (n, 2) of embeddings (n, d).

    start: the last map's points (n, 2) of the same images, near which they stay; None: the first two components.
    By openTSNE (Poličar, Stražar & Zupan 2019), with forces interpolated on a grid (Linderman et al., Nature Methods
    2019): O(n) time a step and O(n) memory. One thread, so the same input gives the same points.
    """
    if len(embeddings) == 0 or not np.ptp(embeddings, axis=0).any():
        return np.zeros((len(embeddings), 2), np.float32)
    components = principal_components(embeddings, rng)
    if len(embeddings) < FEWEST:
        return components[:, :2]
    from openTSNE import TSNEEmbedding, affinity, initialization

    told = _Told(on_step, ANEW if start is not None else EARLY + LATE)
    told.tell(components[:, :2] if start is None else start)
    affinities = affinity.PerplexityBasedNN(perplexity=_perplexity(len(components)), knn_index=_neighbours(components))
    flat = components[:, :2].astype(np.float64)
    first = initialization.rescale(flat) if start is None else start.astype(np.float64)
    forces = "fft" if len(embeddings) > MOST_BY_TREE else "bh"
    settings = {"n_jobs": 1, "negative_gradient_method": forces, "callbacks": told, "callbacks_every_iters": TOLD_EVERY}
    points = TSNEEmbedding(first, affinities, random_state=int(rng.integers(2**31)), **settings)
    if start is None:
        points = points.optimize(EARLY, exaggeration=EARLY_EXAGGERATION, momentum=0.5)
    points = points.optimize(ANEW if start is not None else LATE, momentum=0.8)
    return np.asarray(points, dtype=np.float32)


def principal_components(embeddings: Floats, rng: np.random.Generator) -> Floats:
    """The first components (n, k), k = 2 to 50; columns of zeros where the embeddings have fewer dimensions."""
    from sklearn.decomposition import PCA

    n, d = embeddings.shape
    k = min(WIDTH, n, d)
    seed = int(rng.integers(2**31))
    found = PCA(k, svd_solver="randomized", random_state=seed).fit_transform(embeddings).astype(np.float32)
    return np.pad(found, ((0, 0), (0, max(0, 2 - k))))


def _perplexity(n: int) -> float:
    # Three times as many neighbours must exist.
    return min(PERPLEXITY, (n - 1) / 3)


def _neighbours(components: Floats) -> "object":
    from openTSNE.nearest_neighbors import PrecomputedNeighbors

    k = min(len(components) - 1, int(3 * _perplexity(len(components))))
    # Exact, and with products in the cache faster than an approximate index of so few points.
    squared, rows = faiss.knn(components, components, k + 1)
    # The first is the point itself, or a duplicate of it that stands for it as well.
    return PrecomputedNeighbors(rows[:, 1:], np.sqrt(np.maximum(squared[:, 1:], 0)))


class _Told:
    """Counts the steps of both phases as one."""

    def __init__(self, on_step: OnStep, total: int) -> None:
        self._on_step = on_step
        self._total = total
        self._done = 0

    def __call__(self, _step: int, _error: float, points: Floats) -> None:
        self._done += TOLD_EVERY
        self.tell(points)

    def tell(self, points: Floats) -> None:
        """Pass on where the points are."""
        self._on_step(min(self._done, self._total), self._total, np.array(points, dtype=np.float32))
