"""Image files → a collection: hash, merge copies, decode, leave out what is broken."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from budgetal.data.cache import cached_decode
from budgetal.data.collection import Collection, distinct_labels, merge_copies
from budgetal.data.decoding import Decoded, decode_on_read
from budgetal.data.folder import Entry
from budgetal.data.hashes import identify
from budgetal.errors import DataError, StorageError
from budgetal.types import Quarantined, Sample


def collect_files(
    root: Path, entries: list[Entry], refused: list[Quarantined], side: int, cache: Path | None
) -> Collection:
    """Index the files `entries` under `root`; `refused` are those that were not even opened.

    Raises DataError when no image is left, StorageError when `cache` cannot be written.
    """
    with _writing(cache):
        items, unreadable = identify(root, entries, cache)
        samples, conflicts = merge_copies(items)
        decoded = _decode(root, samples, side, cache)
    good = tuple(sample for sample in samples if sample.sample_id not in decoded.broken)
    broken = (
        Quarantined(path, decoded.broken[sample.sample_id].reason)
        for sample in samples
        if sample.sample_id in decoded.broken
        for path in sample.paths
    )
    quarantined = sorted((*refused, *unreadable, *conflicts, *broken), key=lambda entry: entry.path)
    if not good:
        raise DataError(no_image(root, tuple(quarantined)))
    return Collection(good, tuple(quarantined), distinct_labels(good), decoded.pixels)


@contextmanager
def _writing(cache: Path | None) -> Iterator[None]:
    """Files that cannot be read are quarantined one by one, so what fails inside is the cache."""
    try:
        if cache is not None:
            cache.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise StorageError(f"Cannot keep decoded images in {cache}: {error.strerror}") from error


def _decode(root: Path, samples: tuple[Sample, ...], side: int, cache: Path | None) -> Decoded:
    if cache is None:
        return decode_on_read(root, samples, side)
    return cached_decode(root, samples, side, cache)


def no_image(where: Path, quarantined: tuple[Quarantined, ...]) -> str:
    """The one line for a collection without a single usable image."""
    if not quarantined:
        return f"There are no images in {where}: no JPEG, PNG, WebP, BMP, TIFF or GIF files"
    first = quarantined[0]
    return (
        f"None of the images in {where} can be used: {len(quarantined)} quarantined, "
        f"the first: {first.path} ({first.reason})"
    )
