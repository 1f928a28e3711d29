"""Every network of the paper is there by name, trains and predicts; libraries' own by `timm:NAME`."""

import sys

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tiny import tiny_images, training_set

from budgetal.errors import ConfigError, WeightsError
from budgetal.models.backbones import (
    backbone_info,
    build_classifier,
    check_input_size,
    default_input_size,
    list_backbones,
)
from budgetal.models.from_timm import NAMED
from budgetal.models.own import OWN, own_info, own_network
from budgetal.models.predict import embed
from budgetal.torchvision_shim import torchvision
from budgetal.training.loop import finetune
from budgetal.training.recipe import Recipe

# Name and the side of the tiny inputs that it trains on here.
QUICK = {"squeezenet1_0": 32, "squeezenet1_1": 32, "nin": 39, "enet": 16, "inception_v2": 32, "resnet18": 32}
SLOW = {
    **{"alexnet": 63, "zfnet": 32, "googlenet": 32, "vgg16": 32, "resnet50": 32, "densenet121": 32},
    **{"inception_v3": 75, "inception_v4": 75, "inception_resnet_v2": 75},
}
PAPER = QUICK | SLOW


def rng():
    return np.random.default_rng(0)


def needs_timm():
    """The package, imported after torchvision, which it imports in its turn."""
    torchvision()
    return pytest.importorskip("timm")


@pytest.mark.parametrize(
    "name", [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)], ids=lambda name: name
)
def test_it_trains_and_predicts_on_tiny_inputs(name):
    if name in NAMED:
        needs_timm()
    pixels, labels = tiny_images(4, side=16)
    classifier = build_classifier(name, "none", 3, rng())
    first = next(parameter for parameter in classifier.backbone.parameters() if parameter.ndim == 4)
    before = first.detach().clone()
    finetune(
        classifier,
        pixels,
        training_set(np.arange(4), labels),
        side=PAPER[name],
        finetune="full",
        recipe=Recipe(epochs=1, learning_rate=0.001, batch=4),
        rng=rng(),
        on_epoch=lambda record: None,
        checkpoint=None,
    )
    assert not torch.equal(first, before)
    features = embed(classifier, pixels, side=PAPER[name])
    assert features.shape == (4, classifier.width)
    assert np.isfinite(features).all()


def test_the_list_says_source_size_and_whether_weights_are_published():
    infos = {info.name: info for info in list_backbones()}
    assert set(PAPER) <= set(infos)
    assert {name for name in PAPER if not infos[name].has_weights} == set(OWN)
    assert {name for name in PAPER if infos[name].source == "timm"} == set(NAMED)
    assert all(infos[name].parameters > 100_000 and infos[name].input_size in (224, 299) for name in PAPER)


# The authors' NIN has 7.6 million; ZFNet is AlexNet of one group, 62.4; BN-Inception 11.2 without auxiliary ones.
@pytest.mark.parametrize(("name", "millions"), [("nin", 7.6), ("zfnet", 62.4), ("inception_v2", 11.2)])
def test_our_own_have_as_many_parameters_as_published(name, millions):
    assert own_info(name).parameters / 1e6 == pytest.approx(millions, rel=0.02)


@pytest.mark.parametrize("name", OWN)
def test_the_smallest_side_runs_and_a_smaller_one_is_refused(name):
    smallest = own_info(name).min_size
    with torch.device("meta"):
        network = own_network(name, "none")
        assert network.backbone.eval()(torch.zeros(1, 3, smallest, smallest)).shape == (1, network.width)
    with pytest.raises(ConfigError, match="pixels"):
        check_input_size(name, smallest - 1)


