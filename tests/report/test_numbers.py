import math

import pytest

from budgetal.report.numbers import (
    count,
    decimal,
    duration,
    money,
    percent,
    percent_at_least,
    percent_at_most,
)


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0482, "4.8 %"), (1, "100.0 %"), (0.99999, "> 99.9 %"), (0.00001, "< 0.1 %"), (0, "0.0 %")],
)
def test_a_share_is_never_rounded_to_all_or_nothing(share, text):
    assert percent(share) == text


def test_what_was_not_measured_is_a_dash():
    assert {percent(None), count(None), decimal(math.nan), duration(math.inf)} == {"–"}


@pytest.mark.parametrize("share", [0.0, 0.04401, 0.05, 0.33333, 1.0])
def test_bounds_are_rounded_to_the_safe_side(share):
    assert float(percent_at_most(share).removesuffix(" %")) >= 100 * share - 1e-9
    assert float(percent_at_least(share).removesuffix(" %")) <= 100 * share + 1e-9


@pytest.mark.parametrize(("seconds", "text"), [(0.25, "0.2 s"), (71.3, "71 s"), (192, "3.2 min"), (8000, "2.2 h")])
def test_a_duration_has_one_unit(seconds, text):
    assert duration(seconds) == text


def test_money_shows_cents_only_where_there_are_some():
    assert (money(1234.5), money(80.0)) == ("1,234.50", "80")
