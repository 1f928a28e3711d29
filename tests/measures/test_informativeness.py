import pytest
import torch

from budgetal.measures import Weights, adaptive_weights, informativeness

U, C, R = torch.tensor([0.25, 1.0]), torch.tensor([0.5, 0.0]), torch.tensor([0.2, 1.0])


def test_informativeness_by_hand():
    scores = informativeness(U, C, R, Weights(alpha=0.5, beta=1, gamma=2))
    torch.testing.assert_close(scores, torch.tensor([0.5 * 0.5 * 0.64, 0.0]))


def test_exponent_zero_ignores_its_measure_even_where_that_is_zero():
    torch.testing.assert_close(informativeness(U, C, R, Weights(1, 0, 0)), U)
    assert informativeness(U * 0, C, R, Weights(0, 0, 0)).tolist() == [1, 1]


@pytest.mark.parametrize(
    ("u", "c", "r"),
    [
        ([-0.1, 1], [1, 1], [0, 0]),
        ([1, 1], [-1, 1], [0, 0]),
        ([1, 1], [1, 1], [1.1, 0]),
        ([float("nan"), 1], [1, 1], [0, 0]),
    ],
)
def test_measures_out_of_range_are_refused(u, c, r):
    measures = [torch.tensor(values, dtype=torch.float32) for values in (u, c, r)]
    with pytest.raises(ValueError, match="must"):
        informativeness(*measures, Weights(1, 1, 1))


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_weights_are_finite_and_not_negative(value):
    with pytest.raises(ValueError, match="beta"):
        Weights(alpha=1, beta=value, gamma=0)


def test_uncertainty_counts_for_nothing_without_labels_and_fully_from_ten_a_class():
    assert [adaptive_weights(n, 10).alpha for n in (0, 20, 50, 100, 5000)] == [0, 0.2, 0.5, 1, 1]
    assert adaptive_weights(30, 3) == adaptive_weights(100, 10) == Weights(1, 1, 1)


@pytest.mark.parametrize(("n_labelled", "n_classes"), [(-1, 10), (5, 1)])
def test_adaptive_weights_refuse_impossible_counts(n_labelled, n_classes):
    with pytest.raises(ValueError, match="n_labelled"):
        adaptive_weights(n_labelled, n_classes)
