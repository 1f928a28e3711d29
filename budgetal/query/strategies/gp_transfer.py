"""`gp_transfer`: labels that leave the least variance in the pool, after what the source tells."""

import numpy as np
import torch
from torch import Tensor

from budgetal.query.kernels.gaussian_process import KernelMap, conditioned, greedy_trace, kernel_map
from budgetal.query.kernels.rbf import median_bandwidth
from budgetal.query.kernels.spread_rows import spread_rows
from budgetal.query.strategies.shared_source import shared_source
from budgetal.query.strategy import strategy
from budgetal.query.view import PoolView, Selection

_INDUCING_ROWS = 256
_NOISE = 0.1  # variance of a label; the process itself has 1
_SHARED = 0.5  # part ρ² of the target's variance that is the source's


@strategy(
    "gp_transfer",
    needs=("embeddings", "labelled_embeddings", "shared_source"),
    source="Wang, Huang & Schneider 2014",
    cost="O((N + S + L) r (d + r) + N r n), r ≤ 256, S source images",
    cold_start=True,
)
def gp_transfer(pool: PoolView, n: int, rng: np.random.Generator) -> Selection:
    """Images whose labels leave the least predictive variance in the pool, with source data counted in.

    The target function is ρ f + √(1-ρ²) g: f that of the source, g its change, both Gaussian processes
    with the kernel exp(-‖x-y‖² / 2ℓ²), ρ² = 1/2, ℓ the median distance of 512 images, noise
    variance 0.1. Source and labelled images are observed, then greedily the n images that minimise the
    trace of the predictive covariance of the whole pool. Xuezhi Wang, Tzu-Kuo Huang & Jeff Schneider,
    "Active transfer learning under model shift", ICML 2014. There the change is estimated first and moves the
    source's labels, with its variance as their noise; here one joint process says the same in one step. The
    kernel is exact between at most 256 inducing images, evenly spaced in the order of ids, and the
    Nyström approximation elsewhere: no N × N matrix.
    """
    bandwidth = median_bandwidth(pool.embeddings)
    inducing = spread_rows(len(pool), _INDUCING_ROWS, pool.embeddings.device)
    kernel = kernel_map(pool.embeddings[inducing], bandwidth)
    prior = _after_source(kernel, shared_source(pool).embeddings)
    covariance = conditioned(prior, kernel.gram(pool.labelled_embeddings), _NOISE)
    rows, reductions = greedy_trace(kernel.features(pool.embeddings), covariance, _NOISE, n)
    return Selection(rows=rows, scores=reductions, weights={"bandwidth": bandwidth, "shared": _SHARED})


def _after_source(kernel: KernelMap, embeddings: Tensor) -> Tensor:
    """Covariance of the target's weights once the source is observed: ρ² of them are the source's."""
    gram = kernel.gram(embeddings)
    unit = torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
    return _SHARED * conditioned(unit, gram, _NOISE) + (1 - _SHARED) * unit
