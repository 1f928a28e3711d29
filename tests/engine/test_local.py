"""The local engine: features once, every round the same bits, models that leave the project."""

import json

import numpy as np
import pytest
from tiny import TinyPixels, tiny_images, training_set

from budgetal.config import make_config
from budgetal.engine.finetuning import hold_out, may_mirror
from budgetal.engine.local import LocalEngine
from budgetal.engine.saved import load_model
from budgetal.errors import ConfigError, ProjectError, StorageError, WeightsError
from budgetal.store.arrays import ArrayStore

N = 40
MODES = ("head", "last_block", "full")
STUDENT = {"student_epochs": 1}


class Killed(BaseException):
    pass


def engine(folder, pixels, finetune="head", on_progress=lambda *_: None, **changes):
    settings = {"images": "x", "classes": ("red", "green", "blue"), "budget": 10, "epochs": 2, "train_batch": 8}
    backbone = {"backbone": "squeezenet1_1", "weights": "none"}
    config = make_config(**(settings | backbone | {"finetune": finetune} | changes))
    return LocalEngine(config, pixels, 3, 32, ArrayStore(folder / "arrays"), folder / "work", on_progress)


def silent(record):
    pass


@pytest.fixture
def pool():
    return tiny_images(N)


def labelled(labels, n=30):
    return training_set(np.arange(n), labels)


@pytest.mark.parametrize("mode", MODES)
def test_a_round_predicts_every_image_of_the_pool(mode, pool, tmp_path):
    pixels, labels = pool
    learner = engine(tmp_path, pixels, mode)
    prediction = learner.predict(learner.fit(labelled(labels), 1, silent))
    assert prediction.probs.shape == (N, 3)
    np.testing.assert_allclose(prediction.probs.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(prediction.embeddings, axis=1), 1, atol=1e-5)


def test_the_head_learns_what_random_features_show(pool, tmp_path):
    pixels, labels = pool
    learner = engine(tmp_path, pixels)
    probs = learner.predict(learner.fit(labelled(labels), 1, silent)).probs
    assert (probs.argmax(axis=1) == labels)[30:].mean() >= 0.8


@pytest.mark.parametrize("mode", ["last_block", "full", "cotrain"])
def test_a_trained_network_says_how_many_images_it_has_scored(mode, pool, tmp_path):
    pixels, labels = pool
    heard = []
    learner = engine(tmp_path, pixels, mode, lambda *said: heard.append(said), **STUDENT)
    learner.features()
    assert heard == [("embedding images", N, N)]
    learner.predict(learner.fit(labelled(labels), 1, silent))
    assert heard[1:]
    assert set(heard[1:]) == {("scoring images", N, N)}


@pytest.mark.parametrize("mode", MODES)
def test_the_same_seed_gives_the_same_weights_in_another_folder(mode, pool, tmp_path):
    pixels, labels = pool
    models = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        models.append(engine(tmp_path / name, pixels, mode).fit(labelled(labels), 1, silent))
    assert models[0] == models[1]


def test_features_are_computed_once_also_across_processes(pool, tmp_path):
    pixels, labels = pool
    ref = engine(tmp_path, pixels).features()
    second = engine(tmp_path, pixels)
    second.predict(second.fit(labelled(labels), 1, silent))
    assert second.features() == ref
    assert pixels.n_read == N


def test_damaged_features_are_made_again(pool, tmp_path):
    pixels, _ = pool
    ref = engine(tmp_path, pixels).features()
    file = tmp_path / "arrays" / ref
    file.write_bytes(file.read_bytes()[:-1] + b"\0")
    assert engine(tmp_path, pixels).features() == ref
    assert pixels.n_read == 2 * N


def test_other_images_are_embedded_once_under_the_name_given(pool, tmp_path):
    pixels, labels = pool
    test = TinyPixels(pixels.images[10:20])
    learner = engine(tmp_path, pixels)
    model = learner.fit(labelled(labels), 1, silent)
    first, again = (learner.predict(model, test, "test").probs for _ in range(2))
    assert test.n_read == 10
    np.testing.assert_array_equal(first, again)
    np.testing.assert_allclose(first, learner.predict(model).probs[10:20], atol=0.02)


@pytest.mark.parametrize("mode", ["last_block", "full"])
def test_a_killed_fit_ends_with_the_same_weights(mode, pool, tmp_path):
    pixels, labels = pool
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    expected = engine(tmp_path / "whole", pixels, mode).fit(labelled(labels), 1, silent)

    def kill(record):
        raise Killed

    with pytest.raises(Killed):
        engine(tmp_path / "killed", pixels, mode).fit(labelled(labels), 1, kill)
    heard = []
    assert engine(tmp_path / "killed", pixels, mode).fit(labelled(labels), 1, heard.append) == expected
    assert [record.epoch for record in heard] == [1, 2]


