import numpy as np
import pytest

from budgetal.budget.cost import Paid, Prices, cost_of_a_mistake, prices_of
from budgetal.config import load_config, make_config, save_config
from budgetal.errors import ConfigError

PRICES = Prices(per_label=0.5, by_annotator={"expert": 4.0}, factor_by_class={"owl": 3.0})


def _config(**settings):
    return make_config(**{"images": "x", "classes": ("crow", "owl"), "budget": 10, **settings})


@pytest.mark.parametrize(
    ("label", "annotator", "price"),
    [("crow", "ann", 0.5), ("owl", "ann", 1.5), ("crow", "expert", 4.0), ("owl", "expert", 12.0)],
)
def test_a_label_costs_what_its_annotator_takes_times_the_factor_of_its_class(label, annotator, price):
    assert PRICES.of(label, annotator) == price


def test_no_label_costs_more_than_the_highest_price():
    assert PRICES.highest == 12.0
    assert Prices(2.0, {"student": 0.1}, {"crow": 0.5}).highest == 2.0


def test_labels_of_several_kinds_are_added_up():
    assert PRICES.total({Paid("crow", "ann"): 3, Paid("owl", "expert", is_audit=True): 2}) == 25.5


def test_one_number_is_the_cost_of_every_mistake():
    assert cost_of_a_mistake(7.0, np.array([[5, 1], [2, 5]])) == 7.0


def test_a_matrix_is_averaged_over_the_mistakes_that_are_made():
    cost = np.array([[0.0, 10.0], [1.0, 0.0]])
    assert cost_of_a_mistake(cost, np.array([[50, 1], [3, 50]])) == pytest.approx((10 + 3) / 4)
    assert cost_of_a_mistake(cost, np.array([[50, 0], [0, 50]])) == pytest.approx(5.5)


def test_prices_are_saved_and_loaded(tmp_path):
    config = _config(
        cost_per_label=0.5,
        cost_per_label_by_annotator={'the "expert"': 4.0},
        cost_factor_by_class={"owl": 3.0},
        cost_per_wrong_label=((0.0, 1.0), (9.0, 0.0)),
    )
    save_config(config, tmp_path / "budgetal.toml")
    assert load_config(tmp_path / "budgetal.toml") == config
    assert prices_of(config) == Prices(0.5, {'the "expert"': 4.0}, {"owl": 3.0})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cost_per_label_by_annotator": {"ann": -1}}, r"'cost_per_label_by_annotator\.ann' cannot be -1"),
        ({"cost_factor_by_class": {"own": 2}}, "did you mean 'owl'"),
        ({"cost_per_compute_hour": -1}, "'cost_per_compute_hour' cannot be -1"),
        ({"cost_per_wrong_label": "much"}, "'cost_per_wrong_label' cannot be 'much'"),
        ({"cost_per_wrong_label": -2}, "'cost_per_wrong_label' cannot be -2"),
        ({"cost_per_wrong_label": [[0, 1]]}, "a row and a column for each of the 2 classes"),
        ({"cost_per_wrong_label": [[0, 1], [1, 2]]}, "must be 0 from a class to itself"),
        ({"cost_per_wrong_label": [[0, 1], [-1, 0]]}, "cannot hold -1"),
        ({"cost_per_label": float("nan")}, "'cost_per_label' cannot be nan"),
    ],
)
def test_costs_that_cannot_be_are_refused_in_one_line(settings, message):
    with pytest.raises(ConfigError, match=message) as caught:
        _config(**settings)
    assert "\n" not in str(caught.value)
