import numpy as np
import pytest
import torch

from budgetal.query.kernels.kmeans_pp import _Products
from budgetal.query.kernels.rounding import product_slack, squared_lengths


def squared_error(left, right, rounded):
    """Share of ‖x‖² + ‖y‖² by which ‖x‖² + ‖y‖² - 2 x·y is off when x·y is taken of `rounded` factors."""
    exact = (left.double() * right.double()).sum(dim=1)
    found = (rounded(left).double() * rounded(right).double()).sum(dim=1)
    sizes = left.double().square().sum(dim=1) + right.double().square().sum(dim=1)
    return (2 * (found - exact).abs() / sizes).max()


def half_a_step_up(n, width):
    """Numbers that bfloat16 moves as far as it can."""
    return torch.full((n, width), 1 + 2.0**-8 + 2.0**-16)


@pytest.fixture
def coarse():
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    yield
    torch.set_float32_matmul_precision(before)


def test_rounding_both_factors_to_bfloat16_stays_within_the_slack(coarse):
    vectors = half_a_step_up(3, 8)
    error = squared_error(vectors, vectors, torch.Tensor.bfloat16)
    assert 0.95 * 2.0**-7 < error < product_slack(8)


def test_bounds_of_products_of_two_factors_hold_when_each_is_rounded_to_bfloat16(coarse, monkeypatch):
    def rounded(self, block, start):
        inner = [factor[block].bfloat16().float() @ factor[:1].bfloat16().float().T for factor in self.factors]
        return inner[0] * inner[1]

    monkeypatch.setattr(_Products, "_inner", rounded)
    products = _Products((half_a_step_up(4, 8), half_a_step_up(4, 8) * torch.tensor([[1.0], [-1], [1.02], [1.02]])), 1)
    products.take(0)
    exact = products.nearest(torch.arange(4))
    assert (products.upper_bounds(slice(0, 4), 0) >= exact).all()


def test_a_precision_set_for_one_backend_is_taken_as_coarse(monkeypatch):
    """torch answers with a RuntimeError then."""

    def refuses():
        raise RuntimeError("mix of the legacy and new APIs")

    fine = product_slack(16)
    monkeypatch.setattr(torch, "get_float32_matmul_precision", refuses)
    assert product_slack(16) == fine + 2.0**-7
    assert product_slack(16, torch.float64) < 1e-14


def test_squared_lengths_are_exact_in_blocks(monkeypatch):
    monkeypatch.setattr("budgetal.measures.chunks.CACHED_CELLS", 20)
    rows = torch.from_numpy(np.random.default_rng(0).standard_normal((30, 7)).astype(np.float32))
    torch.testing.assert_close(squared_lengths(rows), rows.double().square().sum(dim=1), rtol=1e-12, atol=0)
