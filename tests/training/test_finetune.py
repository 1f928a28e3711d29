"""Fine-tuning learns, repeats to the bit, freezes what it says, and survives a kill."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny import tiny_images, training_set

from budgetal.errors import BudgetalError, StorageError
from budgetal.models.backbones import build_classifier
from budgetal.training.checkpoint import Checkpoint, digest
from budgetal.training.consistency import consistency_term
from budgetal.training.loop import finetune
from budgetal.training.recipe import PRESETS, Recipe

N = 24


class Killed(BaseException):
    pass


def network(name="shufflenet_v2_x0_5"):
    return build_classifier(name, "none", 3, np.random.default_rng(0))


def train(
    classifier,
    *,
    preset="paper",
    mode="full",
    epochs=3,
    checkpoint=None,
    on_epoch=None,
    weight=None,
    pixels=None,
    term=None,
    **changes,
):
    seen, labels = tiny_images(N)
    pixels = pixels or seen
    data = training_set(np.arange(N), labels, n_human=N if weight is None else N // 2, weight=weight or 0)
    recipe = replace(PRESETS[preset], **({"epochs": epochs, "learning_rate": 0.05, "batch": 8} | changes))
    return finetune(
        classifier,
        pixels,
        data,
        side=32,
        finetune=mode,
        recipe=recipe,
        rng=np.random.default_rng(1),
        on_epoch=on_epoch or (lambda record: None),
        checkpoint=checkpoint,
        term=term,
    )


def kill_after(epoch):
    def on_epoch(record):
        if record.epoch == epoch:
            raise Killed

    return on_epoch


def test_the_loss_falls():
    records = train(network(), epochs=6)
    assert records[-1].train_loss < 0.7 * records[0].train_loss
    assert [record.epoch for record in records] == [1, 2, 3, 4, 5, 6]


# The second has dropout, which draws from torch's global generator.
@pytest.mark.parametrize("name", ["shufflenet_v2_x0_5", "mobilenet_v3_small"])
def test_the_same_seed_gives_the_same_bits_and_leaves_the_global_generator_alone(name):
    hashes = []
    for _ in range(2):
        classifier = network(name)
        torch.rand(3)
        before = torch.get_rng_state()
        train(classifier, epochs=1)
        assert torch.equal(torch.get_rng_state(), before)
        hashes.append(digest(classifier.state_dict()))
    assert hashes[0] == hashes[1]


@pytest.mark.parametrize("epoch", [1, 2])
def test_a_killed_fit_resumes_and_ends_with_the_same_weights(epoch, tmp_path):
    whole, killed = network(), network()
    expected = train(whole)
    checkpoint = Checkpoint(tmp_path / "fit.safetensors", "fit 1")
    with pytest.raises(Killed):
        train(killed, checkpoint=checkpoint, on_epoch=kill_after(epoch))
    heard, resumed = [], network()
    assert train(resumed, checkpoint=checkpoint, on_epoch=heard.append) == expected
    assert digest(resumed.state_dict()) == digest(whole.state_dict())
    assert [record.epoch for record in heard] == [1, 2, 3]


class DyingPixels:
    """Images that kill the process that reads them for the n-th time."""

    def __init__(self, pixels, reads):
        self.pixels, self.reads = pixels, reads

    def __len__(self):
        return len(self.pixels)

    def read(self, rows):
        self.reads -= 1
        if not self.reads:
            raise Killed
        return self.pixels.read(rows)


def matched():
    return consistency_term(tiny_images(N)[0], 32, mirror=True, n_classes=3, flexible=True)


# An epoch has three steps, or as many as the term asks for.
@pytest.mark.parametrize("preset", ["paper", "small"])
@pytest.mark.parametrize("make_term", [lambda: None, matched], ids=["labels only", "flexmatch"])
def test_a_fit_killed_inside_an_epoch_ends_with_the_same_weights(preset, make_term, tmp_path):
    whole, resumed = network(), network()
    settings = {"preset": preset, "epochs": 2}
    expected = train(whole, term=make_term(), **settings)
    checkpoint = Checkpoint(tmp_path / "fit.safetensors", "fit 1")
    dying = DyingPixels(tiny_images(N)[0], reads=5)
    with pytest.raises(Killed):
        train(network(), checkpoint=checkpoint, pixels=dying, term=make_term(), **settings)
    assert checkpoint.path.exists()
    assert train(resumed, checkpoint=checkpoint, term=make_term(), **settings) == expected
    assert digest(resumed.state_dict()) == digest(whole.state_dict())


def test_a_checkpoint_of_another_fit_is_not_used(tmp_path):
    train(network(), epochs=1, checkpoint=Checkpoint(tmp_path / "fit.safetensors", "fit 1"))
    heard = []
    train(network(), epochs=1, checkpoint=Checkpoint(tmp_path / "fit.safetensors", "fit 2"), on_epoch=heard.append)
    assert len(heard) == 1


def test_last_block_changes_the_last_block_and_the_head_only():
    classifier = network()
    before = {name: tensor.clone() for name, tensor in classifier.state_dict().items()}
    train(classifier, mode="last_block", epochs=1)
    changed = {n for n, tensor in classifier.state_dict().items() if not torch.equal(tensor, before[n])}
    assert {"head.weight", "backbone.conv5.0.weight"} <= changed
    assert all(name.startswith(("head.", "backbone.conv5.")) for name in changed)


def test_full_changes_the_first_layer_too():
    classifier = network()
    before = classifier.backbone.conv1[0].weight.detach().clone()
    train(classifier, epochs=1)
    assert not torch.equal(classifier.backbone.conv1[0].weight, before)


def test_images_of_weight_zero_are_not_even_read():
    pixels, labels = tiny_images(N)
    data = training_set(np.arange(N), labels, n_human=10, weight=0.0)
    finetune(
        network("squeezenet1_1"),
        pixels,
        data,
        side=32,
        finetune="last_block",
        recipe=Recipe(epochs=1, learning_rate=0.01, batch=4),
        rng=np.random.default_rng(0),
        on_epoch=lambda record: None,
        checkpoint=None,
    )
    assert pixels.n_read == 10


def test_a_batch_that_leaves_one_over_still_trains():
    assert len(train(network(), epochs=1, batch=N - 1)) == 1


def test_a_loss_that_is_not_finite_is_an_error_that_names_the_setting():
    with pytest.raises(BudgetalError, match="learning_rate"):
        train(network("squeezenet1_1"), learning_rate=1e20)


@pytest.fixture
def saved(tmp_path):
    checkpoint = Checkpoint(tmp_path / "fit.safetensors", "fit 1")
    train(network("squeezenet1_1"), mode="last_block", epochs=1, checkpoint=checkpoint)
    return checkpoint


def damage(path, position):
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(bytes(content))


def size_of(path):
    return path.stat().st_size


@pytest.mark.parametrize("share", [0.0, 0.0005, 0.2, 0.9999])
def test_a_flipped_bit_anywhere_is_refused(saved, share):
    damage(saved.path, int(share * size_of(saved.path)))
    untouched = network("squeezenet1_1")
    before = digest(untouched.state_dict())
    with pytest.raises(StorageError, match="damaged"):
        saved.resume(untouched)
    assert digest(untouched.state_dict()) == before


@pytest.mark.parametrize("size", [0, 5, 1000, 100_000])
def test_a_torn_file_is_refused_or_discarded_with_a_warning(saved, size):
    saved.path.write_bytes(saved.path.read_bytes()[:size])
    with pytest.raises(StorageError, match="damaged"):
        saved.resume(network("squeezenet1_1"))
    with pytest.warns(UserWarning, match="starts again"):
        saved.discard_if_damaged()
    assert not saved.path.exists()
