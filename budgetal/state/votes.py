"""Several people's answers for one image: how they are counted, and the label that they come to."""

from dataclasses import replace

from budgetal.annotators.votes import plurality
from budgetal.state.holding import State
from budgetal.state.paying import pay, unpay
from budgetal.state.records import GIVEN, HumanLabel


def add_opinion(state: State, sample_id: str, answer: HumanLabel) -> None:
    """One more answer for an image, or a person's own answer corrected."""
    first = [state.labels[sample_id]] if sample_id in state.labels else []
    given = state.opinions.setdefault(sample_id, first)
    state.skipped_opinions.discard((sample_id, answer.query_id))
    # Nobody's answer takes the place of the truth, whatever they are called.
    said = [(place, earlier) for place, earlier in enumerate(given) if place or sample_id not in state.gold]
    mine = next((place for place, earlier in said if earlier.annotator == answer.annotator), len(given))
    for earlier in given[mine : mine + 1]:
        unpay(state, sample_id, earlier)
        answer = replace(answer, query_id=earlier.query_id)
    given[mine : mine + 1] = [answer]
    pay(state, sample_id, answer)
    count_votes(state, sample_id)


def take_back_opinion(state: State, sample_id: str) -> None:
    """Forget the last of an image's answers."""
    unpay(state, sample_id, state.opinions[sample_id].pop())
    count_votes(state, sample_id)


def count_votes(state: State, sample_id: str) -> None:
    """The label of an image that several people were asked about, as their answers stand."""
    given = state.opinions[sample_id]
    if not given:
        state.labels.pop(sample_id, None)
        return
    voted = plurality([answer.label for answer in given])
    # A label that came with the image is known: people's opinions of it say something of the people only.
    winner = given[0] if given[0].query_id == GIVEN else given[voted]
    state.labels[sample_id] = replace(winner, query_id=given[0].query_id)
