import numpy as np
import pytest
from scipy.optimize import minimize

from budgetal.budget.curves import DECAY, TRUNCATION, fit, fit_each, shifted

N = np.array([100.0, 200, 400, 800, 1_600])


def _law(alpha, gamma, k, n=N):
    return alpha * n**-gamma * np.exp(-n / k)


def test_a_truncated_power_law_is_found_again():
    found = fit(N, _law(2.0, 0.4, 8_000.0), np.full(5, 1e8))
    assert found.law == pytest.approx({"alpha": 2.0, "gamma": 0.4, "k": 8_000.0}, rel=1e-3)
    later = np.array([3_200.0, 6_400.0])
    assert found(later)[0] == pytest.approx(_law(2.0, 0.4, 8_000.0, later), rel=1e-3)


def test_a_power_law_without_truncation_has_no_k():
    rising_at_the_end = np.array([0.3, 0.2, 0.15, 0.13, 0.13])
    assert fit(N, rising_at_the_end, np.full(5, 1e4)).law["k"] is None


@pytest.mark.parametrize("values", [np.full(5, 0.2), np.array([0.1, 0.12, 0.15, 0.2, 0.3])])
def test_a_flat_or_rising_curve_is_fitted_by_a_flat_one(values):
    found = fit(N, values, np.full(5, 1e8))
    assert found.law["gamma"] == pytest.approx(0, abs=1e-3)
    assert found(np.array([1e4]))[0, 0] == pytest.approx(np.exp(np.log(values).mean()), rel=2e-3)


@pytest.mark.parametrize("seed", range(4))
def test_the_fit_is_the_optimum_under_its_bounds(seed):
    rng = np.random.default_rng(seed)
    values, weights = rng.uniform(0.05, 0.5, 5), rng.uniform(5, 500, 5)
    found = fit(N, values, weights)

    def loss(parameters):
        level, decay, truncation = parameters
        x = N / N[-1]
        fitted = level - decay * np.log(x) - truncation * (x - 1)
        prior = ((decay - DECAY[0]) / DECAY[1]) ** 2 + ((truncation - TRUNCATION[0]) / TRUNCATION[1]) ** 2
        return (weights * (np.log(values) - fitted) ** 2).sum() + prior

    best = minimize(loss, [0, 0.5, 0.1], bounds=[(None, None), (0, None), (0, None)], method="L-BFGS-B", tol=1e-12)
    ours = loss([found.log_level[0], found.decay[0], found.truncation[0]])
    assert ours <= best.fun + 1e-6 * max(1, best.fun)


def test_draws_never_rise_and_stay_shares():
    rng = np.random.default_rng(0)
    curves = fit_each(N, rng.uniform(1e-9, 1.0, (300, 5)), np.full(5, 10.0), rng)
    values = curves(np.array([0.0, 1.0, 50, 1e3, 1e6]))
    assert ((values >= 0) & (values <= 1)).all()
    assert (np.diff(values, axis=1) <= 1e-12).all()
    assert (curves.floor > 0).mean() == pytest.approx(0.5, abs=0.1)


def test_the_same_generator_gives_the_same_draws():
    values = np.tile(_law(2.0, 0.4, 8_000.0), (10, 1))
    one, two = (fit_each(N, values, np.full(5, 10.0), np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(one(N), two(N))


def test_a_shift_moves_log_odds_and_keeps_certainty():
    assert shifted(np.array([0.5, 0.0, 1.0]), np.log(3.0)) == pytest.approx([0.75, 0.0, 1.0])
    assert shifted(np.array([0.2]), np.array([100.0])) == pytest.approx([1.0])
