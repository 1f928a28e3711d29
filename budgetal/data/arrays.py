"""Images that already are an array: ids, labels and pixels by row."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from budgetal.data.collection import Collection, Item, distinct_labels, merge_copies
from budgetal.data.pixels import ArrayPixels


def array_id(image: NDArray[np.uint8]) -> str:
    """Sample id of an array: BLAKE2b of its shape, type and bytes, 32 hexadecimal digits."""
    return array_ids(image[None])[0]


def array_ids(images: NDArray[np.uint8]) -> list[str]:
    """Sample ids of images stacked along the first axis; one pass, which a mapped array streams through."""
    # What all images share is hashed once: at hundreds of thousands of small images that is half the time.
    shared = hashlib.blake2b(f"{images.shape[1:]} {images.dtype}".encode(), digest_size=16)
    return [_continue(shared.copy(), np.ascontiguousarray(image)) for image in np.asarray(images)]


def _continue(digest: "hashlib.blake2b", image: NDArray[np.uint8]) -> str:
    digest.update(image.data)
    return digest.hexdigest()


def collect_array(
    images: NDArray[np.uint8], labels: Sequence[str | None], classes: tuple[str, ...], name: str
) -> Collection:
    """Index images (n, h, w) or (n, h, w, 1 or 3); image i has label i and the path `name[i]`.

    `classes`, when empty, become the distinct labels. Images stay where they are, mapped or in memory.
    """
    ids = array_ids(images)
    items = (
        Item(f"{name}[{i}]", sample_id, label) for i, (sample_id, label) in enumerate(zip(ids, labels, strict=True))
    )
    samples, conflicts = merge_copies(items)
    row_of = {sample_id: row for row, sample_id in reversed(list(enumerate(ids)))}
    order = np.array([row_of[sample.sample_id] for sample in samples], np.int64)
    used = classes or distinct_labels(samples)
    return Collection(samples, conflicts, used, ArrayPixels(images, order))
