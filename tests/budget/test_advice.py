import numpy as np
import pytest

from budgetal.budget.advice import Band, Costs, band, cheapest, n_left, next_batch, purchase, route
from budgetal.budget.curves import Curves
from budgetal.budget.forecast import Forecast, History


def _curves(level, decay, b=4):
    """y(n) = level (n / 1000)^-decay in every draw."""
    same = np.zeros(b)
    return Curves(1_000.0, same, same + np.log(level), same + decay, same, same)


def _forecast(error=(0.1, 0.5), uncovered=(0.4, 0.5), n=1_000, n_samples=50_000, n_fixed=500):
    history = History(np.array([n]), np.array([0.1]), np.array([0.6]), n_samples, n_fixed, n_fixed)
    curves = _curves(*error), _curves(*uncovered)
    return Forecast(history, *curves, *curves)


def test_a_purchase_by_hand():
    bought = purchase(_forecast(), Costs(2.0, compute_hour=3.0, hours_per_label=0.5), 3_000)
    assert bought.money == 3_000 * 3.5
    assert bought.accuracy.middle == pytest.approx(1 - 0.1 * 4**-0.5)
    assert bought.coverage.middle == pytest.approx(1 - 0.4 * 4**-0.5)
    assert bought.coverage_gain.middle == pytest.approx(0.2)


def test_no_more_is_bought_than_is_left():
    found = _forecast(n_samples=1_700)
    assert n_left(found) == 200
    bought = purchase(found, Costs(1.0), 1_000)
    assert (bought.n_labels, bought.coverage.middle) == (200, 1.0)


def test_the_way_to_a_target_by_hand():
    """0.4 (n / 1000)^-0.5 = 0.2 at n = 4,000; the grid of counts is 3 % wide there."""
    way = route(_forecast(), Costs(2.0), "coverage", 0.8)
    assert way.n_labels.middle == pytest.approx(3_000, rel=0.04)
    assert way.money.middle == 2 * way.n_labels.middle
    assert way.chance == 1.0


def test_a_target_that_is_reached_needs_nothing():
    assert route(_forecast(), Costs(2.0), "accuracy", 0.9).n_labels == Band(0.0, 0.0, 0.0)


def test_a_target_out_of_sight_says_so():
    way = route(_forecast(error=(0.4, 0.0)), Costs(1.0), "accuracy", 0.99)
    assert way.n_labels == Band(None, None, None)
    assert way.chance == 0.0


def test_a_label_pays_while_it_saves_more_labels_than_one():
    """Automatic labels n_auto = N (1 - u) - n - 500: one label more adds N u' - 1 of them."""
    assert next_batch(_forecast(uncovered=(0.4, 0.5)), Costs(1.0), 100).pays
    flat = next_batch(_forecast(uncovered=(0.4, 0.0)), Costs(1.0), 100)
    assert not flat.pays
    assert flat.expected_saving == pytest.approx(0, abs=1e-9)


def test_the_saving_of_a_batch_by_hand():
    batch = next_batch(_forecast(), Costs(2.0), 100)
    assert batch.cost == 200
    assert batch.expected_saving == pytest.approx(2 * 50_000 * 0.4 * (1 - 1.1**-0.5), rel=1e-6)


def test_the_cheapest_split_is_where_a_label_saves_just_one():
    """People label n + 500 + N u(n) in all, least where N 0.4 0.5 x^-1.5 / 1000 = 1, x = n / 1000: x = 10^(2/3)."""
    split = cheapest(_forecast(), Costs(1.0))
    assert split.n_more == pytest.approx(1_000 * (10 ** (2 / 3) - 1), rel=0.04)
    assert split.n_human == pytest.approx(500 + 50_000 * 0.4 * 10 ** (-1 / 3) + 1_000 * 10 ** (2 / 3), rel=0.01)
    assert split.n_human + split.n_automatic == 50_000
    assert split.n_predicted == 0


def test_a_label_that_saves_nothing_is_not_bought():
    assert cheapest(_forecast(uncovered=(0.4, 0.0)), Costs(1.0)).n_more == 0


def test_computing_that_costs_much_ends_sooner():
    free, dear = (cheapest(_forecast(), Costs(1.0, hour, 0.01)).n_more for hour in (0.0, 100.0))
    assert dear < free


def test_where_mistakes_are_cheap_the_rest_is_left_to_the_model():
    split = cheapest(_forecast(), Costs(1.0, mistake=0.01))
    assert (split.n_more, split.n_predicted) == (0, 50_000 * 0.4)
    assert not next_batch(_forecast(), Costs(1.0, mistake=0.01), 100).pays


def test_where_mistakes_are_dear_people_label_the_rest():
    assert cheapest(_forecast(), Costs(1.0, mistake=1_000.0)).n_predicted == 0


def test_nothing_is_left_to_advise_once_all_are_labelled():
    found = _forecast(n_samples=1_500)
    batch = next_batch(found, Costs(1.0), 50)
    assert (batch.n_labels, batch.pays) == (0, False)
    assert cheapest(found, Costs(1.0)).money == Band(0.0, 0.0, 0.0)


def test_a_band_is_the_middle_eighty_percent():
    assert band(np.arange(1, 101.0)) == Band(10.0, 50.0, 90.0)
    assert band(np.array([1.0, 2.0, np.inf, np.inf])) == Band(1.0, 2.0, None)