def test_modules_of_inception_v2_join_to_the_widths_of_figure_5():
    with torch.device("meta"):
        network = own_network("inception_v2", "none").backbone.eval()
        maps = network.stem(torch.zeros(1, 3, 224, 224))
        widths = [maps.shape[1:]]
        for module in (*network.stage3, *network.stage4, *network.stage5):
            maps = module(maps)
            widths.append(maps.shape[1:])
    expected = [(192, 28), (256, 28), (320, 28), *[(576, 14)] * 5, *[(1024, 7)] * 3]
    assert [tuple(shape[:2]) for shape in widths] == expected


def test_maps_of_enet_halve_three_times():
    with torch.device("meta"):
        network = own_network("enet", "none").backbone.eval()
        maps = torch.zeros(1, 3, 64, 48)
        shapes = []
        for stage in (network.stem, network.stage1, network.stage2, network.stage3):
            maps = stage(maps)
            shapes.append(tuple(maps.shape[1:]))
    assert shapes == [(16, 32, 24), (64, 16, 12), (128, 8, 6), (128, 8, 6)]


@pytest.mark.parametrize("weights", ["imagenet", "embedded"])
@pytest.mark.parametrize("name", ["nin", "enet"])
def test_that_there_are_no_published_weights_is_said(name, weights):
    with pytest.raises(WeightsError, match=rf"no published weights of '{name}'.*none"):
        build_classifier(name, weights, 3, rng())


def test_weights_of_our_own_come_from_a_file_that_fits(tmp_path):
    state = own_network("enet", "none").backbone.state_dict()
    save_file(state, tmp_path / "enet.safetensors")
    loaded = build_classifier("enet", str(tmp_path / "enet.safetensors"), 3, rng())
    assert all(torch.equal(loaded.backbone.state_dict()[name], tensor) for name, tensor in state.items())
    with pytest.raises(WeightsError, match="do not fit"):
        build_classifier("nin", str(tmp_path / "enet.safetensors"), 3, rng())


def test_any_network_of_timm_goes_by_its_name():
    needs_timm()
    info = backbone_info("timm:mobilenetv3_small_050")
    assert (info.source, info.input_size, info.has_weights) == ("timm", 224, True)
    classifier = build_classifier("timm:mobilenetv3_small_050", "none", 3, rng()).eval()
    with torch.no_grad():
        assert classifier(torch.zeros(2, 3, 32, 32)).shape == (2, 3)


def test_named_networks_of_timm_are_as_listed():
    timm = needs_timm()
    for name, info in NAMED.items():
        config = timm.get_pretrained_cfg(name)
        assert (info.input_size, info.mean, info.std) == (config.input_size[1], config.mean, config.std)
        with torch.device("meta"):
            assert sum(p.numel() for p in timm.create_model(name).parameters()) == info.parameters


def test_a_transformer_of_timm_runs_at_its_own_size_only():
    needs_timm()
    assert default_input_size("timm:vit_tiny_patch16_224", 32) == 224
    with pytest.raises(ConfigError, match="224 pixels only"):
        check_input_size("timm:vit_tiny_patch16_224", 96)


@pytest.mark.parametrize("name", ["timm:resnet_18", "timm:", "timm:vit_tiny_patch16_224.wrong_tag"])
def test_an_unknown_name_of_timm_is_refused(name):
    needs_timm()
    with pytest.raises(ConfigError, match=r"Unknown backbone .*(did you mean|list_models)"):
        backbone_info(name)


@pytest.mark.parametrize("name", ["timm:resnet18", "inception_v4"])
def test_without_timm_one_line_says_how_to_get_it(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ConfigError, match=r"pip install 'budgetal\[timm\]'"):
        build_classifier(name, "none", 3, rng())


def test_weights_that_cannot_be_downloaded_are_answered_by_the_ways_out(monkeypatch):
    timm = needs_timm()

    def unreachable(*args, **kwargs):
        raise OSError("no route to host")

    monkeypatch.setattr(timm, "create_model", lambda *args, pretrained=False: pretrained and unreachable())
    with pytest.raises(WeightsError, match=r"no route to host.*--weights FILE.safetensors"):
        build_classifier("timm:resnet18", "imagenet", 3, rng())
