"""Where the model errs, image by image, and which images never show a guess."""

import numpy as np
import pytest

from budgetal.lessons import lessons_of, shown_rounds
from budgetal.simulate import true_labels
from budgetal.types import NONE_OF_THESE, Annotation, Query

SETTINGS = {"budget": 110, "audit": 30, "initial": 12, "batch": 8, "tolerance": 0.3, "risk": 0.3}


@pytest.fixture
def project(make):
    """Three rounds are over, and two images of the query after them are answered, one as none of the classes."""
    project = make()
    truth = true_labels(project)
    while len(project.state.rounds) < 3:
        project.tell([Annotation(i, truth[i]) for i in project.ask().sample_ids])
    first, second, *_ = project.ask().sample_ids
    project.tell([Annotation(first, truth[first]), Annotation(second, NONE_OF_THESE)])
    return project


def lessons(project):
    return lessons_of(project.state, project.learner.pool, project.workspace.arrays)


def test_each_image_is_compared_with_the_model_that_chose_it(project):
    found, state = lessons(project), project.state
    arrays, pool, classes = project.workspace.arrays, project.learner.pool, project.config.classes
    expected = {}
    for query in state.queries.values():
        if query.purpose == "round" and query.round < len(state.rounds):
            probs = arrays.get(state.probs_refs[query.round - 1])
            for i in query.sample_ids:
                if i in state.labels and state.labels[i].label in classes:
                    expected[i] = (classes.index(state.labels[i].label), int(probs[pool.rows([i])[0]].argmax()))
    given = zip(found.sample_ids, zip(found.targets.tolist(), found.guesses.tolist(), strict=True), strict=True)
    assert dict(given) == expected
    assert len(expected) == 24


def test_an_answer_shows_nothing_before_its_round_is_over(project):
    before, truth = lessons(project).sample_ids, true_labels(project)
    for i in project.ask().sample_ids[:-1]:
        project.tell([Annotation(i, truth[i])])
        assert lessons(project).sample_ids == before
    project.tell([Annotation(i, truth[i]) for i in project.ask().sample_ids])
    project.ask()
    assert len(lessons(project).sample_ids) > len(before)


def test_no_image_of_the_audit_or_of_the_first_query_has_a_guess(project):
    shown = set(lessons(project).sample_ids)
    for query in project.state.queries.values():
        if query.purpose != "round":
            assert not shown & set(query.sample_ids)


def test_a_round_in_which_more_audit_was_asked_is_left_out_whole(project):
    state = project.state
    before = shown_rounds(state)
    raised = Query(
        99, "audit", before[0], tuple(i for i in project.learner.pool.sample_ids if i not in state.queried)[:5]
    )
    state.queries[99] = raised
    assert shown_rounds(state) == before[1:]
    asked = {i for query in state.queries.values() if query.round == before[0] for i in query.sample_ids}
    assert not asked & set(lessons(project).sample_ids)


def test_counts_and_the_images_behind_them_agree(project):
    found = lessons(project)
    counts = found.confusion(3)
    assert counts.sum() == len(found.sample_ids)
    assert all(len(found.between(t, g)) == counts[t, g] for t in range(3) for g in range(3))


def test_an_image_that_waits_again_shows_nothing(project):
    found = lessons(project).sample_ids
    project.undo(found[0])
    assert found[0] not in lessons(project).sample_ids


def test_a_round_whose_probabilities_are_gone_is_left_out(project):
    state = project.state
    (project.folder / "cache" / "arrays" / state.probs_refs[0]).unlink()
    left = set(lessons(project).sample_ids)
    assert left
    assert not left & {i for q in state.queries.values() if q.round == 1 for i in q.sample_ids}
    assert lessons(project).confusion(3).dtype == np.int64
