"""Networks by name, with the last layer replaced and weights from files, or one clear error."""

from urllib.error import URLError

import numpy as np
import pytest
import tiny  # noqa: F401 (one thread)
import torch
from safetensors.torch import save_file

from budgetal.errors import ConfigError, WeightsError
from budgetal.models.backbones import (
    build_classifier,
    check_input_size,
    default_input_size,
    list_backbones,
)
from budgetal.torchvision_shim import torchvision


def rng(seed=0):
    return np.random.default_rng(seed)


def original(name, **settings):
    torch.manual_seed(0)
    return torchvision().models.get_model(name, weights=None, **settings).eval()


def images(side=64):
    return torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0))


def test_the_list_starts_with_the_embedded_encoder_and_counts_parameters_without_building():
    infos = {info.name: info for info in list_backbones()}
    assert next(iter(infos)) == "embedded"
    assert infos["resnet18"].parameters == 11_689_512
    assert set(torchvision().models.list_models(module=torchvision().models)) < set(infos)


def test_an_unknown_name_is_answered_by_a_suggestion():
    with pytest.raises(ConfigError, match="did you mean 'resnet18'"):
        build_classifier("resnet_18", "none", 3, rng())


@pytest.mark.parametrize("name", ["squeezenet1_1", "resnet18", "mobilenet_v3_small", "shufflenet_v2_x0_5"])
def test_features_times_the_old_last_layer_are_the_old_outputs(name, tmp_path):
    network = original(name)
    save_file(network.state_dict(), tmp_path / "weights.safetensors")
    classifier = build_classifier(name, str(tmp_path / "weights.safetensors"), 3, rng())
    last = [m for m in network.modules() if isinstance(m, (torch.nn.Linear, torch.nn.Conv2d))][-1]
    with torch.no_grad():
        features = classifier.embed(images())
        assert classifier(images()).shape == (2, 3)
        if name != "squeezenet1_1":
            torch.testing.assert_close(last(features), network(images()), rtol=1e-3, atol=1e-4)
        else:
            torch.testing.assert_close(features, network.features(images()).mean((2, 3)))


def test_googlenet_loads_weights_with_and_without_auxiliary_classifiers(tmp_path):
    network = original("googlenet", aux_logits=True, transform_input=True, init_weights=False)
    state = network.state_dict()
    save_file(state, tmp_path / "full.safetensors")
    save_file({k: v for k, v in state.items() if not k.startswith("aux")}, tmp_path / "plain.safetensors")
    with torch.no_grad():
        expected = network(images())
        for file in ("full.safetensors", "plain.safetensors"):
            classifier = build_classifier("googlenet", str(tmp_path / file), 3, rng())
            assert not any("aux" in key for key in classifier.state_dict())
            torch.testing.assert_close(network.fc(classifier.embed(images())), expected, rtol=1e-3, atol=1e-4)


def test_random_weights_come_from_the_generator_alone():
    before = torch.get_rng_state()
    same = [build_classifier("squeezenet1_1", "none", 3, rng(seed)).head.weight for seed in (1, 1, 2)]
    assert torch.equal(same[0], same[1])
    assert not torch.equal(same[0], same[2])
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("features.0.bias"), "'features.0.bias' is missing"),
        (lambda s: s.update({"features.0.bias": torch.zeros(5)}), r"'features.0.bias' has shape \(5,\) instead"),
        (lambda s: s.update({"extra": torch.zeros(1)}), "'extra' is not in the network"),
    ],
)
def test_the_first_tensor_that_does_not_fit_is_named(change, message, tmp_path):
    state = original("squeezenet1_1").state_dict()
    change(state)
    save_file(state, tmp_path / "weights.safetensors")
    with pytest.raises(WeightsError, match=message):
        build_classifier("squeezenet1_1", str(tmp_path / "weights.safetensors"), 3, rng())


def test_a_pth_file_is_read_as_tensors_only_and_with_a_warning(tmp_path):
    torch.save(original("squeezenet1_1").state_dict(), tmp_path / "weights.pth")
    with pytest.warns(UserWarning, match="pickle"):
        build_classifier("squeezenet1_1", str(tmp_path / "weights.pth"), 3, rng())


class Evil:
    def __reduce__(self):
        return (print, ("code in a weights file ran",))


