"""Uncertainty, correlation and informativeness: pure functions of arrays."""

from budgetal.measures.correlation import (
    centred,
    combined_vectors,
    knn_density,
    label_weighted_density,
    label_weighted_knn_density,
    mean_vector,
    redundancy,
    whole_pool_density,
)
from budgetal.measures.informativeness import Weights, adaptive_weights, informativeness
from budgetal.measures.neighbours import knn
from budgetal.measures.uncertainty import (
    bald,
    entropy,
    expected_decision_cost,
    least_confidence,
    margin,
)

__all__ = [
    "Weights",
    "adaptive_weights",
    "bald",
    "centred",
    "combined_vectors",
    "entropy",
    "expected_decision_cost",
    "informativeness",
    "knn",
    "knn_density",
    "label_weighted_density",
    "label_weighted_knn_density",
    "least_confidence",
    "margin",
    "mean_vector",
    "redundancy",
    "whole_pool_density",
]
