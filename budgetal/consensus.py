"""What several people's answers come to in a project: labels to train on, and how good each person is.

Opinions of training images and of images with known labels reach training; those of audit images reach certificates and
the table of people only. An audit image's own label is the plain vote on it (`annotators.votes`).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from budgetal.annotators.crowd import Answers, Floats, Opinion, dawid_skene, jeffreys
from budgetal.state import GIVEN, State
from budgetal.types import NONE_OF_THESE, Json


@dataclass(frozen=True)
class Consensus:
    """What people's answers for these images say: rows of `opinion` are in the order of `sample_ids` and `people`."""

    sample_ids: tuple[str, ...]
    people: tuple[str, ...]
    opinion: Opinion


def of_classes(state: State, sample_ids: Iterable[str]) -> list[str]:
    """Those of the images of which nobody said that they are none of the classes: the others follow the plain vote."""
    return [i for i in sample_ids if all(answer.label != NONE_OF_THESE for answer in state.answers_of(i))]


def training_ids(state: State) -> tuple[str, ...]:
    """Labelled images outside the audit, in the order of their first answers."""
    return tuple(i for i in state.labels if not state.is_held_out(i))


def consensus(state: State, sample_ids: Iterable[str], item_prior: Floats | None = None) -> Consensus:
    """Dawid & Skene over the answers for these images, all of which name classes; labels that came along are known.

    item_prior: (n, m) as in `dawid_skene`, in the order of `sample_ids`.
    """
    ids = tuple(sample_ids)
    index = {name: target for target, name in enumerate(state.settings.classes)}
    triples, people, known = [], dict[str, int](), np.full(len(ids), -1)
    for item, sample_id in enumerate(ids):
        for answer in state.answers_of(sample_id):
            if answer.query_id == GIVEN:
                known[item] = index[answer.label]
            else:
                person = people.setdefault(answer.annotator, len(people))
                triples.append((item, person, index[answer.label]))
    items, givers, given = np.array(triples, dtype=np.int64).reshape(-1, 3).T
    answers = Answers(items, givers, given, len(ids), len(people), len(index))
    return Consensus(ids, tuple(people), dawid_skene(answers, known=known, item_prior=item_prior))


def labels_to_train_on(state: State) -> dict[str, str]:
    """The label of each image outside the audit: of those with several opinions, the likeliest by who said what."""
    labels = {i: state.labels[i].label for i in training_ids(state)}
    several = [i for i in labels if len(state.opinions.get(i, ())) > 1 and state.labels[i].query_id != GIVEN]
    if several:
        found = consensus(state, of_classes(state, labels))
        best = dict(zip(found.sample_ids, found.opinion.posterior.argmax(axis=1).tolist(), strict=True))
        labels.update((i, state.settings.classes[best[i]]) for i in several if i in best)
    return labels


def people_table(state: State) -> list[Json]:
    """One row a person, in the order of their first answers: how many, how good, how often they agree with the outcome.

    `accuracy` is the share of their answers expected to be right, None where no image was answered by two and none
    was known; `low` and `high` are the ends of its 95 % interval. `n_known` of their answers were to images with a
    known label, `n_known_right` of them right; `known_low` and `known_high` are the ends of that share's interval.
    `seconds_per_answer` is their pace, None for too few.
    """
    counts = Counter(
        answer.annotator for i in state.labels for answer in state.answers_of(i) if answer.query_id != GIVEN
    )
    shared = [answers for answers in state.opinions.values() if len(answers) > 1]
    skill = _skill(consensus(state, of_classes(state, state.labels))) if shared else {}
    return [
        {
            "annotator": name,
            "n_answers": n,
            **dict(zip(("accuracy", "low", "high"), skill.get(name, (None,) * 3), strict=True)),
            **_on_known(state, name),
            **_agreement(state, name),
            "seconds_per_answer": state.pace.seconds_per_answer(name),
        }
        for name, n in counts.items()
    ]


def _skill(found: Consensus) -> dict[str, tuple[float, ...]]:
    """The share of each person's right answers and the ends of its interval."""
    share = found.opinion.n_right / found.opinion.n_answers
    table = np.concatenate([share[:, None], found.opinion.accuracy_interval()], axis=1)
    return {name: tuple(row) for name, row in zip(found.people, table.tolist(), strict=True)}


def _on_known(state: State, name: str) -> dict[str, Json]:
    """A person's answers to images with a known label: counted, where `accuracy` is inferred from everybody's."""
    right = [
        answer.label == answers[0].label
        for answers in state.opinions.values()
        if answers and answers[0].query_id == GIVEN
        for answer in answers[1:]
        if answer.annotator == name
    ]
    n, n_right = len(right), sum(right)
    low, high = jeffreys(np.array([float(n_right)]), np.array([n]))[0].tolist() if n else (None, None)
    return {"n_known": n, "n_known_right": n_right, "known_low": low, "known_high": high}


def _agreement(state: State, name: str) -> dict[str, Json]:
    """How many of the images that others answered too, or that were known, and how often the label is this person's."""
    shared = [
        answer.label == state.labels[sample_id].label
        for sample_id, answers in state.opinions.items()
        if len(answers) > 1
        for answer in answers
        if answer.annotator == name
    ]
    return {"n_shared": len(shared), "agreement": sum(shared) / len(shared) if shared else None}
