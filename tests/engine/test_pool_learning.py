"""What images without labels, other starts and a source do to a fine-tuning, through the engine."""

import numpy as np
import pytest
import torch
from test_local import Killed, engine, labelled, silent
from tiny import folders, tiny_images, training_set

from budgetal.engine.local import LocalEngine
from budgetal.engine.pool_labels import propagated
from budgetal.store.arrays import ArrayStore
from budgetal.training.adaptation import Source

N = 40
TRAINED = [
    {"finetune": "last_block", "unlabelled": "fixmatch"},
    {"finetune": "last_block", "unlabelled": "flexmatch"},
    {"finetune": "cotrain", "unlabelled": "fixmatch"},
    {"finetune": "cotrain", "unlabelled": "flexmatch"},
    {"finetune": "cotrain", "unlabelled": "propagation"},
]
EMBEDDED = {"backbone": "embedded", "weights": "embedded"}


@pytest.mark.parametrize("settings", TRAINED, ids=lambda settings: " ".join(settings.values()))
def test_a_killed_fit_on_the_pool_ends_with_the_same_model_and_predicts_it(settings, pool, tmp_path):
    pixels, labels = pool
    whole, killed = folders(tmp_path, "whole", "killed")
    expected = engine(whole, pixels, **settings).fit(labelled(labels), 0, silent)

    def kill(_record):
        raise Killed

    with pytest.raises(Killed):
        engine(killed, pixels, **settings).fit(labelled(labels), 0, kill)
    learner = engine(killed, pixels, **settings)
    assert learner.fit(labelled(labels), 0, silent) == expected
    assert learner.predict(expected).probs.shape == (N, 3)


def test_automatic_labels_leave_a_fine_tuning_that_makes_its_own(pool, tmp_path):
    pixels, labels = pool
    one, other = folders(tmp_path, "humans", "both")
    settings = {"finetune": "last_block", "unlabelled": "fixmatch"}
    humans = engine(one, pixels, **settings).fit(labelled(labels, 20), 0, silent)
    both = training_set(np.arange(30), np.where(np.arange(N) < 20, labels, 0), n_human=20)
    assert engine(other, pixels, **settings).fit(both, 0, silent).weights_ref == humans.weights_ref


def test_fixmatch_moves_the_weights_beyond_what_labels_do(pool, tmp_path):
    pixels, labels = pool
    one, other = folders(tmp_path, "plain", "matched")
    few = labelled(labels, 12)
    settings = {"finetune": "full", "epochs": 4, **EMBEDDED}
    plain = engine(one, pixels, **settings).fit(few, 0, silent)
    matched = engine(other, pixels, unlabelled="flexmatch", **settings).fit(few, 0, silent)
    assert plain.weights_ref != matched.weights_ref


def weights(learner, model):
    return learner.networks.tensors_of(model)["backbone.stem.0.weight"]


def test_a_round_starts_from_the_given_weights_the_last_ones_or_between(pool, tmp_path):
    pixels, labels = pool
    found = {}
    for start, folder in zip(("restart", "warm", "shrink"), folders(tmp_path, "a", "b", "c"), strict=True):
        # A rate at which one epoch moves nothing: the weights after it are those before it.
        learner = engine(folder, pixels, "full", start=start, epochs=1, **EMBEDDED)
        given = learner.networks.pretrained.backbone.stem[0].weight
        first = learner.fit(labelled(labels), 0, silent)
        still = engine(folder, pixels, "full", start=start, epochs=1, learning_rate=1e-30, **EMBEDDED)
        found[start] = weights(still, still.fit(labelled(labels), 1, silent, first))
        last = weights(learner, first)
    assert torch.equal(found["restart"], given)
    assert torch.equal(found["warm"], last)
    torch.testing.assert_close(found["shrink"], given + 0.6 * (last - given))


def test_a_first_round_has_no_last_weights_and_starts_from_the_given_ones(pool, tmp_path):
    pixels, labels = pool
    one, other = folders(tmp_path, "restart", "warm")
    models = [
        engine(folder, pixels, "last_block", start=start).fit(labelled(labels), 0, silent)
        for folder, start in ((one, "restart"), (other, "warm"))
    ]
    assert models[0].weights_ref == models[1].weights_ref


def test_source_labels_teach_what_no_label_of_the_project_shows(pool, tmp_path):
    pixels, labels = pool
    source, source_labels = tiny_images(30, seed=1)
    plain = engine(tmp_path, pixels, "full", adaptation="mmd", source_images="x", epochs=4, **EMBEDDED)
    settings = plain.config, pixels, 3, 32, ArrayStore(tmp_path / "arrays"), tmp_path / "work"
    learner = LocalEngine(*settings, source=Source(source, source_labels))
    known = training_set(np.flatnonzero(labels == 0)[:2], labels)
    probs = learner.predict(learner.fit(known, 0, silent)).probs
    assert (probs.argmax(axis=1) == labels).mean() >= 0.8


def test_propagated_labels_follow_the_neighbours_and_not_those_kept_apart():
    # Two groups of points on two axes; one label told in each, one kept apart that says otherwise.
    angles = np.concatenate([np.linspace(0, 0.1, 15), np.linspace(1.4, 1.5, 15)])
    features = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    humans = training_set(np.array([0, 20, 5]), np.where(np.arange(30) == 5, 1, np.arange(30) // 15), n_classes=2)
    probs, certainty = propagated(features, humans, np.array([True, True, False]))
    np.testing.assert_array_equal(probs.argmax(axis=1), np.arange(30) // 15)
    assert certainty.mean() == pytest.approx(1, rel=1e-5)
    assert certainty.min() > 0
