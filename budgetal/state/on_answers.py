"""The events of people's answers, and of their word on automatic labels."""

from collections.abc import Mapping
from typing import Any

from budgetal.reviews import Review
from budgetal.state.holding import State
from budgetal.state.paying import pay, unpay
from budgetal.state.records import GIVEN, HumanLabel
from budgetal.state.votes import add_opinion, count_votes, take_back_opinion


def on_labelled(state: State, data: Mapping[str, Any]) -> None:
    """A person answers, adds an opinion or corrects, or a label came with the images."""
    sample_id, query_id = data["sample_id"], data["query"]
    answer = HumanLabel(data["label"], data["annotator"], query_id, data.get("suggestion"))
    if query_id != GIVEN:
        state.pace.note(answer.annotator, query_id, state.at_unix_s)
    if sample_id in state.opinions or state.is_opinion(query_id):
        add_opinion(state, sample_id, answer)
    else:
        _label(state, sample_id, answer)
    state.broken.discard(sample_id)
    # A correction of one's own answer leaves the image open where another person's is asked for.
    if state.open_items.get(sample_id) == query_id:
        del state.open_items[sample_id]
    _labels_changed(state, sample_id)


def _label(state: State, sample_id: str, answer: HumanLabel) -> None:
    """The only answer for an image, in place of what was said before."""
    unpay(state, sample_id, state.labels.get(sample_id))
    state.labels[sample_id] = answer
    state.skipped.discard(sample_id)
    pay(state, sample_id, answer)


def on_gold_given(state: State, data: Mapping[str, Any]) -> None:
    """Images with a known truth come, to test people with."""
    for sample_id, label in data["labels"].items():
        said = [answer for answer in state.answers_of(sample_id) if answer.query_id != GIVEN]
        # The truth comes first, so that it decides whatever people said before or will say.
        state.opinions[sample_id] = [HumanLabel(label, data["annotator"], GIVEN), *said]
        state.gold[sample_id] = None
        state.skipped.discard(sample_id)
        state.broken.discard(sample_id)
        count_votes(state, sample_id)
        _labels_changed(state, sample_id)


def on_skipped(state: State, data: Mapping[str, Any]) -> None:
    """A person can give no label."""
    state.open_items.pop(data["sample_id"], None)
    if data.get("reason") == "broken":
        state.broken.add(data["sample_id"])
    if state.is_opinion(data["query"]):
        state.skipped_opinions.add((data["sample_id"], data["query"]))
    else:
        state.skipped.add(data["sample_id"])


def on_undone(state: State, data: Mapping[str, Any]) -> None:
    """An answer or a skip is taken back."""
    sample_id = data["sample_id"]
    state.broken.discard(sample_id)
    if (sample_id, data["query"]) in state.skipped_opinions:
        state.skipped_opinions.remove((sample_id, data["query"]))
    else:
        _take_back(state, sample_id)
    state.open_items[sample_id] = data["query"]
    _labels_changed(state, sample_id)


def _take_back(state: State, sample_id: str) -> None:
    """Undo the only answer for an image, or the last one, or a skip."""
    if state.opinions.get(sample_id):
        take_back_opinion(state, sample_id)
        return
    unpay(state, sample_id, state.labels.pop(sample_id, None))
    state.skipped.discard(sample_id)


def _labels_changed(state: State, sample_id: str) -> None:
    """A changed training label asks for a new fit, a changed audit answer for a new last look only."""
    state.finished = False
    if not state.is_held_out(sample_id):
        state.queried.add(sample_id)
        state.last_label_seq = state.seq


def on_labels_shown(state: State, _data: Mapping[str, Any]) -> None:
    """Automatic labels are first shown to somebody who reviews."""
    state.reviews.were_shown = True


def on_reviewed(state: State, data: Mapping[str, Any]) -> None:
    """A person accepts or corrects an automatic label."""
    # Kept apart from `labels`, which models learn from: see `reviews`.
    state.reviews.add(data["sample_id"], Review(data["label"], data["annotator"], data["automatic"], data["round"]))


def on_review_undone(state: State, data: Mapping[str, Any]) -> None:
    """A person takes a review back."""
    state.reviews.take_back(data["sample_id"], data["annotator"])
