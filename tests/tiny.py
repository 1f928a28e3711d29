"""Small images, labels and networks for tests of models, training and engine."""

from dataclasses import dataclass, field

import numpy as np
import torch

from budgetal.types import TrainingSet

# Tests share few processors: a second thread would only wait.
torch.set_num_threads(1)


@dataclass
class TinyPixels:
    """Images in memory; counts how many were read."""

    images: np.ndarray
    n_read: int = field(default=0)

    def __len__(self):
        return len(self.images)

    def read(self, rows):
        self.n_read += len(rows)
        return self.images[rows]


def tiny_images(n, n_classes=3, side=32, seed=0):
    """Noise with a bright bar at a height that tells the class: (TinyPixels, labels)."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, n_classes, n)
    images = rng.integers(0, 80, (n, side, side, 3)).astype(np.uint8)
    band = side // n_classes
    for image, label in zip(images, labels, strict=True):
        image[label * band : (label + 1) * band, :, label % 3] = 250
    return TinyPixels(images), labels.astype(np.int64)


def training_set(rows, labels, n_human=None, weight=0.1, n_classes=3):
    """The first `n_human` rows at weight 1, the rest at `weight`."""
    n_human = len(rows) if n_human is None else n_human
    weights = np.where(np.arange(len(rows)) < n_human, 1, weight).astype(np.float32)
    return TrainingSet(np.asarray(rows), labels[rows], weights, n_human, n_classes)


def folders(tmp_path, *names):
    """New folders of these names."""
    made = [tmp_path / name for name in names]
    for folder in made:
        folder.mkdir()
    return made
