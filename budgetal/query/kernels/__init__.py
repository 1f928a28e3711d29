"""How to pick a batch, given what each image is worth. Ties go to the lowest row."""

from budgetal.measures.neighbours import knn
from budgetal.query.kernels.greedy import GreedyPicks, greedy_informative
from budgetal.query.kernels.k_center import k_center
from budgetal.query.kernels.kmeans import kmeans
from budgetal.query.kernels.top_k import top_k

__all__ = ["GreedyPicks", "greedy_informative", "k_center", "kmeans", "knn", "top_k"]
