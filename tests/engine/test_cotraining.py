"""Co-training through the engine: a round on a round, whole models, and what the student is not told."""

import numpy as np
import pytest
from test_local import Killed, engine, labelled, silent
from tiny import TinyPixels, folders, training_set

from budgetal.engine import cotraining
from budgetal.engine.saved import load_model

N = 40


def test_a_second_round_goes_on_from_the_first_students_weights(pool, tmp_path):
    pixels, labels = pool
    learner = engine(tmp_path, pixels, "cotrain")
    first = learner.fit(labelled(labels), 0, silent)
    second = learner.fit(labelled(labels), 1, silent, first)
    assert second.epochs[0].train_loss < first.epochs[0].train_loss
    prediction = learner.predict(second)
    assert prediction.probs.shape == (N, 3)
    assert (prediction.probs.argmax(axis=1) == labels)[30:].mean() >= 0.9
    np.testing.assert_allclose(np.linalg.norm(prediction.embeddings, axis=1), 1, atol=1e-5)


def test_the_same_seed_gives_the_same_model_in_another_folder(pool, tmp_path):
    pixels, labels = pool
    one, other = (
        engine(folder, pixels, "cotrain").fit(labelled(labels), 0, silent) for folder in folders(tmp_path, "a", "b")
    )
    assert one == other


def test_a_killed_fit_ends_with_the_same_model(pool, tmp_path):
    pixels, labels = pool
    whole, killed = folders(tmp_path, "whole", "killed")
    expected = engine(whole, pixels, "cotrain").fit(labelled(labels), 0, silent)

    def kill(_record):
        raise Killed

    with pytest.raises(Killed):
        engine(killed, pixels, "cotrain").fit(labelled(labels), 0, kill)
    assert engine(killed, pixels, "cotrain").fit(labelled(labels), 0, silent) == expected


def test_another_process_predicts_the_same_from_what_was_stored(pool, tmp_path):
    pixels, labels = pool
    learner = engine(tmp_path, pixels, "cotrain")
    model = learner.fit(labelled(labels), 0, silent)
    again = engine(tmp_path, pixels, "cotrain")
    np.testing.assert_array_equal(learner.predict(model).probs, again.predict(model).probs)
    other = TinyPixels(pixels.images[10:20])
    np.testing.assert_allclose(
        again.predict(model, other, "test").probs, learner.predict(model).probs[10:20], atol=0.02
    )
    embeddings = learner.predict(model).embeddings
    np.testing.assert_allclose(again.embeddings_of(model, other, "test"), embeddings[10:20], atol=0.02)


@pytest.mark.parametrize(
    "backbone", [{}, {"backbone": "squeezenet1_1@40+embedded", "weights": "none+embedded"}], ids=["one", "joined"]
)
def test_a_saved_model_predicts_the_same_without_the_project(backbone, pool, tmp_path):
    pixels, labels = pool
    learner = engine(tmp_path, pixels, "cotrain", **backbone)
    model = learner.fit(labelled(labels), 0, silent)
    learner.save_model(model, tmp_path / "model")
    saved = load_model(tmp_path / "model")
    assert saved.card.backbone.endswith("+embedded@32")
    np.testing.assert_allclose(saved.predict(pixels.images), learner.predict(model).probs, atol=0.02)


def test_automatic_labels_are_not_trained_on(pool, tmp_path):
    pixels, labels = pool
    one, other = folders(tmp_path, "humans", "both")
    humans = engine(one, pixels, "cotrain").fit(labelled(labels, 20), 0, silent)
    both = training_set(np.arange(30), np.where(np.arange(N) < 20, labels, 0), n_human=20)
    assert engine(other, pixels, "cotrain").fit(both, 0, silent).weights_ref == humans.weights_ref


@pytest.mark.parametrize("unlabelled", ["fixmatch", "flexmatch"])
def test_a_student_that_no_label_is_left_for_learns_soft_ones(unlabelled, pool, tmp_path, monkeypatch):
    pixels, labels = pool
    monkeypatch.setattr(cotraining, "KEPT_APART", 1.0)
    one, other = folders(tmp_path, "own", "soft")
    found = engine(one, pixels, "cotrain", unlabelled=unlabelled).fit(labelled(labels, 3), 0, silent)
    soft = engine(other, pixels, "cotrain").fit(labelled(labels, 3), 0, silent)
    assert np.isfinite([epoch.train_loss for epoch in found.epochs]).all()
    assert found.weights_ref == soft.weights_ref


def test_labels_kept_apart_are_the_same_in_every_round_and_unknown_to_the_student(pool, tmp_path, monkeypatch):
    pixels, labels = pool
    lessons = []

    def listen(student, lesson, **settings):
        lessons.append(lesson.labels)
        return taught(student, lesson, **settings)

    taught = cotraining.distil
    monkeypatch.setattr(cotraining, "distil", listen)
    monkeypatch.setattr(cotraining, "KEPT_APART", 0.3)
    learner = engine(tmp_path, pixels, "cotrain")
    first = learner.fit(labelled(labels, 20), 0, silent)
    learner.fit(labelled(labels, 30), 1, silent, first)
    apart = [np.flatnonzero(lesson.weights == 0) for lesson in lessons]
    assert 0 < len(apart[0]) < 20
    np.testing.assert_array_equal(apart[0], apart[1][apart[1] < 20])
    told = np.setdiff1d(np.arange(20), apart[0])
    np.testing.assert_array_equal(lessons[0].probs[told], np.eye(3)[labels[told]])
    assert (lessons[0].weights[told] == cotraining.HUMAN_WEIGHT).all()
    assert (lessons[0].weights[30:] == 1).all()
