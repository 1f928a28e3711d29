"""A project's folder and what is loaded from it: index, pixels, arrays, engine."""

import hashlib
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import numpy as np

from budgetal.config import Config, class_named
from budgetal.data.collection import Collection
from budgetal.data.index import load_index, save_index
from budgetal.data.pool import Pool
from budgetal.data.sources import load_collection
from budgetal.engine.finetuning import may_mirror
from budgetal.engine.local import LocalEngine
from budgetal.errors import ConfigError, DataError
from budgetal.models.backbones import default_input_size
from budgetal.query.strategy import strategies
from budgetal.state import State
from budgetal.store.arrays import ArrayStore
from budgetal.training.adaptation import Source
from budgetal.types import NONE_OF_THESE, Json, Quarantined, Sample

OnProgress = Callable[[str, int, int], None]
"""Called with what is being done, how many steps are done, and of how many."""


def no_progress(_what: str, _done: int, _total: int) -> None:
    """The default progress callback: silence."""


class Workspace:
    """Loads each thing at first use: `status` and `export` never decode an image.

    first: the settings that the project was made with, where `config` are later ones.
    """

    def __init__(
        self, folder: Path, config: Config, on_progress: OnProgress = no_progress, first: Config | None = None
    ) -> None:
        self.folder = folder
        self.config = config
        self.on_progress = on_progress
        self.first = first
        self._expected: list[str] | None = None
        for name in ("cache", "models"):
            (folder / name).mkdir(parents=True, exist_ok=True)

    def with_config(self, config: Config) -> "Workspace":
        """The same folder under settings that differ in nothing that decides how images are read."""
        other = Workspace(self.folder, config, self.on_progress, self.first)
        other.collection = self.collection
        return other

    @cached_property
    def arrays(self) -> ArrayStore:
        """Bulk arrays, named by content hash."""
        # Apart from decoded images, so that pruning can tell which files are its own.
        return ArrayStore(self.folder / "cache" / "arrays")

    @cached_property
    def collection(self) -> Collection:
        """The images, decoded once and cached.

        Raises DataError when they are no longer those of the index, whose rows all arrays share.
        """
        found = self._load(self.config.images, "train")
        if self._expected is not None and [sample.sample_id for sample in found.samples] != self._expected:
            raise DataError(self._images_changed())
        return found

    @cached_property
    def test(self) -> Collection | None:
        """Labelled images that only measure, if the project has them."""
        if self.config.test_images is None:
            return None
        test = self._load(self.config.test_images, "test")
        labels = {class_named(self.config, str(sample.label)) for sample in test.samples} - {NONE_OF_THESE}
        if not labels or not labels <= set(self.config.classes):
            raise DataError(
                f"Every test image needs a label among {', '.join(self.config.classes)}: "
                f"correct {self.config.test_images} or leave the test images out"
            )
        return test

    @cached_property
    def source(self) -> Collection | None:
        """Labelled images of another collection, which some strategies transfer from."""
        if self.config.source_images is None:
            return None
        source = self._load(self.config.source_images, "train")
        if any(sample.label is None for sample in source.samples):
            raise DataError(f"Every source image needs a label: correct {self.config.source_images}")
        return source

    @cached_property
    def target(self) -> Collection | None:
        """Images of the collection where the model is to work, if it is another one."""
        return None if self.config.target_images is None else self._load(self.config.target_images, "train")

    def check_inputs(self) -> None:
        """Raise InputError when the other images, the network or its weights cannot be used."""
        _ = self.test, self.source, self.target
        needs = strategies[self.config.strategy].needs
        if "shared_source" in needs or self.config.adaptation != "none":
            self.check_shared_source()
        self.engine.prepare(needs_layers="layers" in needs)

    def check_shared_source(self) -> None:
        """Raise ConfigError when the source images have other classes than the project."""
        found = self.source.samples if self.source else ()
        labels = {class_named(self.config, str(sample.label)) for sample in found}
        strange = labels - set(self.config.classes)
        if strange:
            raise ConfigError(
                f"{self._reader_of_source} needs source images of the project's classes, but "
                f"{self.config.source_images} has {min(strange)!r}: relabel it, or choose another one"
            )

    @property
    def _reader_of_source(self) -> str:
        if self.config.adaptation != "none":
            return f"adaptation = {self.config.adaptation!r}"
        return f"Strategy {self.config.strategy!r}"

    def _source_to_adapt_from(self) -> Source | None:
        """The source with its classes as the project numbers them, where a fine-tuning adapts from it."""
        if self.config.adaptation == "none" or self.source is None:
            return None
        self.check_shared_source()
        names = (class_named(self.config, str(sample.label)) for sample in self.source.samples)
        labels = [self.config.classes.index(name) for name in names]
        return Source(self.source.pixels, np.array(labels))

    @cached_property
    def side(self) -> int:
        """Side in pixels of the network's input."""
        native = self.collection.pixels.read(np.zeros(1, np.int64)).shape[1]
        return self.config.input_size or default_input_size(self.config.backbone, native)

    @cached_property
    def engine(self) -> LocalEngine:
        """Where fit and predict run."""
        return LocalEngine(
            self.config,
            self.collection.pixels,
            len(self.config.classes),
            self.side,
            self.arrays,
            self.folder / "models",
            self.on_progress,
            self._source_to_adapt_from(),
            # Classes that come later leave the images as they are, and what was computed from them.
            mirror=may_mirror(self.first or self.config),
        )

    def prune(self, state: State) -> None:
        """Remove models, embeddings and automatic labels that a later round has replaced."""
        in_force = {
            state.model.weights_ref if state.model else None,
            state.embeddings_ref,
            state.proposals_ref,
            state.outliers.scores if state.outliers else None,
            state.auto.ref if state.auto else None,
            *state.probs_refs.values(),
            *state.look_refs,
            *self.engine.cached_refs(),
        }
        self.arrays.prune({ref for ref in in_force if ref is not None})

    @property
    def index_path(self) -> Path:
        """The sample index: ids, paths, quarantine."""
        return self.folder / "cache" / "index.parquet"

    def write_index(self) -> dict[str, Json]:
        """Save the index and return the facts for the journal."""
        save_index(self.collection, self.index_path)
        return {
            "index": _hash(self.index_path),
            "n_samples": len(self.collection.samples),
            "n_quarantined": len(self.collection.quarantined),
        }

    def read_index(self, expected_hash: str) -> tuple[tuple[Sample, ...], tuple[Quarantined, ...]]:
        """Samples in row order. A lost or damaged index is built again from the images.

        Raises DataError when the images are no longer those that the project was made from.
        """
        if not self.index_path.exists() or _hash(self.index_path) != expected_hash:
            self.write_index()
        if _hash(self.index_path) != expected_hash:
            raise DataError(self._images_changed())
        samples, quarantined, _ = load_index(self.index_path)
        self._expected = [sample.sample_id for sample in samples]
        return samples, quarantined

    def _images_changed(self) -> str:
        return (
            f"The images in {self.config.images} are not those this project was made from: "
            "put them back, or start a new project with `budgetal init`"
        )

    def file_of(self, path: str) -> Path:
        """The image file behind a sample's path. Raises DataError when the images are not files."""
        source = Path(self.config.images)
        root = source if source.is_dir() else source.parent
        if not (root / path).is_file():
            raise DataError(f"{self.config.images} has no image file {path}: export as csv, jsonl or parquet")
        return root / path

    def pool(self, samples: tuple[Sample, ...]) -> Pool:
        """The rows of `samples`."""
        return Pool([sample.sample_id for sample in samples])

    def _load(self, spec: str, split: str) -> Collection:
        side = self.config.input_size or default_input_size(self.config.backbone, None)
        return load_collection(
            spec,
            side=side,
            cache=self.folder / "cache",
            data_root=self.config.data_root,
            split=split,
        )


def _hash(path: Path) -> str:
    return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
