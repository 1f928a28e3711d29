import numpy as np
import pytest

from budgetal.budget.advice import band
from budgetal.budget.forecast import History, forecast, why_not

N = np.array([100, 200, 300, 400, 500, 600])
BY_PEOPLE = (N + 400) / 20_000


def _history(n_rounds=6, errors=None, coverage=None, n_audit=400, n_samples=20_000, by_image=True, seed=0):
    """Rounds whose models err on the same audit images: image j is wrong where its difficulty is above 1 - error."""
    n = N[:n_rounds]
    errors = 2.0 * n**-0.5 if errors is None else np.asarray(errors, dtype=float)[:n_rounds]
    coverage = 1 - 6.0 * n**-0.6 if coverage is None else np.asarray(coverage, dtype=float)[:n_rounds]
    difficulty = np.random.default_rng(seed).permutation(n_audit)
    wrong = np.array([difficulty < round(error * n_audit) for error in errors], dtype=float).reshape(len(n), n_audit)
    return History(n, wrong if by_image else errors, coverage, n_samples, n_audit, n_audit)


def _forecast(history, seed=1):
    return forecast(history, np.random.default_rng(seed))


@pytest.mark.parametrize("by_image", [True, False])
def test_the_band_lies_around_the_law_that_made_the_rounds(by_image):
    found = _forecast(_history(by_image=by_image))
    ends = band(found.accuracies(np.array([1_200.0]))[:, 0])
    assert ends.low < 1 - 2.0 * 1_200**-0.5 < ends.high
    assert ends.high - ends.low < 0.06
    covered = band(found.coverages(np.array([1_200.0]))[:, 0])
    assert covered.low < 1 - 6.0 * 1_200**-0.6 < covered.high


def test_the_laws_are_those_of_the_rounds():
    found = _forecast(_history(n_audit=10_000))
    assert found.error_law.law["gamma"] == pytest.approx(0.5, abs=0.1)
    assert found.uncovered_law.law["gamma"] == pytest.approx(0.6, abs=0.15)


def test_a_larger_audit_knows_more():
    narrow, wide = (band(_forecast(_history(n_audit=n)).accuracies(np.array([700.0]))[:, 0]) for n in (2_000, 100))
    assert narrow.high - narrow.low < 0.6 * (wide.high - wide.low)


def test_the_band_widens_with_the_distance():
    found = _forecast(_history())
    near, far = (np.ptp(np.quantile(np.log(found.error(np.array([n]))), (0.1, 0.9))) for n in (600.0, 6_000.0))
    assert far > 1.3 * near


def test_the_same_seed_gives_the_same_forecast():
    one, two, other = (_forecast(_history(), seed).accuracies(np.array([900.0])) for seed in (1, 1, 2))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"n_rounds": 0}, "3 finished rounds: none has"),
        ({"n_rounds": 1}, "1 has finished"),
        ({"n_rounds": 2}, "2 have finished"),
        ({"n_audit": 0}, "there are none"),
    ],
)
def test_with_too_little_it_says_so(change, said):
    history = _history(**{"n_rounds": 3, **change})
    assert said in why_not(history)
    with pytest.raises(ValueError, match=said):
        _forecast(history)


def test_three_rounds_are_enough():
    assert why_not(_history(n_rounds=3)) is None
    assert np.isfinite(_forecast(_history(n_rounds=3)).accuracies(np.array([1e5]))).all()


@pytest.mark.parametrize("by_image", [True, False])
def test_an_audit_without_errors_is_not_taken_for_perfection(by_image):
    ends = band(_forecast(_history(errors=[0.0] * 6, by_image=by_image)).accuracies(np.array([700.0]))[:, 0])
    assert 0.985 < ends.low < 0.9999
    assert ends.high <= 1


@pytest.mark.parametrize("values", [[0.3] * 6, [0.1, 0.15, 0.2, 0.25, 0.3, 0.35], [1.0] * 6])
def test_errors_that_do_not_fall_are_not_forecast_to_fall_fast(values):
    found = _forecast(_history(errors=values))
    now, later = (band(1 - found.accuracies(np.array([n]))[:, 0]).middle for n in (600.0, 1_200.0))
    assert 0.8 * now < later <= now


@pytest.mark.parametrize("coverage", [[0.0] * 6, [1.0] * 6, [0.03, 0.4, 0.4, 0.36, 0.5, 0.02]])
def test_coverage_of_any_shape_stays_a_share(coverage):
    values = _forecast(_history(coverage=coverage)).coverages(np.array([600.0, 5_000.0, 19_600.0]))
    assert ((values >= 0) & (values <= 1)).all()


def test_when_people_have_labelled_all_images_all_are_covered():
    found = _forecast(_history(n_samples=1_000))
    assert (found.coverages(np.array([600.0])) == 1).all()


def test_rounds_of_the_same_number_of_labels_do_no_harm():
    history = History(np.array([50, 50, 50]), np.array([0.2, 0.2, 0.3]), np.array([0.1, 0.1, 0.2]), 900, 60, 60)
    assert np.isfinite(_forecast(history).accuracies(np.array([100.0]))).all()


def test_rounds_before_the_first_certificate_do_not_pull_the_curve_down():
    coverage = np.array([BY_PEOPLE[0], 0.5, 0.55, 0.58, 0.6, 0.61])
    ends = band(_forecast(_history(coverage=coverage)).coverages(np.array([700.0]))[:, 0])
    assert 0.4 < ends.low < 0.62 < ends.high < 0.8


def test_certificates_that_failed_are_forecast_to_fail_again():
    coverage = np.array([0.5, BY_PEOPLE[1], 0.55, BY_PEOPLE[3], 0.6, BY_PEOPLE[5]])
    values = _forecast(_history(coverage=coverage)).coverages(np.array([700.0]))[:, 0]
    assert (values == (700 + 400) / 20_000).mean() == pytest.approx(3 / 11, abs=0.05)


def test_without_any_certificate_the_forecast_says_how_little_is_known():
    ends = band(_forecast(_history(coverage=BY_PEOPLE)).coverages(np.array([700.0]))[:, 0])
    assert ends.low == pytest.approx(0.055)
    assert ends.high > 0.9
