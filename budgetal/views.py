"""What a strategy may see of a project: only what it named, built from the state and the stored arrays."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from budgetal.answers import classed, none_of_these, outside_audit, targets_of
from budgetal.config import class_named
from budgetal.consensus import labels_to_train_on
from budgetal.data.collection import Collection
from budgetal.data.pool import Pool
from budgetal.engine.passes import bootstrapped, opinions, with_dropout
from budgetal.query.needs import Need, field_of
from budgetal.query.view import PoolView, SourceView
from budgetal.seeding import generator
from budgetal.state import State
from budgetal.types import FittedModel, RowArray
from budgetal.workspace import Workspace


class Views:
    """Builds pool views for one project."""

    def __init__(self, space: Workspace, pool: Pool) -> None:
        self.space = space
        self.config = space.config
        self.pool = pool
        self._consensus: tuple[int, dict[str, str]] | None = None
        self._class_index = {name: index for index, name in enumerate(self.config.classes)}
        self._supplies: dict[Need, Callable[[State, RowArray, int], Any]] = {
            "labelled_targets": self._labelled_targets,
            "labelled_probs": self._labelled_probs,
            "passes": self._passes,
            "committee": self._committee,
            "source": self._source,
            "shared_source": self._shared_source,
            "target_embeddings": self._target,
            "layers": self._layers,
        }

    def view(self, state: State, rows: RowArray, round: int, needs: tuple[Need, ...]) -> PoolView:
        """The images `rows` as a strategy with these needs sees them in `round`."""
        embeddings = self._embeddings(state)
        labelled = self._labelled_rows(state, needs)
        more = {field_of(need): self._supplies[need](state, rows, round) for need in needs if need in self._supplies}
        if "layers" in needs and "source" in more:
            more["source"] = self._with_layers(more["source"])
        return PoolView(
            probs=torch.from_numpy(self._probs(state, rows)),
            embeddings=torch.from_numpy(embeddings[rows]),
            # Rows are in the order of sample ids (data.collection), so a row's rank is its position.
            id_ranks=torch.arange(len(rows)),
            labelled_embeddings=torch.from_numpy(embeddings[labelled]),
            n_labelled=len(labelled),
            **more,
        )

    def _labelled_rows(self, state: State, needs: tuple[Need, ...]) -> RowArray:
        """Images that are known: for strategies that read no classes, those that are none of these too."""
        classes_are_read = bool({"labelled_targets", "labelled_probs"} & set(needs))
        known = self.training_rows(state)
        return known if classes_are_read else np.union1d(known, self.outlier_rows(state))

    def training_rows(self, state: State) -> RowArray:
        """Rows with a class by a person outside the audit, ascending."""
        return np.sort(self.pool.rows(classed(state, outside_audit(state))))

    def outlier_rows(self, state: State) -> RowArray:
        """Rows that a person found to be none of the classes, outside the audit, ascending."""
        return np.sort(self.pool.rows(none_of_these(state, outside_audit(state))))

    def targets(self, state: State, rows: RowArray) -> RowArray:
        """Class of each row by its human label."""
        several, ids = self.labels_of_several(state), self.pool.ids(rows)
        targets = targets_of(state, ids)
        # The state's classes, not those of the settings that these views were made with: pages keep theirs for long.
        index = {name: target for target, name in enumerate(state.settings.classes)}
        for place, sample_id in enumerate(ids):
            if sample_id in several:
                targets[place] = index.get(several[sample_id], -1)
        return targets

    def labels_of_several(self, state: State) -> dict[str, str]:
        """What people's answers come to outside the audit, once any image has several; empty before."""
        if not state.opinions:
            return {}
        if self._consensus is None or self._consensus[0] != state.seq:
            self._consensus = state.seq, labels_to_train_on(state)
        return self._consensus[1]

    def _probs(self, state: State, rows: RowArray) -> NDArray[np.float32]:
        if state.probs_ref is None:
            n_classes = len(self.config.classes)
            return np.full((len(rows), n_classes), 1 / n_classes, dtype=np.float32)
        probs: NDArray[np.float32] = self.space.arrays.get(state.probs_ref)[rows]
        return probs

    def _embeddings(self, state: State) -> NDArray[np.float32]:
        if state.embeddings_ref is not None:
            return self.space.arrays.get(state.embeddings_ref)
        return self.space.engine.initial_embeddings()

    def _labelled_targets(self, state: State, _rows: RowArray, _round: int) -> Tensor:
        return torch.from_numpy(self.targets(state, self.training_rows(state)))

    def _labelled_probs(self, state: State, _rows: RowArray, _round: int) -> Tensor:
        return torch.from_numpy(self._probs(state, self.training_rows(state)))

    def _passes(self, state: State, rows: RowArray, round: int) -> Tensor:
        if self.config.passes == "ensemble":
            return self._committee(state, rows, round)
        model, rng = _fitted(state), generator(self.config.seed, round, "dropout")
        features, head = self.space.engine.last_layer(model)
        heads = with_dropout(head, self.config.n_passes, self.config.dropout, rng)
        return torch.from_numpy(opinions(heads, features[rows], model.temperature))

    def _committee(self, state: State, rows: RowArray, round: int) -> Tensor:
        model, rng = _fitted(state), generator(self.config.seed, round, "committee")
        features, head = self.space.engine.last_layer(model)
        labelled = self.training_rows(state)
        targets = self.targets(state, labelled)
        heads = bootstrapped(features[labelled], targets, head, self.config.n_passes, rng)
        return torch.from_numpy(opinions(heads, features[rows], model.temperature))

    def _source(self, state: State, _rows: RowArray, _round: int) -> SourceView | None:
        source = self.space.source
        if source is None:
            return None
        embeddings = self.space.engine.embeddings_of(state.model, source.pixels, _name("source", source))
        return SourceView(torch.from_numpy(embeddings), self._source_targets(source))

    def _shared_source(self, state: State, rows: RowArray, round: int) -> SourceView | None:
        # Again, since the strategy may have been changed under way.
        self.space.check_shared_source()
        return self._source(state, rows, round)

    def _with_layers(self, seen: SourceView) -> SourceView:
        source = self.space.source
        layers = self.space.engine.layers(source.pixels, _name("source", source)) if source else []
        return replace(seen, layers=tuple(torch.from_numpy(layer) for layer in layers))

    def _source_targets(self, source: Collection) -> Tensor:
        labels = [class_named(self.config, str(sample.label)) for sample in source.samples]
        shared = set(labels) <= self._class_index.keys()
        index = self._class_index if shared else {name: place for place, name in enumerate(sorted(set(labels)))}
        return torch.tensor([index[label] for label in labels])

    def _target(self, state: State, _rows: RowArray, _round: int) -> Tensor | None:
        target = self.space.target
        if target is None:
            return None
        embeddings = self.space.engine.embeddings_of(state.model, target.pixels, _name("target", target))
        return torch.from_numpy(embeddings)

    def _layers(self, _state: State, rows: RowArray, _round: int) -> tuple[Tensor, ...]:
        return tuple(torch.from_numpy(layer[rows]) for layer in self.space.engine.layers())


def _name(role: str, collection: Collection) -> str:
    """Name of its frozen features: of these very images, since nothing else would notice that they have changed."""
    ids = "".join(sample.sample_id for sample in collection.samples)
    return f"{role} {hashlib.blake2b(ids.encode(), digest_size=16).hexdigest()}"


def _fitted(state: State) -> FittedModel:
    if state.model is None:
        raise ValueError("Passes need a fitted model: call fit first")
    return state.model
