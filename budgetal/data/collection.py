"""What every source of images yields: samples in the order of their ids, and what had to be left out."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from budgetal.types import PixelSource, Quarantined, Sample


@dataclass(frozen=True)
class Collection:
    """An indexed collection of images. Row i of `pixels` is `samples[i]`.

    samples: sorted by sample_id, so that the order of rows depends on the content only.
    quarantined: files left out and why, and labels that contradict each other.
    classes: class names where the source declares them, otherwise the sorted distinct labels.
    """

    samples: tuple[Sample, ...]
    quarantined: tuple[Quarantined, ...]
    classes: tuple[str, ...]
    pixels: PixelSource


@dataclass(frozen=True)
class Item:
    """One image as its source names it, before byte-identical copies are merged."""

    path: str
    sample_id: str
    label: str | None


def merge_copies(items: Iterable[Item]) -> tuple[tuple[Sample, ...], tuple[Quarantined, ...]]:
    """Make one sample of byte-identical images; samples come sorted by id, their paths sorted too.

    Where copies carry different labels, the label of the first path holds and the others are reported.
    """
    copies: defaultdict[str, list[Item]] = defaultdict(list)
    for item in items:
        copies[item.sample_id].append(item)
    samples: list[Sample] = []
    conflicts: list[Quarantined] = []
    for _, group in sorted(copies.items()):
        group.sort(key=lambda item: (item.path, item.label or ""))
        samples.append(_merge(group))
        conflicts.extend(_conflicts(group, samples[-1].label))
    return tuple(samples), tuple(conflicts)


def distinct_labels(samples: Iterable[Sample]) -> tuple[str, ...]:
    """The labels that occur, sorted: by value when all are whole numbers, else as text."""
    labels = {sample.label for sample in samples if sample.label is not None}
    if all(label.isdecimal() for label in labels):
        return tuple(sorted(labels, key=lambda label: (int(label), label)))
    return tuple(sorted(labels))


def _merge(group: list[Item]) -> Sample:
    label = next((item.label for item in group if item.label is not None), None)
    paths = tuple(dict.fromkeys(item.path for item in group))
    return Sample(group[0].sample_id, paths, label)


def _conflicts(group: list[Item], kept: str | None) -> Iterable[Quarantined]:
    for item in group:
        if item.label is not None and item.label != kept:
            yield Quarantined(
                item.path,
                f"label conflict: {item.label!r} here, {kept!r} for the same bytes; kept {kept!r}",
            )
