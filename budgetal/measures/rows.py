"""Embeddings less their mean, a block of rows at a time: a million of them are never copied."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from budgetal.measures.checks import unit_vectors

_SUMMED_ROWS = 128  # so few that a single-precision sum of them loses nothing worth having


def mean_vector(*parts: Float[Tensor, "_ d"]) -> Float[Tensor, " d"]:
    """Mean of all rows of all parts, 0 for no row.

    Sums of a few rows are added up in double precision, so that a million rows lose nothing.
    """
    total = parts[0].new_zeros(parts[0].shape[1], dtype=torch.float64)
    for part in parts:
        ones = torch.ones(_SUMMED_ROWS, device=part.device)
        for block in torch.split(part, _SUMMED_ROWS):
            total += ones[: len(block)] @ block.float()  # a product reads memory at its full rate, sum(dim=0) does not
    return total.div(max(1, sum(len(part) for part in parts))).float()


def centred(embeddings: Float[Tensor, "n d"], mean: Float[Tensor, " d"]) -> Float[Tensor, "n d"]:
    """Embeddings less what all of them share, f_i - mean, again of length 1; 0 for a row at the mean.

    Features after a ReLU lie in one orthant: all cosines are high and tell little. Less the mean, they
    tell images apart (Mu & Viswanath, ICLR 2018). Raises ValueError for what is no unit vector.
    """
    return CentredRows(unit_vectors(embeddings), mean)[:]


@dataclass(frozen=True)
class CentredRows:
    """Rows of `centred`, computed when they are asked for: `rows[2:7]`, `rows[tensor([4, 2])]`.

    Takes the place of the matrix in kernels that read it in blocks, and saves its copy. The embeddings
    must be unit vectors.
    """

    embeddings: Float[Tensor, "n d"]
    mean: Float[Tensor, " d"]

    def __len__(self) -> int:
        return len(self.embeddings)

    def __getitem__(self, rows: slice | Int[Tensor, " r"]) -> Float[Tensor, "r d"]:
        moved = self.embeddings[rows] - self.mean
        length = moved.norm(dim=1, keepdim=True)
        # Below this, what is left of identical images is rounding noise, in no direction.
        return torch.where(length > 1e-4, moved / length.clamp(min=1e-4), 0)

    @property
    def shape(self) -> torch.Size:
        """Rows and width."""
        return self.embeddings.shape

    @property
    def device(self) -> torch.device:
        """Where the rows are computed."""
        return self.embeddings.device


Rows = Float[Tensor, "n d"] | CentredRows


def unit_rows(rows: Rows) -> Rows:
    """`rows` as float32. Raises ValueError when a row of a matrix is no unit vector (a zero row may stay)."""
    return unit_vectors(rows) if isinstance(rows, Tensor) else rows
