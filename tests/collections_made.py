"""Small collections for tests: easy images of three classes, in seconds."""

from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ("blue", "green", "red")
CHANNEL = {"red": 0, "green": 1, "blue": 2}


def easy_images(n: int, seed: int = 0, side: int = 16) -> tuple[np.ndarray, list[str]]:
    """`n` noisy images (n, side, side, 3), each brighter in the channel of its class."""
    rng = np.random.default_rng(seed)
    labels = [CLASSES[i % 3] for i in range(n)]
    images = rng.integers(0, 120, (n, side, side, 3))
    for image, label in zip(images, labels, strict=True):
        image[..., CHANNEL[label]] += int(rng.integers(70, 130))
    return images.astype(np.uint8), labels


def write_npy(folder: Path, n: int, seed: int = 0) -> Path:
    """A folder with images.npy, labels.npy and classes.txt."""
    images, labels = easy_images(n, seed)
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "images.npy", images)
    np.save(folder / "labels.npy", np.array([CLASSES.index(label) for label in labels], dtype=np.uint8))
    (folder / "classes.txt").write_text("\n".join(CLASSES) + "\n")
    return folder


def write_tree(folder: Path, n: int, seed: int = 0) -> Path:
    """An ImageFolder tree of PNG files."""
    for i, (image, label) in enumerate(zip(*easy_images(n, seed), strict=True)):
        (folder / label).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / label / f"{i:04}.png")
    return folder
