"""The live page's news: words for every kind of event, from nothing but what pages are told."""

import re
from pathlib import Path

import pytest

import budgetal.web
from budgetal.state import HANDLERS
from budgetal.web.routes.events import SHOWN

SCRIPT = (Path(budgetal.web.__file__).parent / "static" / "live.js").read_text()
KINDS = HANDLERS.keys()
TELLING = {"sample_id", "sample_ids", "query", "purpose", "passed_over", "weights", "frame", "label", "suggestion"}
"""Fields of events that say which images are in the audit, or of which query an answer is."""


def words():
    """Each kind that has words, with the fields of its event that they use."""
    (body,) = re.findall(r"const WORDS = \{\n(.*?)\n\};", SCRIPT, re.DOTALL)
    lines = re.findall(r"^  (\w+): \(.*?\) => (.*),$", body, re.MULTILINE)
    assert len(lines) == len(body.splitlines())
    return {kind: set(re.findall(r"event\.(\w+)", said)) for kind, said in lines}


def test_every_kind_of_event_has_words_and_no_other():
    assert words().keys() == KINDS


def test_kinds_that_are_counted_or_redraw_the_charts_exist():
    for name in ("COUNTED", "DRAWN_ANEW"):
        (listed,) = re.findall(rf"const {name} = new Set\(\[(.*?)\]\)", SCRIPT)
        assert set(re.findall(r'"(\w+)"', listed)) <= KINDS


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_words_use_what_pages_are_told(kind):
    assert words()[kind] <= set(SHOWN.get(kind, ()))


def test_nothing_is_told_that_says_which_images_are_in_the_audit():
    assert SHOWN.keys() <= KINDS
    assert not TELLING & {field for fields in SHOWN.values() for field in fields}


def test_an_audit_is_asked_and_answered_in_the_words_of_any_query():
    # No field of these events may choose the words.
    assert not any(words()[kind] for kind in ("asked", "labelled", "skipped", "undone"))
