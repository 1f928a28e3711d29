"""How far rounding can move what a matrix product says of squared distances."""

import torch
from jaxtyping import Float
from torch import Tensor

from budgetal.measures.chunks import cached_row_blocks


def product_slack(width: int, dtype: torch.dtype = torch.float32, n_products: int = 1) -> float:
    """Share of ‖x‖² + ‖y‖² by which ‖x‖² + ‖y‖² - 2 x·y may be off, for rows of `width` numbers.

    Where x·y is a product of several inner products, `width` numbers in all, `n_products` says of how many.

    The rounding error of x·y is at most width · u · ‖x‖ ‖y‖ ≤ width · u · (‖x‖² + ‖y‖²) / 2, in any order of
    summation (Higham, Accuracy and Stability of Numerical Algorithms, 3.1); that of the squares is no larger.
    Where torch may round float32 factors to bfloat16, whose u is 2⁻⁸, 2 u is added for each inner product.
    """
    coarse = dtype == torch.float32 and _may_be_coarse()
    return (2 * width + 16) * torch.finfo(dtype).eps / 2 + (n_products * 2.0**-7 if coarse else 0)


def _may_be_coarse() -> bool:
    try:
        return torch.get_float32_matmul_precision() != "highest"
    except RuntimeError:  # torch refuses to tell where the precision was set for one backend
        return True


def squared_lengths(rows: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
    """‖x‖² in double precision, block by block."""
    result = rows.new_empty(len(rows), dtype=torch.float64)
    for block in cached_row_blocks(len(rows), rows.shape[1], rows.device):
        result[block] = torch.linalg.vector_norm(rows[block], dim=1, dtype=torch.float64).square()
    return result
