import itertools

from hypothesis import given
from hypothesis import strategies as st

from budgetal.report.axes import rounds_axis, since_start_axis
from budgetal.report.scale import Scale, round_ticks, share_ticks, thinned

values = st.floats(-1e6, 1e6).map(lambda value: round(value, 6))


@given(values, values, st.booleans())
def test_ticks_cover_the_range_evenly_and_are_few(first, second, whole):
    low, high = min(first, second), max(first, second)
    ticks = round_ticks(low, high, 5, whole)
    steps = [after - before for before, after in itertools.pairwise(ticks)]

    rounding = 1e-6 * (high - low) + 1e-9
    assert ticks[0] <= low + rounding
    assert ticks[-1] >= high - rounding
    assert 2 <= len(ticks) <= 8
    assert max(steps) - min(steps) <= 1e-6 * max(1, max(map(abs, ticks)))
    assert not whole or all(tick == round(tick) for tick in ticks)


def test_ticks_are_round_numbers():
    assert round_ticks(0, 150, 4) == (0, 50, 100, 150)
    assert round_ticks(0, 0.057) == (0, 0.02, 0.04, 0.06)
    assert round_ticks(3, 3, whole=True) == (3, 4)


@given(st.lists(st.floats(0, 1), min_size=1))
def test_accuracy_ticks_end_at_one_and_begin_below_the_lowest(shares):
    ticks = share_ticks(shares)
    assert ticks[-1] == 1
    assert 0 <= ticks[0] <= min(*shares, 0.99) + 1e-9


def test_a_scale_maps_ends_to_ends():
    scale = Scale(10, 20, 200, 100)
    assert (scale(10), scale(15), scale(20)) == (200, 150, 100)


@given(st.integers(0, 2000), st.integers(2, 100))
def test_thinning_keeps_the_first_and_last_and_no_more_than_the_limit(n, limit):
    rows = thinned(n, limit)
    assert len(rows) == min(n, limit)
    assert rows == sorted(set(rows))
    assert not n or (rows[0], rows[-1]) == (0, n - 1)


@given(st.integers(0, 5), st.integers(1, 500))
def test_round_axes_show_few_ticks_within_their_ends(first, n):
    rounds = range(first, first + n)
    for axis in (rounds_axis(rounds), since_start_axis(rounds)):
        assert len(axis.ticks) <= 10
        assert axis.ends[0] < axis.ticks[0] <= axis.ticks[-1] < axis.ends[1]
        assert axis.ends[1] > rounds[-1]
    assert since_start_axis(rounds).write(first - 1) == "start"