def test_a_damaged_checkpoint_costs_time_and_nothing_else(pool, tmp_path):
    pixels, labels = pool
    expected = engine(tmp_path, pixels, "last_block").fit(labelled(labels), 1, silent)
    checkpoint = tmp_path / "work" / "fit.safetensors"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-9])
    with pytest.warns(UserWarning, match="starts again"):
        assert engine(tmp_path, pixels, "last_block").fit(labelled(labels), 1, silent) == expected


@pytest.mark.parametrize("mode", MODES)
def test_a_saved_model_predicts_the_same_outside_the_project(mode, pool, tmp_path):
    pixels, labels = pool
    learner = engine(tmp_path, pixels, mode)
    model = learner.fit(labelled(labels), 1, silent)
    learner.save_model(model, tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    probs = learner.predict(model).probs
    np.testing.assert_allclose(loaded.predict(pixels.images), probs, atol=1e-4)
    assert loaded.classes == ("red", "green", "blue")
    names = [name for name, _ in loaded.label(pixels)]
    assert names == [loaded.classes[i] for i in probs.argmax(axis=1)]


def test_features_of_other_weights_do_not_meet_an_old_head(pool, tmp_path):
    pixels, labels = pool
    model = engine(tmp_path, pixels).fit(labelled(labels), 1, silent)
    with pytest.raises(WeightsError, match="fit again"):
        engine(tmp_path, pixels, seed=1).predict(model)


def test_no_labels_are_refused(pool, tmp_path):
    pixels, labels = pool
    with pytest.raises(ValueError, match="without any label"):
        engine(tmp_path, pixels).fit(labelled(labels, 0), 1, silent)


def test_few_labels_leave_the_temperature_at_one(pool, tmp_path):
    pixels, labels = pool
    assert engine(tmp_path, pixels).fit(labelled(labels, 5), 1, silent).temperature == 1


def test_an_impossible_input_size_is_refused_at_once(pool, tmp_path):
    config = make_config(images="x", classes=("a", "b"), budget=1, backbone="vit_b_16", weights="none")
    with pytest.raises(ConfigError, match="224"):
        LocalEngine(config, pool[0], 2, 32, ArrayStore(tmp_path / "a"), tmp_path)


@pytest.fixture
def saved(pool, tmp_path):
    pixels, labels = pool
    learner = engine(tmp_path, pixels)
    learner.save_model(learner.fit(labelled(labels), 1, silent), tmp_path / "model")
    return tmp_path / "model"


def test_a_flipped_bit_in_saved_weights_is_refused(saved):
    content = bytearray((saved / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (saved / "model.safetensors").write_bytes(bytes(content))
    with pytest.raises(StorageError, match="damaged"):
        load_model(saved)


@pytest.mark.parametrize("key", ["backbone", "classes", "normalisation", "sha256", "temperature", "views"])
def test_a_card_without_an_entry_is_refused(saved, key):
    card = json.loads((saved / "model.json").read_text())
    del card[key]
    (saved / "model.json").write_text(json.dumps(card))
    with pytest.raises(StorageError, match="damaged"):
        load_model(saved)


def test_a_model_of_a_newer_version_and_an_empty_folder_are_refused(saved, tmp_path):
    card = json.loads((saved / "model.json").read_text())
    (saved / "model.json").write_text(json.dumps(card | {"format": 2}))
    with pytest.raises(ProjectError, match="upgrade"):
        load_model(saved)
    with pytest.raises(ProjectError, match="no model"):
        load_model(tmp_path)


def test_a_tenth_of_many_labels_is_held_out_and_none_of_few():
    rng = np.random.default_rng(0)
    assert len(hold_out(199, rng)) == 0
    assert len(hold_out(1000, rng)) == 100
    assert len(hold_out(50_000, rng)) == 500
    chosen = hold_out(200, rng)
    assert len(set(chosen.tolist())) == 20
    assert chosen.max() < 200


def test_characters_may_not_be_mirrored():
    def of(classes, **settings):
        return may_mirror(make_config(images="x", classes=classes, budget=10, **settings))

    assert not of(tuple("0123456789"))
    assert of(("cat", "dog"))
    assert not of(("0", "one"), renamed_classes={"1": "one"})
    assert of(("0", "one", "blank"), renamed_classes={"1": "one"})


def test_a_digit_that_is_renamed_leaves_the_model_as_it_is(pool, tmp_path):
    pixels, labels = pool
    learner = engine(tmp_path, pixels, classes=("0", "1", "2"))
    model = learner.fit(labelled(labels), 1, silent)
    renamed = engine(tmp_path, pixels, classes=("zero", "1", "2"), renamed_classes={"0": "zero"})
    np.testing.assert_array_equal(renamed.predict(model).probs, learner.predict(model).probs)
