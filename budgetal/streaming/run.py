"""Read, predict, decide, record: one chunk of the stream after the other."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from budgetal.data.parallel import prefetched
from budgetal.data.stream import FileStream, StreamChunk, open_stream
from budgetal.engine.saved import SavedModel
from budgetal.errors import ConfigError, DataError, ProjectError
from budgetal.files import write_atomic
from budgetal.models.predict import batches
from budgetal.query.stream import Decision, StreamSelector, StreamSettings, policies
from budgetal.store.locking import writer_lock
from budgetal.streaming import log
from budgetal.streaming.log import Checkpoint
from budgetal.types import Json

OnProgress = Callable[[str, int, int], None]
_BATCH = 256


@dataclass(frozen=True)
class StreamJob:
    """A stream to decide on.

    models: one, or the members of an ensemble, of the same classes. source: folder or manifest of image
    files. out: folder for tables and checkpoint. chunk: files read, and recorded, at a time; for the policy
    `variance` also those compared with each other. copy: put the images to label into out/to_label.
    Raises ConfigError or ProjectError when these do not fit each other.
    """

    models: tuple[SavedModel, ...]
    source: str
    out: Path
    settings: StreamSettings
    chunk: int = 256
    copy: bool = False

    def __post_init__(self) -> None:
        if self.chunk < 1:
            raise ConfigError(f"'chunk' cannot be {self.chunk}: it must be 1 or more")
        needed = policies[self.settings.policy].min_members
        if len(self.models) < needed:
            raise ConfigError(
                f"Policy {self.settings.policy!r} compares {needed} models or more, but {len(self.models)} is given: "
                "add models of the same classes as members"
            )
        for model in self.models[1:]:
            if model.classes != self.models[0].classes:
                raise ProjectError(
                    f"All members must have the same classes: {', '.join(model.classes)} are not "
                    f"{', '.join(self.models[0].classes)}"
                )

    @property
    def side(self) -> int:
        """Pixels a side at which files are decoded: what the most demanding model expects."""
        return max(model.side for model in self.models)

    @property
    def identity(self) -> dict[str, Json]:
        """What must not change when the stream goes on; the models may, they learn."""
        source = str(Path(self.source).resolve())
        return {"source": source, "chunk": self.chunk, "copy": self.copy, **asdict(self.settings)}


def run_stream(job: StreamJob, on_progress: OnProgress) -> dict[str, Json]:
    """Offer every file of the source that no earlier run has offered, and return the figures so far.

    Goes on behind the last file that `job.out` records, so a stopped stream, or a folder that has grown,
    costs nothing twice. Raises InputError (a subclass) for a source without images, an `out` inside the
    source or one that holds a stream of other settings; StorageError when what is recorded is damaged.
    """
    stream = open_stream(job.source)
    if job.out.resolve().is_relative_to(stream.root):
        raise DataError(f"{job.out} lies among the images of {job.source}: choose a folder outside")
    job.out.mkdir(parents=True, exist_ok=True)
    with writer_lock(job.out / log.CHECKPOINT):
        began = _begun(job)
        ended = _work_through(job, stream, began, on_progress)
    return _summary(job, stream, began, ended)


def _begun(job: StreamJob) -> Checkpoint:
    found = log.load(job.out)
    if found is None:
        return log.begin(job.out, Checkpoint(job.identity, StreamSelector(job.settings).to_json()))
    for name, value in job.identity.items():
        if found.settings.get(name) != value:
            raise ProjectError(
                f"{job.out} holds a stream with {name} {found.settings.get(name)}, not {value}: "
                "give the same settings to go on, or another folder to begin anew"
            )
    return found


def _work_through(job: StreamJob, stream: FileStream, began: Checkpoint, on_progress: OnProgress) -> Checkpoint:
    selector, checkpoint = StreamSelector.from_json(began.selector), began
    done = stream.n_before(began.last_path)
    parts = stream.parts(job.chunk, began.last_path)
    for chunk in prefetched(parts, lambda files: stream.read(files, job.side)):
        probs, scores = _predicted(job.models, chunk.pixels)
        ordinary = np.array([not job.models[0].rules_out(score) for score in scores], dtype=bool)
        decisions = selector.offer_chunk(probs[torch.from_numpy(ordinary)]) if ordinary.any() else []
        offered = _offered(chunk, decisions, ordinary, scores)
        checkpoint = _recorded(job, stream, chunk, offered, selector, checkpoint)
        done += len(chunk.paths) + len(chunk.quarantined)
        on_progress("offering images", done, len(stream.files))
    return checkpoint


@dataclass(frozen=True)
class _Offered:
    """A chunk's images: path, id and decision of those that were offered, path, id and score of possible outliers."""

    made: list[tuple[str, str, Decision]]
    outliers: list[tuple[Json, ...]]


