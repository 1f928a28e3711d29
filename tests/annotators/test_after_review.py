"""What reviews leave of a certificate: by hand, and against reviewers who know everything."""

import numpy as np
import pytest

from budgetal.annotators.after_review import after_review
from budgetal.annotators.certificate import Certificate, certify


def certificate(n_auto=880, upper_bound=0.0432):
    return Certificate(0.05, 0.04, upper_bound, 0.9, 120, 1, n_auto, upper_bound)


def test_by_hand():
    found = after_review(certificate(), n_reviewed=200, n_corrected=20)
    assert (found.n_certified, found.most_wrong, found.is_refuted) == (880, 18, False)
    assert found.upper_bound == pytest.approx(18 / 880)
    assert found.upper_bound_unreviewed == pytest.approx(18 / 680)


def test_without_reviews_it_is_the_certificate_itself():
    found = after_review(certificate(upper_bound=0.05, n_auto=1000), 0, 0)
    assert (found.most_wrong, found.upper_bound, found.upper_bound_unreviewed) == (50, 0.05, 0.05)


def test_accepted_labels_leave_as_many_wrong_ones_among_fewer():
    found = after_review(certificate(upper_bound=0.05, n_auto=1000), 900, 0)
    assert (found.upper_bound, found.upper_bound_unreviewed) == (0.05, 0.5)


def test_when_all_is_reviewed_nothing_is_left_to_be_wrong():
    found = after_review(certificate(upper_bound=0.05, n_auto=100), 100, 3)
    assert (found.most_wrong, found.upper_bound_unreviewed) == (0, 0.0)


def test_more_corrections_than_the_certificate_allows_refute_it():
    found = after_review(certificate(upper_bound=0.05, n_auto=1000), 60, 51)
    assert (found.most_wrong, found.is_refuted) == (0, True)
    assert not after_review(certificate(upper_bound=0.05, n_auto=1000), 60, 50).is_refuted


@pytest.mark.parametrize(("n_reviewed", "n_corrected"), [(-1, 0), (1, 2), (881, 0)])
def test_counts_that_do_not_fit_are_refused(n_reviewed, n_corrected):
    with pytest.raises(ValueError, match="Cannot review"):
        after_review(certificate(), n_reviewed, n_corrected)


N, N_AUDIT, RISK = 400, 120, 0.1


def draw(n_wrong, rng, n=N):
    """A collection of n with that many wrong labels, an audit of it, and the rest."""
    wrong = np.zeros(n, dtype=bool)
    wrong[rng.choice(n, n_wrong, replace=False)] = True
    audit = np.sort(rng.choice(n, N_AUDIT, replace=False))
    return wrong, audit, np.setdiff1d(np.arange(n), audit)


def certified(wrong, audit, tolerance, among=None):
    """The certificate of all of `among` (default: the collection), from this audit."""
    among = np.arange(len(wrong)) if among is None else among
    scores = np.ones(len(among), np.float32)
    return certify(scores, np.searchsorted(among, audit), wrong[audit], tolerance, RISK, thresholds=[1.0])


def accepting_right_ones(wrong, rest, n):
    """A reviewer who knows every answer and takes only right labels away."""
    return rest[~wrong[rest]][:n]


def correcting_some(wrong, rest, n):
    return rest[np.argsort(~wrong[rest], kind="stable")][:n]


@pytest.mark.parametrize("choose", [accepting_right_ones, correcting_some])
@pytest.mark.parametrize("tolerance", [0.1, 0.15])
@pytest.mark.parametrize("n_wrong", [40, 45, 60])
def test_whoever_reviews_what_more_is_wrong_no_oftener_than_the_risk(choose, n_wrong, tolerance):
    rng, n_false, n_runs = np.random.default_rng(n_wrong), 0, 400
    for _ in range(n_runs):
        wrong, audit, rest = draw(n_wrong, rng)
        found = certified(wrong, audit, tolerance)
        if found is None:
            continue
        reviewed = choose(wrong, rest, 200)
        left = np.setdiff1d(rest, reviewed)
        after = after_review(found, len(reviewed), int(wrong[reviewed].sum()))
        n_false += wrong[left].sum() > after.most_wrong
    # Four standard deviations of a share of RISK.
    assert n_false <= n_runs * RISK + 4 * (n_runs * RISK * (1 - RISK)) ** 0.5


def test_a_pool_that_shrank_by_reviews_would_break_the_promise():
    """Why reviewed images stay in the population: without the accepted ones the audit is no sample of the rest."""
    rng, n_false, n_runs = np.random.default_rng(0), 0, 200
    for _ in range(n_runs):
        wrong, audit, rest = draw(100, rng, n=2000)
        reviewed = accepting_right_ones(wrong, rest, 1200)
        found = certified(wrong, audit, 0.12, np.setdiff1d(np.arange(2000), reviewed))
        n_false += found is not None and wrong[np.setdiff1d(rest, reviewed)].mean() > found.upper_bound
    assert n_false / n_runs > 5 * RISK
