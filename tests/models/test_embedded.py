"""The embedded encoder: small, loadable, deterministic and better than an untrained network."""

from importlib import resources

import numpy as np
import pytest
import torch
from safetensors import safe_open
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from budgetal.models.embedded import (
    EMBEDDING_WIDTH,
    INPUT_SIZE,
    MEAN,
    STD,
    WEIGHTS_FILE,
    EmbeddedEncoder,
    load_embedded_encoder,
)
from budgetal.models.preprocess import to_input


@pytest.fixture(scope="module")
def encoder():
    return load_embedded_encoder()


def weights_path():
    return resources.files("budgetal.models").joinpath("weights", WEIGHTS_FILE)


def untrained_encoder():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return EmbeddedEncoder().eval()


def random_images(n):
    return torch.randn(n, 3, INPUT_SIZE, INPUT_SIZE, generator=torch.Generator().manual_seed(0))


def test_it_is_small(encoder):
    assert sum(parameter.numel() for parameter in encoder.parameters()) <= 1_500_000
    assert weights_path().stat().st_size <= 3_500_000


def test_the_file_says_where_its_weights_come_from():
    with safe_open(weights_path(), "pt") as file:
        metadata = file.metadata()
    assert metadata.keys() == {"version", "data", "recipe"}
    assert "CIFAR-100" in metadata["data"]


def test_weights_are_loaded_in_float32_for_evaluation(encoder):
    assert {parameter.dtype for parameter in encoder.parameters()} == {torch.float32}
    assert not encoder.training


def test_embeddings_are_finite_and_not_negative(encoder):
    with torch.inference_mode():
        embeddings = encoder(random_images(3))
    assert embeddings.shape == (3, EMBEDDING_WIDTH)
    assert torch.isfinite(embeddings).all()
    assert (embeddings >= 0).all()


def test_two_loads_embed_alike(encoder):
    with torch.inference_mode():
        torch.testing.assert_close(load_embedded_encoder()(random_images(2)), encoder(random_images(2)))


def test_an_image_is_embedded_alike_alone_and_in_a_batch(encoder):
    images = random_images(4)
    with torch.inference_mode():
        torch.testing.assert_close(encoder(images)[:1], encoder(images[:1]), rtol=1e-4, atol=1e-5)


def test_the_embedding_takes_gradients():
    network = load_embedded_encoder().train()
    network(random_images(2)).sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_five_labels_per_class_go_further_than_without_pre_training(encoder):
    assert digits_accuracy(encoder) > digits_accuracy(untrained_encoder()) + 0.05


def digits_accuracy(network):
    """Nearest to what a new project sees: 50 labelled digits, 600 others."""
    images, labels = load_digits(return_X_y=True)
    pixels = np.repeat(np.round(images.reshape(-1, 8, 8, 1) * (255 / 16)).astype(np.uint8), 3, axis=3)
    labelled = np.concatenate([np.flatnonzero(labels == digit)[:5] for digit in range(10)])
    others = np.setdiff1d(np.arange(len(labels)), labelled)[:600]
    with torch.inference_mode():
        embeddings = network(to_input(pixels[np.r_[labelled, others]], INPUT_SIZE, MEAN, STD)).numpy()
    train, test = np.split(embeddings, [len(labelled)])
    scale = embeddings.std(axis=0) + 1e-6
    probe = LogisticRegression(C=0.01, max_iter=300).fit(train / scale, labels[labelled])
    return probe.score(test / scale, labels[others])
