"""Gold: images whose truth the owner knows, asked of people now and then to see how good they are.

A gold image is no open image: its label is known before the audit is drawn, so that it is in no audit, gets no
automatic label and enters no bound. Its label is free and is trained on; what people say of it is paid for, and
says something of the people only.
"""

from collections.abc import Collection, Iterable, Mapping
from hashlib import sha256
from pathlib import Path

from budgetal.config import Config, class_named
from budgetal.data.labels import read_labels
from budgetal.errors import DataError, ProjectError
from budgetal.opinions import people_of
from budgetal.registry import unknown_name
from budgetal.state import GIVEN, State
from budgetal.types import NONE_OF_THESE, Sample

SHARE_OF_QUERY = 0.05
"""Gold images in a later query where `gold_per_query` does not say how many: one in twenty, one at least."""


def read_gold(path: Path, samples: Iterable[Sample], config: Config) -> dict[str, str]:
    """The truth of each gold image by sample id, from a CSV or Parquet table of paths (or ids) and labels.

    Raises DataError for a file without a label, an image that is not in the collection, a label that is no class, or
    two labels of one image.
    """
    by_name = {name: sample.sample_id for sample in samples for name in (sample.sample_id, *sample.paths)}
    known = [*config.classes, NONE_OF_THESE]
    gold: dict[str, str] = {}
    for name, given in read_labels(path).items():
        label, sample_id = class_named(config, given), by_name.get(name)
        if sample_id is None:
            raise DataError(f"{path} names {name!r}, which is none of the images: gold images are among the others")
        if label not in known:
            raise DataError(f"{path}: {unknown_name('label', given, known)}")
        if gold.setdefault(sample_id, label) != label:
            raise DataError(f"{path} gives image {name!r} two labels under two names: {gold[sample_id]!r}, {label!r}")
    if not gold:
        raise DataError(f"{path} has no label: give a line for each gold image")
    return gold


def gold_per_query(config: Config, batch: int) -> int:
    """How many gold images a later query of `batch` images has, in a project that begins with some."""
    return config.gold_per_query or max(1, round(SHARE_OF_QUERY * batch))


def check_later(state: State, sample_ids: Collection[str]) -> None:
    """Raise ProjectError for gold that comes too late.

    An open image that becomes gold leaves the open images. Before the audit is drawn, that is as if it had been gold
    from the start. Afterwards whoever chooses it may know which images are audited or labelled automatically, and what
    is left of the audit would be no uniform sample. An image that was asked to train on has left them already.
    """
    if not state.audit and not state.last_audit:
        return
    late = sorted(i for i in sample_ids if i not in state.queried or state.is_audit(i))
    if late:
        raise ProjectError(
            f"{len(late)} of {len(sample_ids)} gold images come too late, first {late[0]}: once the audit is drawn, "
            "only images that people were asked about to train on can become gold. Leave the others out"
        )


def check_not_gold(state: State, sample_id: str, query_id: int) -> None:
    """Raise ProjectError for an answer that would put itself in the place of a gold label."""
    if query_id == GIVEN and sample_id in state.gold:
        raise ProjectError(
            f"Image {sample_id} is gold and nobody was asked about it: its label is {state.labels[sample_id].label!r}. "
            "Correct it with a gold file"
        )


def gold_to_ask(state: State, n: int) -> tuple[str, ...]:
    """At most `n` gold images, the least asked first; without gold, images whose labels came with them.

    What people say of these shows how good they are. Their labels stay what they are. Nobody who has answered one
    answers it again.
    """
    people = {answer.annotator for i in state.labels for answer in state.answers_of(i) if answer.query_id != GIVEN}
    known = [i for i in state.gold or state.labels if state.labels[i].query_id == GIVEN]
    free = [i for i in known if i not in state.open_items and (not people or people.difference(people_of(state, i)))]
    return tuple(sorted(free, key=lambda i: (state.n_opinions_asked[i], i))[:n])


def in_queue(state: State) -> list[str]:
    """Open images in the order in which people get them: the oldest query first.

    Known images stand among those that they were asked with, at places that tell nothing: whoever knew that the first
    images of every query are a test would take more care with these, and one person alone would get them.
    """
    items = state.open_items
    tests = {i: query_id for i, query_id in items.items() if _is_test(state, i)}
    if not tests:
        return sorted(items, key=items.__getitem__)
    places: dict[str, tuple[int, float]] = {}
    for query_id in set(items.values()):
        asked = state.queries[query_id].sample_ids
        places |= {i: (query_id, place) for place, i in enumerate(asked) if items.get(i) == query_id}
    return sorted(items, key={**places, **_scattered(state, tests)}.__getitem__)


def _is_test(state: State, sample_id: str) -> bool:
    label = state.labels.get(sample_id)
    return label is not None and label.query_id == GIVEN and state.is_opinion(state.open_items[sample_id])


def _scattered(state: State, tests: Mapping[str, int]) -> dict[str, tuple[int, float]]:
    """A place of each among the images of the query that was recorded with its own."""
    found = {}
    for sample_id, query_id in tests.items():
        beside = state.queries.get(query_id + 1, state.queries[query_id])
        digest = sha256(f"{state.settings.seed} {query_id} {sample_id}".encode()).digest()
        found[sample_id] = (beside.query_id, int.from_bytes(digest[:4]) / 2**32 * len(beside.sample_ids))
    return found
