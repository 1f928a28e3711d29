"""Dawid & Skene 1979 as the paper has it, without priors: tables of numbers for everything, one start."""

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

RISE = 1e-9
MOST_STEPS = 5_000


@dataclass(frozen=True)
class Top:
    log_likelihood: float
    posterior: np.ndarray
    confusion: np.ndarray


def log_likelihood(answers, confusion, shares):
    """Of all answers, with the truth of every item unknown."""
    return float(logsumexp(_log_joint(_table(answers), confusion, shares), axis=1).sum())


def votes(answers):
    """(n, m) shares of each item's answers."""
    counts = _table(answers).sum(axis=1)
    return counts / counts.sum(axis=1, keepdims=True)


def climb(answers, posterior):
    """Expectation and maximisation from posteriors (n, m) of the items up to a top of the likelihood."""
    said, before = _table(answers), -np.inf
    for _ in range(MOST_STEPS):
        counts = np.einsum("nc,nay->acy", posterior, said)
        confusion = counts / counts.sum(axis=2, keepdims=True)
        log_joint = _log_joint(said, confusion, posterior.mean(axis=0))
        by_item = logsumexp(log_joint, axis=1, keepdims=True)
        posterior = np.exp(log_joint - by_item)
        if by_item.sum() - before < RISE:
            return Top(float(by_item.sum()), posterior, confusion)
        before = by_item.sum()
    raise AssertionError(f"No top within {MOST_STEPS} steps")


def _table(answers):
    """(n, a, m): 1 where that person gave that answer for that item."""
    said = np.zeros((answers.n_items, answers.n_annotators, answers.n_classes))
    said[answers.items, answers.annotators, answers.answers] = 1
    return said


def _log_joint(said, confusion, shares):
    return np.log(shares) + np.einsum("nay,acy->nc", said, np.log(np.maximum(confusion, 1e-12)))
