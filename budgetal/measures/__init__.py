"""Uncertainty, correlation and informativeness: pure functions of arrays."""

from budgetal.measures.correlation import (
    combined_vectors,
    knn_density,
    label_weighted_density,
    label_weighted_knn_density,
    redundancy,
    whole_pool_density,
)
from budgetal.measures.disagreement import kl_to_mean, vote_entropy
from budgetal.measures.high_confidence import high_confidence
from budgetal.measures.information import information_regulariser, local_label_information
from budgetal.measures.informativeness import Weights, adaptive_weights, informativeness
from budgetal.measures.neighbours import knn
from budgetal.measures.propagation import affinity_graph, propagate
from budgetal.measures.rows import CentredRows, Rows, centred, mean_vector
from budgetal.measures.uncertainty import (
    bald,
    entropy,
    expected_decision_cost,
    least_confidence,
    margin,
)

__all__ = [
    "CentredRows",
    "Rows",
    "Weights",
    "adaptive_weights",
    "affinity_graph",
    "bald",
    "centred",
    "combined_vectors",
    "entropy",
    "expected_decision_cost",
    "high_confidence",
    "information_regulariser",
    "informativeness",
    "kl_to_mean",
    "knn",
    "knn_density",
    "label_weighted_density",
    "label_weighted_knn_density",
    "least_confidence",
    "local_label_information",
    "margin",
    "mean_vector",
    "propagate",
    "redundancy",
    "vote_entropy",
    "whole_pool_density",
]