def test_a_pth_file_with_code_is_refused_and_the_code_does_not_run(tmp_path, capsys):
    torch.save({"weight": Evil()}, tmp_path / "weights.pth")
    with pytest.warns(UserWarning, match="pickle"), pytest.raises(WeightsError, match="cannot be read safely"):
        build_classifier("squeezenet1_1", str(tmp_path / "weights.pth"), 3, rng())
    assert "ran" not in capsys.readouterr().out


@pytest.mark.parametrize("size", [0, 7, 5000])
def test_a_torn_safetensors_file_is_refused(size, tmp_path):
    save_file(original("squeezenet1_1").state_dict(), tmp_path / "weights.safetensors")
    content = (tmp_path / "weights.safetensors").read_bytes()
    (tmp_path / "weights.safetensors").write_bytes(content[:size])
    with pytest.raises(WeightsError, match="damaged"):
        build_classifier("squeezenet1_1", str(tmp_path / "weights.safetensors"), 3, rng())


@pytest.mark.parametrize("missing", ["nowhere.safetensors", "imagenet21k"])
def test_missing_files_are_answered_by_the_ways_out(missing):
    with pytest.raises(WeightsError, match=r"--weights FILE.safetensors.*--weights embedded.*--weights none"):
        build_classifier("squeezenet1_1", missing, 3, rng())


def test_without_a_network_one_line_names_the_three_ways_out(monkeypatch):
    def unreachable(*args, **kwargs):
        raise URLError("no route to host")

    monkeypatch.setattr("torch.hub.download_url_to_file", unreachable)
    monkeypatch.setattr("torch.hub.get_dir", lambda: "does-not-exist-anywhere")
    monkeypatch.setattr("os.makedirs", lambda *args, **kwargs: None)
    with pytest.raises(WeightsError) as error:
        build_classifier("resnet18", "imagenet", 3, rng())
    line = str(error.value)
    assert "\n" not in line
    assert "no route to host" in line
    assert all(way in line for way in ("FILE.safetensors", "--weights embedded", "--weights none"))


@pytest.mark.parametrize(("name", "weights"), [("resnet18", "embedded"), ("embedded", "imagenet")])
def test_weights_of_another_network_are_refused(name, weights):
    with pytest.raises(WeightsError, match="use --weights"):
        build_classifier(name, weights, 3, rng())


def test_weights_of_turned_images_turn_the_input(tmp_path):
    state = original("squeezenet1_1").state_dict()
    save_file(state, tmp_path / "plain.safetensors")
    save_file(state, tmp_path / "turned.safetensors", {"input": "rotated by 180 degrees"})
    plain, turned = (
        build_classifier("squeezenet1_1", str(tmp_path / f"{name}.safetensors"), 3, rng())
        for name in ("plain", "turned")
    )
    with torch.no_grad():
        torch.testing.assert_close(turned.embed(images().flip(2, 3)), plain.embed(images()))


def test_an_unknown_orientation_is_refused(tmp_path):
    save_file({"a": torch.zeros(1)}, tmp_path / "odd.safetensors", {"input": "upside down"})
    with pytest.raises(WeightsError, match="upside down"):
        build_classifier("squeezenet1_1", str(tmp_path / "odd.safetensors"), 3, rng())


@pytest.mark.parametrize(
    ("name", "native", "side"),
    [
        ("embedded", 500, 32),
        ("resnet18", None, 224),
        ("resnet18", 28, 96),
        ("resnet18", 32, 96),
        ("resnet18", 33, 128),
        ("resnet18", 500, 224),
        ("inception_v3", None, 299),
        ("vit_b_16", 32, 224),
    ],
)
def test_small_images_are_enlarged_threefold_at_most(name, native, side):
    assert default_input_size(name, native) == side


@pytest.mark.parametrize(("name", "side"), [("vit_b_16", 96), ("alexnet", 32)])
def test_an_input_size_that_a_network_cannot_take_is_refused(name, side):
    with pytest.raises(ConfigError, match="pixels"):
        check_input_size(name, side)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("squeezenet1_1", ["Fire"]),
        ("resnet18", ["BasicBlock"]),
        ("shufflenet_v2_x0_5", ["BatchNorm2d", "Conv2d"]),
        ("embedded", ["_ResidualBlock"]),
    ],
)
def test_the_last_block_is_the_last_part_with_matrices(name, expected):
    weights = "embedded" if name == "embedded" else "none"
    block = build_classifier(name, weights, 3, rng()).last_block()
    assert [type(module).__name__ for module in block] == expected
    assert any(parameter.ndim > 1 for module in block for parameter in module.parameters())
