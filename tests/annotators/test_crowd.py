"""Dawid & Skene: by hand, against every possible truth, and where it must agree with simpler rules."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_em import climb, log_likelihood, votes

from budgetal.annotators.crowd import PRIOR_ACCURACY, PRIOR_ANSWERS, Answers, dawid_skene, expected_after_another


def _answers(table, n_classes):
    """A table of items by annotators, -1 for no answer."""
    table = np.asarray(table)
    items, annotators = np.nonzero(table >= 0)
    return Answers(items, annotators, table[items, annotators], *table.shape, n_classes)


def _simulated(n_items, accuracies, n_classes, rng, per_item):
    truth = rng.integers(0, n_classes, n_items)
    table = np.full((n_items, len(accuracies)), -1)
    for item in range(n_items):
        for person in rng.permutation(len(accuracies))[:per_item]:
            shift = rng.integers(1, n_classes) if rng.random() > accuracies[person] else 0
            table[item, person] = (truth[item] + shift) % n_classes
    return truth, _answers(table, n_classes)


def test_known_items_by_hand():
    """Two stages with pencil and paper: 3 of 4 right, so (3 + 8) / 14 of ten answers a row are right beforehand."""
    found = dawid_skene(_answers([[0], [0], [1], [1]], 2), known=np.array([0, 0, 0, 1]))
    right = PRIOR_ANSWERS * (3 + PRIOR_ANSWERS * PRIOR_ACCURACY) / 14
    wrong = PRIOR_ANSWERS - right
    by_hand = np.array([[(2 + right) / 13, (1 + wrong) / 13], [wrong / 11, (1 + right) / 11]])
    assert found.confusion[0] == pytest.approx(by_hand)
    assert found.n_right.tolist() == [3]
    assert found.posterior.tolist() == [[1, 0], [1, 0], [1, 0], [0, 1]]


PATIENTS = """
1111111 3334334 1122122 2223121 2223222 2223322 1222111 3333433 2222223 2322223 4444444 2223343 1111111
2223212 1211111 1112111 1111111 1111111 2222221 2221322 2222222 2222221 2223222 2212222 1111111 1111111
2322222 1111111 1111111 1121121 1111111 3333233 1111111 2222222 2223232 4334343 2212232 2323233 3333432
1111111 1111111 1212111 2322222 1211111 2222222
"""
"""Dawid & Skene 1979, table 1: three answers of the first doctor, then one of each other."""


def test_the_anaesthetists_of_dawid_and_skene():
    """45 patients judged by five doctors, the first three times: the class shares that the paper found."""
    triples = [
        (patient, doctor, int(answer) - 1)
        for patient, row in enumerate(PATIENTS.split())
        for doctor, answer in zip((0, 0, 0, 1, 2, 3, 4), row, strict=True)
    ]
    items, doctors, answers = np.array(triples).T
    found = dawid_skene(Answers(items, doctors, answers, 45, 5, 4), prior_answers=1e-3)
    assert found.class_shares == pytest.approx([0.40, 0.42, 0.11, 0.07], abs=0.01)
    assert found.confusion[0].diagonal() == pytest.approx([0.89, 0.88, 0.66, 0.44], abs=0.01)


@given(st.data())
@settings(max_examples=20, deadline=None)
def test_the_likelihood_is_that_of_every_possible_truth_summed(data):
    """Sum over all truths of a tiny problem what the expectation step factorises, at the parameters that were found."""
    n_items, n_people, m = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 3)), data.draw(st.integers(2, 3))
    table = data.draw(
        st.lists(
            st.lists(st.integers(-1, m - 1), min_size=n_people, max_size=n_people), min_size=n_items, max_size=n_items
        )
    )
    found = dawid_skene(_answers(table, m))
    marginal = np.zeros((n_items, m))
    for truth in itertools.product(range(m), repeat=n_items):
        weight = np.prod([found.class_shares[c] for c in truth])
        for item, person in itertools.product(range(n_items), range(n_people)):
            if table[item][person] >= 0:
                weight *= found.confusion[person, truth[item], table[item][person]]
        marginal[np.arange(n_items), truth] += weight
    assert found.posterior == pytest.approx(marginal / marginal.sum(axis=1, keepdims=True), abs=1e-3)


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_every_step_raises_the_log_posterior(seed):
    rng = np.random.default_rng(seed)
    _, answers = _simulated(40, rng.uniform(0.2, 1, 4), 3, rng, 3)
    steps = dawid_skene(answers).log_posterior
    assert all(later >= earlier - 1e-9 for earlier, later in itertools.pairwise(steps))


@pytest.mark.parametrize("seed", range(6))
def test_almost_without_priors_no_top_is_higher_than_ours(seed):
    """The plain climb from the votes and from four starts at random; six people, some hardly better than chance."""
    rng = np.random.default_rng(seed)
    _, answers = _simulated(150, rng.uniform(0.55, 0.95, 6), 3, rng, 5)
    found = dawid_skene(answers, prior_answers=1e-6)
    reached = log_likelihood(answers, found.confusion, found.class_shares)
    at_random = [0.5 * votes(answers) + 0.5 * rng.dirichlet([1, 1, 1], 150) for _ in range(4)]
    tops = [climb(answers, start) for start in (votes(answers), *at_random)]
    best = max(tops, key=lambda top: top.log_likelihood)
    assert reached == pytest.approx(best.log_likelihood, abs=1e-4)
    assert found.posterior == pytest.approx(best.posterior, abs=0.01)


def test_one_opinion_an_item_is_taken_at_its_word():
    answers = _answers([[0, -1], [1, -1], [-1, 2], [-1, 1], [2, -1]], 3)
    found = dawid_skene(answers)
    assert found.posterior.argmax(axis=1).tolist() == [0, 1, 2, 1, 2]
    assert (found.posterior.max(axis=1) < 1).all()


def test_equals_vote_as_the_majority_does():
    truth, answers = _simulated(300, [0.8] * 5, 4, np.random.default_rng(0), 5)
    votes = np.zeros((300, 4))
    np.add.at(votes, (answers.items, answers.answers), 1)
    clear = np.sort(votes, axis=1)[:, -1] - np.sort(votes, axis=1)[:, -2] >= 2
    found = dawid_skene(answers).posterior.argmax(axis=1)
    assert (found == votes.argmax(axis=1))[clear].mean() > 0.99
    assert (found == truth).mean() >= (votes.argmax(axis=1) == truth).mean()


def test_one_good_person_outvotes_three_careless_ones():
    truth, answers = _simulated(400, [0.97, 0.6, 0.55, 0.5], 3, np.random.default_rng(1), 4)
    votes = np.zeros((400, 3))
    np.add.at(votes, (answers.items, answers.answers), 1)
    found = dawid_skene(answers)
    assert (found.posterior.argmax(axis=1) == truth).mean() > (votes.argmax(axis=1) == truth).mean() + 0.05
    assert found.accuracy == pytest.approx([0.97, 0.6, 0.55, 0.5], abs=0.1)
    low, high = found.accuracy_interval().T
    assert (low < found.n_right / found.n_answers).all()
    assert (high > found.n_right / found.n_answers).all()


def test_gold_items_show_who_errs_where_people_never_meet():
    """One opinion an item says nothing of accuracy; twenty gold items do."""
    rng = np.random.default_rng(2)
    truth, answers = _simulated(120, [0.95, 0.4], 4, rng, 1)
    known = np.where(np.arange(120) < 80, truth, -1)
    blind, told = dawid_skene(answers), dawid_skene(answers, known=known)
    assert abs(blind.accuracy[0] - blind.accuracy[1]) < 0.2
    assert told.accuracy[0] - told.accuracy[1] > 0.3


def test_a_model_breaks_ties():
    prior = np.array([[0.9, 0.1], [0.1, 0.9]])
    found = dawid_skene(_answers([[0, 1], [0, 1]], 2), item_prior=prior)
    assert found.posterior.argmax(axis=1).tolist() == [0, 1]


def test_numbering_of_people_and_items_does_not_matter():
    rng = np.random.default_rng(3)
    _, answers = _simulated(50, [0.9, 0.6, 0.7], 3, rng, 2)
    items, people = rng.permutation(50), rng.permutation(3)
    other = Answers(items[answers.items], people[answers.annotators], answers.answers, 50, 3, 3)
    one, two = dawid_skene(answers), dawid_skene(other)
    assert two.posterior[items] == pytest.approx(one.posterior)
    assert two.confusion[people] == pytest.approx(one.confusion)


def test_what_another_answer_is_expected_to_bring_is_the_mean_over_answers():
    rng = np.random.default_rng(4)
    posterior, confusion = rng.dirichlet([1, 1, 1], 6), rng.dirichlet([1, 1, 1], 3)
    by_answer = np.zeros(6)
    for answer in range(3):
        joint = posterior * confusion[:, answer]
        chance = joint.sum(axis=1)
        by_answer += chance * (joint / chance[:, None]).max(axis=1)
    assert expected_after_another(posterior, confusion) == pytest.approx(by_answer)
    assert (expected_after_another(posterior, confusion) >= posterior.max(axis=1) - 1e-12).all()


def test_no_answers_at_all_leave_the_prior():
    nothing = np.empty(0, np.int64)
    found = dawid_skene(Answers(nothing, nothing, nothing, 2, 1, 4))
    assert found.posterior == pytest.approx(np.full((2, 4), 0.25))
    assert found.accuracy == pytest.approx([PRIOR_ACCURACY])


@pytest.mark.parametrize(
    ("column", "message"), [(0, "item from 0 to 1"), (1, "annotator from 0 to 2"), (2, "class from 0 to 1")]
)
def test_a_number_out_of_range_is_refused(column, message):
    triple = [np.array([0]), np.array([0]), np.array([0])]
    triple[column] = np.array([7])
    with pytest.raises(ValueError, match=message):
        dawid_skene(Answers(*triple, 2, 3, 2))
