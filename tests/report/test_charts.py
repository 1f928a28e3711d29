import re
from xml.etree import ElementTree

import numpy as np
import pytest
from report_examples import confusion

from budgetal.report.charts import Axis, Guide, Series, line_chart, scales, stacked_bars
from budgetal.report.intervals import Interval, interval_chart
from budgetal.report.matrix import matrix_chart, shortened

X = Axis("labels", (0, 50, 100), str)
Y = Axis("", (0.0, 0.5, 1.0), str)
HOSTILE = '"><script>alert(1)</script>'


def parsed(drawing):
    return ElementTree.fromstring(drawing)


def titles(drawing):
    return [element.text for element in parsed(drawing).iter("title")]


def test_a_line_passes_through_its_points():
    drawing = line_chart([Series("a", [0, 50, 100], [0.0, 1.0, 0.5])], X, Y, "alt")
    x, y = scales(X, Y)
    path = next(item for item in parsed(drawing).iter("path"))
    numbers = [float(number) for number in re.findall(r"[\d.]+", path.get("d"))]

    assert numbers == [x(0), y(0), x(50), y(1), x(100), y(0.5)]


def test_a_missing_value_leaves_a_gap():
    drawing = line_chart([Series("a", [0, 25, 50, 100], [0.1, None, 0.2, 0.3])], X, Y, "alt")
    assert len(list(parsed(drawing).iter("path"))) == 2
    assert len(titles(drawing)) == 3


def test_points_tell_their_values():
    assert titles(line_chart([Series("Audit", [50], [0.5])], X, Y, "alt")) == ["Audit: 0.5 at 50 labels"]


def test_a_band_is_drawn_only_where_it_is_known():
    line = Series("a", [0, 50], [0.5, 0.6], band=[None, (0.4, 0.7)])
    assert str(line_chart([line], X, Y, "alt")).count('class="area-1"') == 1


def test_a_guide_is_named():
    assert "accepted" in line_chart([], X, Y, "alt", [Guide("accepted", 0.5)])


def test_very_long_lines_stay_small():
    xs = list(range(100_000))
    axis = Axis("epochs", (0, 100_000), str)
    assert len(line_chart([Series("a", xs, [0.5] * len(xs))], axis, Y, "alt")) < 10_000


def test_bars_stack_to_the_sum_of_their_parts():
    y_axis = Axis("", (0, 10), str)
    drawing = stacked_bars(("a", "b", "c"), [50], [(2, 0, 5)], X, y_axis, "alt")
    bars = [item for item in parsed(drawing).iter("rect")]
    _, y = scales(X, y_axis)

    assert [bar.get("class") for bar in bars] == ["bar-1", "bar-3"]
    assert sum(float(bar.get("height")) for bar in bars) == pytest.approx(y(0) - y(7), abs=0.11)
    assert float(bars[1].get("y")) == y(7)


@pytest.mark.parametrize("n_classes", [1, 2, 14, 15, 30, 31, 200])
def test_the_matrix_has_a_cell_for_every_pair_that_occurs(n_classes):
    counts = np.diag(np.arange(n_classes))
    counts[0, n_classes - 1] += 5
    names = [f"class {i}" for i in range(n_classes)]

    drawing = matrix_chart(counts, names, "alt")

    cells = [item for item in parsed(drawing).iter("rect") if item.get("class").startswith("cell")]
    assert len(cells) == np.count_nonzero(counts)
    named = n_classes <= 30
    assert (f">{shortened(names[-1])}<" in drawing) == named


def test_the_matrix_tells_right_from_wrong():
    said = titles(matrix_chart(confusion(), [f"digit {i}" for i in range(10)], "alt"))
    assert "digit 3 taken for digit 8: 2" in said
    assert "digit 3 recognised: 6" in said


def test_a_class_without_audit_images_is_an_empty_row():
    assert "nan" not in matrix_chart(np.array([[0, 0], [1, 3]]), ["a", "b"], "alt")


def test_intervals_tell_counts_and_ends():
    drawing = interval_chart([Interval("cat", 0.5, 0.25, 0.75, "3 of 6")], "alt")
    assert titles(drawing) == ["cat: 3 of 6, 95 % interval 25.0 % to 75.0 %"]


def test_long_names_keep_both_ends():
    assert shortened("species number 17") == "species…r 17"
    assert shortened("cat") == "cat"


def test_hostile_text_is_only_text():
    drawings = (
        line_chart([Series(HOSTILE, [50], [0.5])], X, Y, HOSTILE, [Guide(HOSTILE, 0.5)]),
        stacked_bars((HOSTILE,), [50], [(1,)], X, Y, HOSTILE),
        matrix_chart(np.array([[1]]), [HOSTILE], HOSTILE),
        interval_chart([Interval(HOSTILE, 0.5, 0.2, 0.7, HOSTILE)], HOSTILE),
    )
    for drawing in drawings:
        assert "<script" not in drawing
        assert parsed(drawing).get("aria-label") == HOSTILE