def _offered(
    chunk: StreamChunk, decisions: list[Decision], ordinary: NDArray[np.bool_], scores: Sequence[float | None]
) -> _Offered:
    named = list(zip(chunk.paths, chunk.sample_ids, strict=True))
    made = [(*named[row], decision) for row, decision in zip(np.flatnonzero(ordinary).tolist(), decisions, strict=True)]
    return _Offered(made, [(*named[row], scores[row]) for row in np.flatnonzero(~ordinary).tolist()])


def _predicted(models: tuple[SavedModel, ...], pixels: NDArray[np.uint8]) -> tuple[Tensor, Sequence[float | None]]:
    """Probabilities (n, members, classes), and by the first model how probably each image is none of the classes."""
    parts = [[model.predict_with_outliers(pixels[rows]) for rows in batches(len(pixels), _BATCH)] for model in models]
    empty = np.empty((0, len(models[0].classes)), np.float32)
    members = [np.concatenate([empty, *(probs for probs, _scores in member)]) for member in parts]
    scores = [
        score for probs, found in parts[0] for score in (len(probs) * [None] if found is None else found.tolist())
    ]
    return torch.from_numpy(np.stack(members, axis=1)), scores


def _recorded(
    job: StreamJob,
    stream: FileStream,
    chunk: StreamChunk,
    offered: _Offered,
    selector: StreamSelector,
    before: Checkpoint,
) -> Checkpoint:
    """Copy what is to be labelled, then commit the chunk: a copy without a record is only made again."""
    made = offered.made
    asked = [(path, sample_id, decision) for path, sample_id, decision in made if decision.query]
    places = {path: _place(path, sample_id) if job.copy else path for path, sample_id, _ in asked}
    if job.copy:
        _copy(stream.root, job.out, places)
    rows: log.Rows = {
        log.DECISIONS: [(path, sample_id, *_cells(decision)) for path, sample_id, decision in made],
        log.TO_LABEL: [(places[path], sample_id, decision.uncertainty) for path, sample_id, decision in asked],
        log.QUARANTINED: [(entry.path, entry.reason) for entry in chunk.quarantined],
        log.OUTLIERS: offered.outliers,
    }
    after = replace(
        before,
        selector=selector.to_json(),
        last_path=chunk.last_path,
        n_quarantined=before.n_quarantined + len(chunk.quarantined),
        n_outliers=before.n_outliers + len(offered.outliers),
    )
    return log.commit(job.out, after, rows)


def _cells(decision: Decision) -> tuple[Json, ...]:
    return (
        decision.query,
        decision.uncertainty,
        decision.threshold,
        decision.has_budget,
        decision.spending,
        decision.n_queried,
    )


def _place(path: str, sample_id: str) -> str:
    """Where in `out` a copy goes: a path that would lead out of the folder of copies gives way to the image's id."""
    plain = PurePosixPath(path)
    leads_out = plain.is_absolute() or ".." in plain.parts
    return f"{log.COPIES}/{sample_id + plain.suffix if leads_out else path}"


def _copy(root: Path, out: Path, places: Mapping[str, str]) -> None:
    for path, place in places.items():
        (out / place).parent.mkdir(parents=True, exist_ok=True)
        write_atomic(out / place, (root / path).read_bytes())


def _summary(job: StreamJob, stream: FileStream, began: Checkpoint, ended: Checkpoint) -> dict[str, Json]:
    first, last = (StreamSelector.from_json(checkpoint.selector).state.spending for checkpoint in (began, ended))
    n_offered = last.n_seen + ended.n_quarantined + ended.n_outliers
    return {
        "policy": job.settings.policy,
        "rate": job.settings.rate,
        "n_seen": last.n_seen,
        "n_queried": last.n_queried,
        "n_quarantined": ended.n_quarantined,
        "n_outliers": ended.n_outliers,
        "n_seen_now": last.n_seen - first.n_seen,
        "n_queried_now": last.n_queried - first.n_queried,
        "n_late": max(0, stream.n_before(ended.last_path) - n_offered),
        "spending": job.settings.budget.estimate(last),
        "decisions": str(job.out / log.DECISIONS),
        "to_label": str(job.out / log.TO_LABEL),
    }
