"""Bytes and operations that a strategy cannot do without, and the time that the machine's limits allow them.

Without a formula of its own, a strategy is held to reading each array that it needs once: no lower bound is simpler.
Where images are picked one after another there are two formulas: the source's own loop, which reads everything again
for every pick, and one matrix product of all rows with all picks, as if they were known in advance. A
strategy that proves which rows it need not look at can be faster than both.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from budgetal.query import Need
from budgetal.query.kernels.max_cover import reference_size
from selection.data import Size
from selection.supplies import LAYER_SHARES, N_COMMITTEE, N_ELSEWHERE, N_PASSES

ONCE, LOOP, PRODUCT = "", "pick by pick", "one product"
REFERENCE_ROWS = 4096  # of strategies that seek neighbours in a sample
INDUCING_ROWS = 256
MOST_CLUSTERS, JOINED_CENTRES = 500, 2048
N_ANNOTATORS, ANNOTATED, CANDIDATES_A_PICK = 10, 20_000, 4
FISHER_WIDTH, CLASS_DIRECTIONS, FISHER_RANK, FISHER_CANDIDATES = 512, 16, 2, 10_000


@dataclass(frozen=True)
class Work:
    """Bytes read, and operations in float32; how names the formula where a strategy has several."""

    how: str
    n_bytes: float
    operations: float


def arrays_once(needs: tuple[Need, ...], size: Size) -> Work:
    """Each array read once, with an addition and a product a number."""
    numbers = float(sum(numbers_of(need, size) for need in needs))
    return Work(ONCE, 4 * numbers, 2 * numbers)


def numbers_of(need: Need, size: Size) -> int:
    """How many numbers an array holds."""
    layers = size.d + sum(size.d // share for share in LAYER_SHARES)
    return {
        "probs": size.n * size.classes,
        "embeddings": size.n * size.d,
        "labelled_embeddings": size.labelled * size.d,
        "labelled_targets": size.labelled,
        "labelled_probs": size.labelled * size.classes,
        "passes": N_PASSES * size.n * size.classes,
        "bait": bait,
        "committee": N_COMMITTEE * size.n * size.classes,
        "source": N_ELSEWHERE * size.d,
        "shared_source": N_ELSEWHERE * size.d,
        "target_embeddings": N_ELSEWHERE * size.d,
        "layers": size.n * layers,
    }[need]


def product(size: Size, columns: int, width: int | None = None) -> Work:
    """Every row, `width` numbers wide, times so many columns; the embeddings unless told."""
    wide = width or size.d
    return Work(PRODUCT, 4.0 * size.n * wide, 2.0 * size.n * wide * columns)


def loop(size: Size, before: int, width: int | None = None) -> Work:
    """One product with `before` columns, then the rows once more for each pick."""
    whole = product(size, before + size.batch, width)
    return Work(LOOP, whole.n_bytes * ((before > 0) + size.batch), whole.operations)


def both(size: Size, before: int, width: int | None = None) -> list[Work]:
    return [loop(size, before, width), product(size, before + size.batch, width)]


def two_passes(width: int, twice: int, size: Size) -> list[Work]:
    """`twice` columns are read a second time: the pool's mean must be known before the first product with it."""
    numbers = float(size.n * (width + 2 * twice))
    return [Work(ONCE, 4 * numbers, 2 * numbers)]


def gp_transfer(size: Size) -> list[Work]:
    features = product(size, INDUCING_ROWS).operations + product(size, INDUCING_ROWS, INDUCING_ROWS).operations
    picks = product(size, 2 * size.batch, INDUCING_ROWS)
    return [Work(LOOP, 4.0 * size.n * (size.d + INDUCING_ROWS * size.batch), features + picks.operations)]


def pseudo_annotators(size: Size) -> list[Work]:
    candidates = min(size.n, max(ANNOTATED, CANDIDATES_A_PICK * size.batch))
    numbers = float(candidates * size.batch * (size.d + N_ANNOTATORS * size.classes))
    return [Work(LOOP, 4 * numbers, 2.0 * candidates * size.batch * N_ANNOTATORS * (size.d + size.classes))]


def cover(size: Size) -> list[Work]:
    """Every row against every row to be covered, once; of a large pool that is a sample."""
    return [product(size, reference_size(size.n) + size.labelled)]


def prob_cover(size: Size) -> list[Work]:
    """Clusters and the balls that must be pure give the radius; then as `cover`."""
    columns = reference_size(size.n) + size.labelled + min(size.n, REFERENCE_ROWS)
    return [Work(PRODUCT, 4.0 * size.n * size.d, product(size, columns).operations + kmeans(size, size.classes))]


def suggestive(size: Size) -> list[Work]:
    """Two candidates a pick against every row to be covered."""
    covered = 2.0 * min(size.n, 2 * size.batch) * reference_size(size.n) * size.d
    return [Work(PRODUCT, 4.0 * size.n * N_PASSES * size.classes, covered)]


