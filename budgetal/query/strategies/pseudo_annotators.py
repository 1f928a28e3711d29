"""`pseudo_annotators`: active learning against annotators who answer at random."""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from budgetal.measures import mean_vector
from budgetal.measures.chunks import row_blocks
from budgetal.query.kernels.random_annotators import RandomAnnotators
from budgetal.query.kernels.spread_rows import spread_rows
from budgetal.query.strategies.given import given
from budgetal.query.strategy import strategy
from budgetal.query.view import PoolView, Selection

N_ANNOTATORS = 10
_MOST_CANDIDATES = 5_000
_CANDIDATES_A_PICK = 4


@strategy(
    "pseudo_annotators",
    needs=("embeddings", "labelled_embeddings", "labelled_targets"),
    source="Yang & Loog 2019",
    cost="O(N d + L d² + n K a (d + m)), a = 10, K = min(N, max(5,000, 4 n))",
    prefix_stable=False,
    cold_start=True,
)
def pseudo_annotators(pool: PoolView, n: int, rng: np.random.Generator) -> Selection:
    """Images that a learner would ask for if annotators answered at random, of these the most representative.

    For each pick, a = 10 pseudo-annotators each run the base strategy on the labelled images and their own random
    answers to the picks so far; of the a proposals the one is picked that makes Σ_i min_j ‖f_i - f_j‖ least, over all
    candidates i and all labelled or picked j (ALRL, Yang & Loog, Pattern Recognition 2019). Differences: the base
    learner is a ridge regression, its strategy the smallest margin (there logistic regression with entropy or MVAL);
    an annotator keeps to its answers (there all are drawn anew for every pick); pools beyond K rows are represented
    by K of them. With nothing labelled, the first pick is the image nearest the mean.
    """
    most = max(_MOST_CANDIDATES, _CANDIDATES_A_PICK * n)
    candidates = spread_rows(len(pool), most, pool.embeddings.device)
    mean = mean_vector(pool.embeddings, pool.labelled_embeddings)
    vectors, labelled = pool.embeddings[candidates] - mean, pool.labelled_embeddings - mean
    targets = given(pool.labelled_targets, "labelled_targets")
    annotators = RandomAnnotators(vectors, labelled, targets, pool.n_classes, N_ANNOTATORS)
    answers = torch.from_numpy(rng.integers(pool.n_classes, size=(n, N_ANNOTATORS))).to(vectors.device)
    rows, scores = single_shot(vectors, labelled, annotators, answers)
    return Selection(candidates[rows], scores)


def single_shot(
    vectors: Float[Tensor, "n d"],
    labelled: Float[Tensor, "l d"],
    annotators: RandomAnnotators,
    answers: Int[Tensor, "k annotators"],
) -> tuple[Int[Tensor, " k"], Float[Tensor, " k"]]:
    """As many rows as there are answers, and by how much each brought the mean distance to a known row down.

    Ties go to the lowest row of the first annotator. O(n a (d + m)) time a pick.
    """
    coverage = _Coverage(vectors, labelled)
    rows: list[int] = []
    scores: list[Tensor] = []
    for step in range(len(answers)):
        proposals = _proposals(annotators.margins(), rows) if coverage.begun else coverage.most_central()
        row, score = coverage.add_best_of(proposals)
        annotators.learn(row, answers[step])
        rows.append(row)
        scores.append(score)
    return torch.tensor(rows, device=vectors.device), torch.stack(scores)


class _Coverage:
    """Distance of every row to the nearest known one."""

    def __init__(self, vectors: Tensor, labelled: Tensor) -> None:
        self._vectors, self._squares, self.begun = vectors, vectors.square().sum(dim=1), len(labelled) > 0
        self._nearest = self._nearest_of(labelled) if self.begun else self._squares.sqrt()

    def most_central(self) -> Tensor:
        return self._nearest.argmin()[None]

    def add_best_of(self, proposals: Tensor) -> tuple[int, Tensor]:
        """The proposal that leaves the least distance in sum, and how much less it is in the mean."""
        distances = self._distances(self._vectors[proposals])
        nearest = torch.minimum(distances, self._nearest) if self.begun else distances
        best = int(nearest.sum(dim=1, dtype=torch.float64).argmin())
        gain = (self._nearest - nearest[best]).mean()
        self._nearest, self.begun = nearest[best], True
        return int(proposals[best]), gain

    def _distances(self, known: Tensor) -> Tensor:
        squares = known.square().sum(dim=1, keepdim=True)
        return (self._squares + squares - 2 * known @ self._vectors.T).clamp(min=0).sqrt()

    def _nearest_of(self, known: Tensor) -> Tensor:
        blocks = row_blocks(len(known), len(self._vectors))
        return torch.stack([self._distances(known[block]).amin(dim=0) for block in blocks]).amin(dim=0)


def _proposals(margins: Tensor, taken: list[int]) -> Tensor:
    """The row of the smallest margin for each annotator, lowest first."""
    margins[:, taken] = torch.inf
    return margins.argmin(dim=1).sort().values
