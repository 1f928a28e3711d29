"""Features of a frozen network, computed by one run and linked into the others of the same images."""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from budgetal.files import write_atomic
from budgetal.project import Project
from budgetal.types import Json

INDEX = "features.json"


def share_features(project: Project, shelf: Path) -> None:
    """Give a new project the features that others left on `shelf`; compute and leave there what is missing.

    Others that want the same features wait meanwhile. A project that has features already keeps them.
    """
    place = shelf / _images_of(project)
    place.mkdir(parents=True, exist_ok=True)
    with locked(place / "lock"):
        _link(place, place / INDEX, _arrays(project), _index(project))
        _embed(project)
        _link(_arrays(project), _index(project), place, place / INDEX)


def _images_of(project: Project) -> str:
    """Name for what features depend on besides the network: the images, and the test images."""
    test = project.workspace.test
    ids = "".join(sample.sample_id for sample in test.samples) if test else ""
    return hashlib.blake2b(f"{project.state.index_ref} {ids}".encode(), digest_size=12).hexdigest()


def _embed(project: Project) -> None:
    space = project.workspace
    space.engine.features()
    # A network that is trained sees test images anew each round.
    if space.test is not None and project.config.finetune in ("head", "cotrain"):
        space.engine.embeddings_of(None, space.test.pixels, "test")


def _arrays(project: Project) -> Path:
    return project.folder / "cache" / "arrays"


def _index(project: Project) -> Path:
    return project.folder / "models" / INDEX


def _link(source: Path, source_index: Path, target: Path, target_index: Path) -> None:
    """Hard links: the arrays never change, and take their room once."""
    found, known = _read(source_index), _read(target_index)
    for key in found.keys() - known.keys():
        if not (target / found[key]).exists():
            target.mkdir(parents=True, exist_ok=True)
            os.link(source / found[key], target / found[key])
    if found.keys() - known.keys():
        target_index.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(target_index, json.dumps(found | known, indent=1).encode())


def _read(index: Path) -> dict[str, str]:
    try:
        entries: Json = json.loads(index.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return {str(key): str(ref) for key, ref in entries.items()} if isinstance(entries, dict) else {}


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait for the turn that the file at `path` stands for. A dead holder holds nothing."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
