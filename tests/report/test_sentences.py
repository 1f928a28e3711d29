import pytest
from report_examples import example_summary

from budgetal.report import result_in_three_lines


def lines(**changes):
    return result_in_three_lines({**example_summary(), **changes})


def test_the_three_lines_of_an_ordinary_run():
    assert lines() == (
        "1,797 images: 150 labelled by people, 1,204 automatically, 443 need a person or a larger budget.",
        "The automatic labels are at most 4.8 % wrong, with 95 % confidence (from 66 audit labels with 0 errors).",
        "Budget: 150 of 150 labels spent.",
    )


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        ((1, 1, 0, 0), "1 image: 1 labelled by a person, none automatically, none left without a label."),
        (
            (3, 0, 2, 1),
            "3 images: none labelled by people, 2 automatically, 1 needs a person or a larger budget.",
        ),
        ((0, 0, 0, 0), "No images: there was nothing to label."),
        ((5, None, 2, None), "5 images: 2 automatically."),
        ((None, None, None, None), "Images: no labels were counted."),
    ],
)
def test_the_first_line_is_grammatical_for_none_one_and_many(counts, sentence):
    names = ("n_samples", "n_human_labels", "n_auto_labels", "n_unlabelled")
    assert lines(**dict(zip(names, counts, strict=True)))[0] == sentence


def test_one_audit_label_and_one_error_are_singular():
    certificate = {**example_summary()["certificate"], "n_audit": 1, "errors": 1}
    assert "(from 1 audit label with 1 error)" in lines(certificate=certificate)[1]


@pytest.mark.parametrize(
    ("bound", "risk", "said"),
    [
        (0.04401, 0.05, "at most 4.5 % wrong, with 95 % confidence"),
        (0.05, 0.1, "at most 5 % wrong, with 90 % confidence"),
        (0.0, 0.0005, "at most 0 % wrong, with 99.9 % confidence"),
    ],
)
def test_a_bound_is_rounded_up_and_a_confidence_down(bound, risk, said):
    certificate = {**example_summary()["certificate"], "upper_bound": bound, "risk": risk}
    assert said in lines(certificate=certificate)[1]


@pytest.mark.parametrize("certificate", [None, {"upper_bound": None, "tolerance": 0.05, "risk": 0.05}])
@pytest.mark.parametrize(
    ("n_audit", "why"),
    [
        (None, "there is no audit"),
        (0, "there is no audit"),
        (1, "the audit is too small, its 1 label is fewer than the 59 needed"),
        (58, "the audit is too small, its 58 labels are fewer than the 59 needed"),
        (59, "the 59 audit labels do not show"),
    ],
)
def test_without_a_certificate_the_second_line_says_so_and_why(certificate, n_audit, why):
    said = lines(certificate=certificate, n_audit_labels=n_audit)[1]
    assert said.startswith("No automatic label is certified: ")
    assert why in said


def test_how_many_audit_labels_are_needed_follows_the_tolerance_asked_for():
    said = lines(certificate=None, n_audit_labels=66, tolerance=0.01, risk=0.05)[1]
    assert "299 needed to show at most 1 % error" in said


@pytest.mark.parametrize(
    ("spent", "budget", "sentence"),
    [
        (1, 1, "Budget: 1 of 1 label spent."),
        (0, 10, "Budget: 0 of 10 labels spent."),
        (3, None, "Budget: none was set; 3 labels spent."),
        (None, 10, "Budget: 10 labels."),
    ],
)
def test_the_third_line_is_the_budget(spent, budget, sentence):
    assert lines(n_human_labels=spent, budget=budget)[2] == sentence


def test_a_summary_without_anything_still_gives_three_sentences():
    assert all(line.endswith(".") for line in result_in_three_lines({}))


def test_a_fall_back_is_said_at_the_end_of_the_third_line():
    third = lines(fallback_round=2, strategy="margin")[2]
    assert third.endswith("After round 2 queries were random: 'margin' did worse than random labels would have.")
    assert "random" not in lines(fallback_round=None)[2]


def test_after_a_fall_back_the_second_line_asks_for_the_larger_audit_that_it_needs():
    enough, too_few = (lines(certificate=None, n_audit_labels=80, fallback_round=k)[1] for k in (None, 0))
    assert "do not show a group" in enough
    assert "its 80 labels are fewer than the 131 needed" in too_few
