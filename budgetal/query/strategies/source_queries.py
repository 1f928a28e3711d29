"""`source_queries`: the source's images that make the labelled ones like the target's."""

import numpy as np
import torch
from torch import Tensor

from budgetal.measures import margin
from budgetal.query.kernels.mmd import greedy_mmd
from budgetal.query.kernels.rbf import median_bandwidth
from budgetal.query.strategies.given import given
from budgetal.query.strategy import strategy
from budgetal.query.view import PoolView, Selection

_UNCERTAINTY_SHARE = 0.1
_TARGET_ROWS = 4096


@strategy(
    "source_queries",
    needs=("probs", "embeddings", "labelled_embeddings", "target_embeddings"),
    source="Huang & Chen 2016",
    cost="O(N d (4096 + L + n)) at worst",
    cold_start=True,
)
def source_queries(pool: PoolView, n: int, rng: np.random.Generator) -> Selection:
    """Uncertain images that, with those labelled, are distributed like the target collection's.

    The pool is the source, whose labels can be had; the target's cannot. Greedily minimises
    MMD²(S ∪ L, target) - μ Σ_{i ∈ S} u_i / |S ∪ L|, μ = 0.1, u the margin, with the kernel exp(-‖x-y‖² / 2ℓ²) and ℓ the
    median distance of 512 target images. Sheng-Jun Huang & Songcan Chen, "Transfer learning with active queries
    from source domain", IJCAI 2016. There importance weights of the labelled images and a relaxed selection
    are optimised in turns; here every image weighs the same and the selection is greedy, one by one. Of a
    larger target, 4,096 images are drawn at random.
    """
    targets = _sampled(given(pool.target_embeddings, "target_embeddings"), rng)
    bandwidth = median_bandwidth(targets)
    uncertainty = margin(pool.probs)
    rows, scores = greedy_mmd(
        pool.embeddings, pool.labelled_embeddings, targets, _UNCERTAINTY_SHARE * uncertainty, bandwidth, n
    )
    weights = {"uncertainty_share": _UNCERTAINTY_SHARE, "bandwidth": bandwidth}
    return Selection(rows=rows, scores=scores, uncertainty=uncertainty[rows], weights=weights)


def _sampled(targets: Tensor, rng: np.random.Generator) -> Tensor:
    if len(targets) <= _TARGET_ROWS:
        return targets
    rows = rng.choice(len(targets), _TARGET_ROWS, replace=False)
    return targets[torch.from_numpy(np.sort(rows)).to(targets.device)]