def typiclust(size: Size) -> list[Work]:
    """k-means, then neighbours inside clusters of equal size."""
    n_clusters = min(MOST_CLUSTERS, size.labelled + size.batch)
    inside = product(size, max(1, size.n // n_clusters)).operations
    return [Work(PRODUCT, 4.0 * size.n * size.d, kmeans(size, n_clusters) + inside)]


def cluster_margin(size: Size) -> list[Work]:
    """k-means to the 2,048 centres that are joined, and the margins."""
    numbers = float(size.n * (size.d + size.classes))
    return [Work(PRODUCT, 4 * numbers, kmeans(size, min(size.n, JOINED_CENTRES)))]


def kmeans(size: Size, n_clusters: int) -> float:
    """Operations of 5 steps on 256 rows a cluster, and of finding every row's centre."""
    trained = min(size.n, 256 * n_clusters)
    return 2.0 * (5 * trained + size.n) * size.d * n_clusters


def bait(size: Size) -> list[Work]:
    """Second moments, the pool's information, then 2 n rows added and n dropped, each changing every candidate."""
    class_directions = min(size.classes, CLASS_DIRECTIONS)
    directions = min(size.d, FISHER_WIDTH // class_directions)
    pairs = directions * (directions + 1) // 2 * (class_directions * (class_directions + 1) // 2)
    whole = product(size, size.d).operations + 2.0 * size.n * pairs
    candidates = min(size.n, max(FISHER_CANDIDATES, CANDIDATES_A_PICK * size.batch))
    changes = 3 * size.batch * 2.0 * candidates * directions * class_directions * FISHER_RANK
    return [Work(ONCE, 4.0 * size.n * (size.d + size.classes), whole + changes)]


def dynamic_batch(size: Size) -> list[Work]:
    """Entropies, then 300 products of the candidates' divergences, four (K, classes) products each."""
    candidates = min(size.n, max(1_000, 5 * size.batch))
    operations = 2.0 * size.n * size.classes + 300 * 8.0 * candidates * size.classes
    return [Work(ONCE, 4.0 * size.n * size.classes, operations)]


FORMULAS: Mapping[str, Callable[[Size], list[Work]]] = {
    "badge": lambda size: both(size, 0, size.classes + size.d),
    "bait": bait,
    "cluster_margin": cluster_margin,
    "committee": lambda size: two_passes(N_COMMITTEE * size.classes, size.d, size),
    "core_set": lambda size: both(size, size.labelled),
    "dynamic_batch": dynamic_batch,
    "gp_transfer": gp_transfer,
    "information_density": lambda size: two_passes(size.classes, size.d, size),
    "information_regularization": lambda size: [product(size, REFERENCE_ROWS)],
    "informative": lambda size: both(size, REFERENCE_ROWS + size.labelled),
    "label_propagation": lambda size: [product(size, size.n + size.labelled)],
    "max_herding": cover,
    "prob_cover": prob_cover,
    "pseudo_annotators": pseudo_annotators,
    "random": lambda size: [Work(ONCE, 8.0 * size.n, size.n)],
    "source_queries": lambda size: both(size, min(N_ELSEWHERE, REFERENCE_ROWS) + size.labelled),
    "suggestive": suggestive,
    "synthesis": lambda size: [product(size, 2 * size.batch)],
    "transfer_importance": lambda size: [product(size, size.classes)],
    "typiclust": typiclust,
}

TOO_LARGE: Mapping[str, tuple[int, str]] = {
    "label_propagation": (100_000, "an exact graph of neighbours costs N² d"),
}


def works(strategy: str, needs: tuple[Need, ...], size: Size) -> list[Work]:
    """The formulas of a strategy; one at least."""
    own = FORMULAS.get(strategy)
    return own(size) if own else [arrays_once(needs, size)]


def bound(work: Work, limits: Mapping[str, float]) -> dict[str, float | str]:
    """Bytes and operations, and the seconds that the machine's limits allow them at best."""
    reading_s = work.n_bytes / (1e9 * limits["read_gb_per_s"])
    computing_s = work.operations / (1e9 * limits["fp32_gflop_per_s"])
    return {
        "how": work.how,
        "gb": significant(work.n_bytes / 1e9),
        "gflop": significant(work.operations / 1e9),
        "bound_s": significant(max(reading_s, computing_s)),
        "bound_by": "memory" if reading_s > computing_s else "arithmetic",
    }


def too_large(strategy: str, size: Size) -> str | None:
    """Why a strategy is not meant for so many images, if it is not."""
    most, reason = TOO_LARGE.get(strategy, (size.n, ""))
    return f"{reason}, meant for {most:,} images at most" if size.n > most else None


def significant(value: float, digits: int = 3) -> float:
    return float(f"{value:.{digits}g}")
