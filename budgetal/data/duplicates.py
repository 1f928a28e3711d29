"""Near-duplicate images, found by the distance of their embeddings."""

import faiss
import numpy as np
from numpy.typing import NDArray

# Nearest images looked at for each one. In a larger cluster of copies each image is still paired with
# this many others, while memory stays n × 16.
_NEIGHBOURS = 16
_CHUNK = 8192
# Exhaustive search is quadratic in time; above this many images only nearby cells are searched.
_EXACT_UP_TO = 50_000
_CELLS_SEARCHED = 8


def near_duplicates(
    embeddings: NDArray[np.float32], threshold: float = 0.995, limit: int = 1000
) -> list[tuple[int, int, float]]:
    """Pairs of rows (i, j, cosine similarity), i < j, at or above `threshold`, the most similar first.

    embeddings: (n, d), rows of length 1. At most `limit` pairs are returned. Exact up to 50,000 rows
    except in clusters of more than 16 copies, where each row is paired with 16 of them; above,
    an inverted-file index may miss a pair that a cell's border divides.
    Raises ValueError for values that are not finite.
    """
    vectors = np.ascontiguousarray(embeddings, np.float32)
    if not np.isfinite(vectors).all():
        raise ValueError("Embeddings contain values that are not finite")
    if len(vectors) < 2:
        return []
    pairs = _pairs(vectors, threshold)
    return sorted(pairs, key=lambda pair: (-pair[2], pair[0], pair[1]))[:limit]


def _pairs(vectors: NDArray[np.float32], threshold: float) -> set[tuple[int, int, float]]:
    index = _index(vectors)
    n_neighbours = min(_NEIGHBOURS + 1, len(vectors))
    found: dict[tuple[int, int], float] = {}
    for start in range(0, len(vectors), _CHUNK):
        similarities, neighbours = index.search(vectors[start : start + _CHUNK], n_neighbours)
        for row, column in zip(*np.nonzero(similarities >= threshold), strict=True):
            i, j = sorted((start + int(row), int(neighbours[row, column])))
            if 0 <= i < j:
                found[i, j] = float(similarities[row, column])
    return {(i, j, similarity) for (i, j), similarity in found.items()}


def _index(vectors: NDArray[np.float32]) -> faiss.Index:
    n, d = vectors.shape
    flat = faiss.IndexFlatIP(d)
    if n <= _EXACT_UP_TO:
        flat.add(vectors)
        return flat
    cells = faiss.IndexIVFFlat(flat, d, int(np.sqrt(n)), faiss.METRIC_INNER_PRODUCT)
    cells.nprobe = _CELLS_SEARCHED
    # Rough cells will do, and finding them would otherwise take longer than the search.
    cells.cp.niter = 8
    cells.train(vectors)
    cells.add(vectors)
    return cells
