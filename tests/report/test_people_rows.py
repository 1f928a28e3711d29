"""People in the report and in `status`: what is known of each, and dashes for the rest."""

import dataclasses

from report_examples import example_report

from budgetal.report import render_report
from budgetal.report.people_rows import people_cells, people_line

KNOWN = {
    "annotator": "ann",
    "n_answers": 1_200,
    "accuracy": 0.951,
    "low": 0.9,
    "high": 0.98,
    "n_known": 50,
    "n_known_right": 45,
    "known_low": 0.79,
    "known_high": 0.957,
    "n_shared": 40,
    "agreement": 0.9,
    "seconds_per_answer": 2.44,
}
UNKNOWN = {**KNOWN, "annotator": "<bob>", "accuracy": None, "low": None, "high": None, "n_shared": 0, "n_known": 0}
UNKNOWN |= {"agreement": None, "seconds_per_answer": None}


def test_a_row_says_all_that_is_known():
    known, unknown = people_cells([KNOWN, UNKNOWN])
    right = "45 of 50 (79.0 % to 95.7 %)"
    assert known == ("ann", "1,200", "95.1 % (90.0 % to 98.0 %)", right, "40", "90.0 %", "2.4 s an answer")
    assert unknown == ("<bob>", "1,200", "–", "–", "0", "–", "–")


def test_a_line_leaves_out_what_is_not_known():
    assert people_line(KNOWN) == (
        "ann: 1,200 answers, right in 95.1 % (90.0 % to 98.0 %), known images right: 45 of 50 (79.0 % to 95.7 %), "
        "agrees on 90.0 % of 40 shared images, 2.4 s an answer"
    )
    assert people_line(UNKNOWN) == "<bob>: 1,200 answers"


def test_the_page_has_a_section_where_people_answered_and_escapes_their_names():
    example = example_report()
    assert 'id="people"' not in render_report(example)
    summary = {**example.summary, "annotators": [KNOWN, UNKNOWN]}
    page = render_report(dataclasses.replace(example, summary=summary))
    assert 'id="people"' in page
    assert "95.1\u00a0% (90.0\u00a0% to 98.0\u00a0%)" in page or "95.1 % (90.0 % to 98.0 %)" in page
    assert "&lt;bob&gt;" in page
    assert "<bob>" not in page
