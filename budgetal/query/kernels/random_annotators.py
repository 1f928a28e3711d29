"""Closed-form classifiers of several annotators who answer at random, kept up to date pick by pick."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

RIDGE = 0.1


class RandomAnnotators:
    """For each annotator a ridge regression of class indicators on `vectors`, and its scores for every row.

    W = (SᵀS + λI)⁻¹ Sᵀ (Y - 1/m) over the images S known so far, λ = .1. All annotators know the true labels of
    the labelled images and see the same picks, so they share (SᵀS + λI)⁻¹; a pick changes each one's scores by a
    matrix of rank one. O(n d m + l d² + d³) to begin with, O(n (d + a m) + d²) a pick, O(n a m) memory for a of them.
    """

    def __init__(
        self,
        vectors: Float[Tensor, "n d"],
        labelled: Float[Tensor, "l d"],
        targets: Int[Tensor, " l"],
        n_classes: int,
        n_annotators: int,
    ) -> None:
        self._vectors, self._n_classes = vectors, n_classes
        known, answers = labelled.double(), _indicators(targets, n_classes)
        gram = known.T @ known + RIDGE * torch.eye(vectors.shape[1], dtype=torch.float64, device=vectors.device)
        self._inverse = torch.linalg.inv(gram)
        scores = vectors @ (self._inverse @ known.T @ answers).float()
        # Classes first: the two best of them are found by passes over contiguous memory.
        self._scores = scores.T[:, None, :].repeat(1, n_annotators, 1)

    def margins(self) -> Float[Tensor, "annotators n"]:
        """Gap between the two highest class scores of each row, as each annotator's classifier sees it."""
        best = torch.maximum(self._scores[0], self._scores[1])
        second = torch.minimum(self._scores[0], self._scores[1])
        for scores in self._scores[2:]:
            second = torch.maximum(second, torch.minimum(best, scores))
            best = torch.maximum(best, scores)
        return best - second

    def learn(self, row: int, answers: Int[Tensor, " annotators"]) -> None:
        """Add one row, with the class that each annotator gave it, to what all classifiers are fitted on."""
        vector = self._vectors[row].double()
        gain = self._inverse @ vector
        gain_at_row = gain / (1 + vector @ gain)
        self._inverse -= torch.outer(gain_at_row, gain)
        errors = _indicators(answers, self._n_classes).T.float() - self._scores[:, :, row]
        self._scores.addcmul_(errors[:, :, None], self._vectors @ gain_at_row.float())


def _indicators(targets: Tensor, n_classes: int) -> Tensor:
    """One-hot rows less 1/m: a row unlike any known image scores 0 for all classes."""
    return torch.nn.functional.one_hot(targets.long(), n_classes).double() - 1 / n_classes
