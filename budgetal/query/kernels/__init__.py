"""How to pick a batch, given what each image is worth. Ties go to the lowest row."""

from budgetal.measures.neighbours import knn
from budgetal.query.kernels.ball_cover import ball_cover
from budgetal.query.kernels.greedy import GreedyPicks, greedy_informative
from budgetal.query.kernels.k_center import k_center
from budgetal.query.kernels.kmeans import kmeans
from budgetal.query.kernels.kmeans_pp import kmeans_pp
from budgetal.query.kernels.max_cover import max_cover
from budgetal.query.kernels.top_k import top_k

__all__ = [
    "GreedyPicks",
    "ball_cover",
    "greedy_informative",
    "k_center",
    "kmeans",
    "kmeans_pp",
    "knn",
    "max_cover",
    "top_k",
]
