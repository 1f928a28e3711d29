import pytest

from budgetal.annotators.risk import GUARD, final_risk, round_risk


@pytest.mark.parametrize("has_target", [True, False])
def test_all_looks_together_never_spend_more_than_the_risk(has_target):
    rounds = sum(round_risk(0.05, k, has_target=has_target) for k in range(10_000))
    finals = sum(final_risk(0.05, j, has_target=has_target) for j in range(60))
    assert 0.9999 < (rounds + finals) / (0.05 * (1 - GUARD)) <= 1 + 1e-12


def test_every_look_has_some_risk_and_later_ones_less():
    risks = [final_risk(0.05, j, has_target=False) for j in range(5)]
    assert risks == sorted(risks, reverse=True)
    assert min(risks) > 0
