"""What the recipe for small label sets does that the paper's does not."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from test_local import Killed, engine, labelled, silent
from tiny import tiny_images

from budgetal.config import make_config
from budgetal.engine.finetuning import may_mirror, recipe_for, trained_views
from budgetal.engine.saved import load_model
from budgetal.models.backbones import build_classifier
from budgetal.models.unfolding import folded_norms
from budgetal.types import EpochRecord

N = 40
EMBEDDED = {"backbone": "embedded", "weights": "embedded"}


@pytest.fixture
def pool():
    return tiny_images(N)


def test_it_begins_with_the_last_layer_that_is_best_on_the_given_features(pool, tmp_path):
    pixels, labels = pool
    settings = {"preset": "small", "learning_rate": 1e-30, "epochs": 1, **EMBEDDED}
    learner = engine(tmp_path, pixels, "full", **settings)
    weight, _ = learner.fitting.last_layer(labelled(labels)).folded()
    fitted = learner.networks.tensors_of(learner.fit(labelled(labels), 0, silent))
    np.testing.assert_allclose(fitted["head.weight"].numpy(), weight, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("start", ["warm", "shrink"])
def test_a_round_that_goes_on_begins_with_the_last_layer_for_its_own_features(pool, tmp_path, start):
    pixels, labels = pool
    settings = {"preset": "small", "start": start, **EMBEDDED}
    first = engine(tmp_path / "1", pixels, "full", epochs=2, **settings)
    before = first.networks.tensors_of(first.fit(labelled(labels, n=10), 0, silent))
    second = engine(tmp_path / "1", pixels, "full", epochs=1, learning_rate=1e-30, **settings)
    model = second.networks.stored(before, 1.0, (EpochRecord(1, 0.0, 1.0),))
    after = second.fit(labelled(labels), 1, silent, model)
    wanted = second.fitting.last_layer(labelled(labels), second.networks.trained(after)).folded()[0]
    found = second.networks.tensors_of(after)["head.weight"].numpy()
    np.testing.assert_allclose(found, wanted, rtol=1e-2, atol=1e-3)
    assert not np.allclose(found, before["head.weight"].numpy(), atol=1e-2)


def test_means_and_variances_stay_those_of_pre_training(pool, tmp_path):
    pixels, labels = pool
    learner = engine(tmp_path, pixels, "full", preset="small", epochs=1, **EMBEDDED)
    given = learner.networks.pretrained.state_dict()
    fitted = learner.networks.tensors_of(learner.fit(labelled(labels), 0, silent))
    # The moving average of the same numbers, rounded.
    torch.testing.assert_close(fitted["backbone.stem.1.running_mean"], given["backbone.stem.1.running_mean"])
    assert not torch.allclose(fitted["backbone.stem.1.weight"], given["backbone.stem.1.weight"], atol=1e-7)


def test_a_saved_model_predicts_with_mirror_images_too(pool, tmp_path):
    pixels, labels = pool
    learner = engine(tmp_path, pixels, "full", preset="small", epochs=1, **EMBEDDED)
    model = learner.fit(labelled(labels), 0, silent)
    learner.save_model(model, tmp_path / "model")
    saved = load_model(tmp_path / "model")
    assert saved.card.views == 2
    np.testing.assert_allclose(saved.predict(pixels.images), learner.predict(model).probs, atol=0.02)


def settings(**changes):
    return make_config(images="x", budget=10, **({"classes": ("red", "green"), "preset": "small"} | changes))


def test_a_network_without_weights_has_nothing_to_begin_from():
    recipe = recipe_for(settings(backbone="resnet18", weights="none"))
    assert (recipe.fitted_head, recipe.frozen_statistics, recipe.first_layer) == (False, False, 1.0)
    assert recipe_for(settings()).fitted_head


@pytest.mark.parametrize(
    ("changes", "views"), [({}, 2), ({"preset": "paper"}, 1), ({"classes": ("1", "2")}, 1)], ids=str
)
def test_characters_and_the_papers_preset_see_no_mirror_images(changes, views):
    config = settings(**changes)
    assert trained_views(config, mirror=may_mirror(config)) == views


@pytest.fixture
def folded(tmp_path):
    """A file of weights as a converter leaves them: all normalisation layers have mean 0 and variance 1."""
    # So has what was never trained.
    fresh = build_classifier("enet", "none", 3, np.random.default_rng(0))
    file = tmp_path / "folded.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in fresh.backbone.state_dict().items()}, file)
    return str(file)


@pytest.mark.parametrize(
    ("backbone", "weights", "are_left"),
    [
        ("enet", "{}", False),
        ("enet", "none", True),
        ("enet@32+embedded", "{}+embedded", False),
        ("enet@32+embedded", "none+embedded", True),
        ("enet@32+enet@32", "none", True),
    ],
)
def test_folded_normalisation_is_unfolded_before_a_training(pool, tmp_path, folded, backbone, weights, are_left):
    learner = engine(tmp_path, pool[0], "full", backbone=backbone, weights=weights.format(folded))
    network, given = learner.networks.to_train(), learner.networks.pretrained
    assert bool(list(folded_norms(network))) is are_left
    changed = any(not torch.equal(one, two) for one, two in zip(network.parameters(), given.parameters(), strict=True))
    assert changed is not are_left


@pytest.mark.parametrize("settings", [{"preset": "small", "start": "warm", **EMBEDDED}, {"backbone": "enet"}])
def test_a_killed_round_that_goes_on_ends_with_the_same_weights(pool, tmp_path, folded, settings):
    pixels, labels = pool
    settings = {"weights": folded, **settings}

    def kill(record):
        raise Killed

    def after(name):
        (tmp_path / name).mkdir(exist_ok=True)
        return engine(tmp_path / name, pixels, "full", **settings)

    models = {name: after(name).fit(labelled(labels, n=10), 0, silent) for name in ("whole", "killed")}
    with pytest.raises(Killed):
        after("killed").fit(labelled(labels), 1, kill, models["killed"])
    ended = {name: after(name).fit(labelled(labels), 1, silent, models[name]) for name in models}
    assert ended["killed"] == ended["whole"]
