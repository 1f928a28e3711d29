import itertools
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from report_examples import DIGITS, confusion, digit, example_report, round_row

from budgetal.errors import DataError
from budgetal.report import ClassRow, Picture, ReportData, render_report
from budgetal.report.html import MAX_PICTURES
from budgetal.types import Quarantined

VOID = {"meta", "img", "br"}
HOSTILE = '<script>alert("1")</script>\'"><img src=x onerror=alert(1)>'


class Page(HTMLParser):
    """Tags that are closed in order, attributes, headings and the text that a reader sees."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.attributes, self.text = [], [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text.append(data)

    @property
    def words(self):
        return " ".join(" ".join(self.text).split())

    def values(self, name):
        return [value for _, attribute, value in self.attributes if attribute == name]


def page_of(data):
    return Page(render_report(data))


@pytest.fixture(scope="module")
def page():
    return page_of(example_report())


def test_nothing_is_loaded_from_anywhere(page):
    html = re.sub(r"data:image/\w+;base64,[\w+/=]*", "", render_report(example_report()))
    assert not re.search(r"https?:|//\w|@import|url\(", html)
    assert all(value.startswith("data:image/") for value in page.values("src"))
    assert all(value.startswith("#") for value in page.values("href"))
    assert not {"script", "link", "iframe", "object", "form"} & set(page.tags)
    assert "default-src 'none'" in page.values("content")[0]


def test_every_section_is_there_and_every_link_leads_to_one(page):
    sections = ["result", "progress", "mistakes", "asked", "least-confident", "duplicates"]
    assert [*sections, "quarantine", "settings"] == page.values("id")
    assert {link[1:] for link in page.values("href")} <= set(page.values("id"))


def test_headings_are_in_order(page):
    levels = [int(tag[1]) for tag in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_every_image_and_chart_has_a_text(page):
    n_images = page.tags.count("img")
    charts = [value for tag, name, value in page.attributes if (tag, name) == ("svg", "aria-label")]
    assert n_images == 80 + 30 + 10
    assert len([value for value in page.values("alt") if value]) == n_images
    assert page.tags.count("svg") == len([text for text in charts if text]) == 9


def test_every_chart_has_its_numbers_as_a_table(page):
    assert page.tags.count("figure") == 9
    assert page.text.count("Numbers") == 9


def test_the_values_shown_are_the_values_given(page):
    words = page.words
    for shown in ("1,797 images", "at most 4.8 % wrong", "150 of 150 labels", "95.6 %", "1.3 %"):
        assert shown in words
    assert "known here because the answers were simulated" in words
    last = example_report().rounds[-1]
    assert f"{100 * last.audit_accuracy:.1f} %" in words
    assert "60 of 63 audit images are right" in words
    assert "“3” is taken for “8” (2)" in words
    assert "68 of 70 audit images above the threshold are right" in words
    assert "0 of 150 labels are left after round 7" in words
    assert "the budget is spent" in words


def test_truth_that_is_not_known_is_not_mentioned():
    data = example_report()
    hidden = {"auto_label_error_true": None, "dataset_accuracy_true": None}
    assert "simulated" not in page_of(replace(data, summary={**data.summary, **hidden})).words


def test_the_demo_report_is_small():
    assert len(render_report(example_report()).encode()) < 400_000


def test_hostile_text_is_only_text():
    data = example_report()
    names = (HOSTILE, *DIGITS[1:])
    page = page_of(
        replace(
            data,
            title=HOSTILE,
            classes=names,
            class_rows=(ClassRow(HOSTILE, 1, 1, 2, 1),),
            asked=((HOSTILE, (digit(0, HOSTILE),)),),
            least_confident=(digit(1, HOSTILE),),
            near_duplicates=((digit(0, HOSTILE), digit(1, HOSTILE), 0.9),),
            quarantined=(Quarantined(HOSTILE, HOSTILE),),
            settings={HOSTILE: HOSTILE},
            summary={**data.summary, "stop_reason": HOSTILE, "versions": {HOSTILE: HOSTILE}},
        )
    )
    assert "script" not in page.tags
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert all(value.startswith("data:image/") for value in page.values("src"))
    assert page.text.count(HOSTILE) >= 8


def test_a_path_that_is_not_utf8_can_be_written():
    data = replace(example_report(), quarantined=(Quarantined("caf\udce9.png", "broken"),))
    assert "caf?.png" in render_report(data).encode("utf-8").decode()


def test_before_the_first_round_every_section_says_that_it_is_empty():
    words = page_of(ReportData("Empty", {"n_samples": 3, "budget": 2, "certificate": None})).words
    for said in (
        "No automatic label is certified",
        "No round has finished yet",
        "There is no random audit to compare the model with",
        "No image has been asked for yet",
        "No image was labelled automatically",
        "No file is an exact copy of another",
        "Every file could be read",
        "No settings were recorded",
    ):
        assert said in words


def test_a_summary_of_nulls_is_shown():
    data = example_report()
    page_of(replace(data, summary=dict.fromkeys(data.summary)))


def test_rounds_that_measured_nothing_are_shown():
    nothing = {"audit_accuracy": None, "test_accuracy": None, "upper_bound": None, "train_loss": None}
    row = replace(round_row(1), **nothing, epochs=(), n_audit=None)
    words = page_of(replace(example_report(), rounds=(row, replace(row, round=2)))).words
    assert "Neither an audit nor a test set was measured" in words
    assert "No epoch was recorded" in words
    assert "nan" not in words


@pytest.mark.parametrize("n_rounds", [1, 2, 300])
def test_any_number_of_rounds_can_be_drawn(n_rounds):
    rounds = tuple(replace(round_row(i % 8), round=i, n_human=100 * i) for i in range(n_rounds))
    html = render_report(replace(example_report(), rounds=rounds))
    assert page_of(replace(example_report(), rounds=rounds)).tags.count("svg") >= 8
    assert len(html) < 1_000_000


@pytest.mark.parametrize("n_classes", [1, 200])
def test_any_number_of_classes_can_be_drawn(n_classes):
    names = tuple(f"class {i}" for i in range(n_classes))
    counts = confusion(200) if n_classes == 200 else np.array([[4]])
    rows = tuple(ClassRow(name, 1, 2, 3, 2) for name in names)
    words = page_of(replace(example_report(), classes=names, confusion=counts, class_rows=rows)).words
    assert ("The 30 least precise of 200 classes are drawn" in words) == (n_classes == 200)


def test_large_galleries_are_cut_and_say_so():
    many = tuple(digit(i, f"{i}") for i in range(MAX_PICTURES + 7))
    data = replace(example_report(), asked=(), near_duplicates=(), least_confident=many)
    page = page_of(data)
    assert page.tags.count("img") == MAX_PICTURES
    assert "And 7 more, not shown." in page.words


@pytest.mark.parametrize(
    ("n", "said"),
    [(0, "No file is an exact"), (1, "1 file is an exact copy"), (2, "2 files are exact copies")],
)
def test_duplicates_are_counted_in_words(n, said):
    assert said in page_of(replace(example_report(), exact_duplicates=n)).words


def test_a_picture_of_another_kind_is_refused():
    with pytest.raises(DataError, match="neither PNG nor WebP"):
        render_report(replace(example_report(), least_confident=(Picture(b"<svg/>", "vector"),)))
