"""One fit: a last layer on frozen features, these with a student's, or the network itself."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from budgetal import seeding
from budgetal.config import Config
from budgetal.engine.finetuning import PixelSubset, finetune_calibrated, human_part
from budgetal.engine.head_round import default_l2, fit_calibrated_head
from budgetal.engine.networks import Networks
from budgetal.engine.terms import term_of
from budgetal.models.classifier import Classifier
from budgetal.models.predict import embed
from budgetal.training.adaptation import Source
from budgetal.training.checkpoint import Checkpoint, digest
from budgetal.training.columns import Columns
from budgetal.training.head import Head, fit_head, standardisation
from budgetal.training.start import starting_weights
from budgetal.types import EpochRecord, FittedModel, TrainingSet

OnEpoch = Callable[[EpochRecord], None]


@dataclass(frozen=True)
class Fitting:
    """The fits of one project. source: labelled images of another collection, for domain adaptation."""

    networks: Networks
    source: Source | None = None

    @property
    def config(self) -> Config:
        """The project's settings."""
        return self.networks.config

    def fit(self, training_set: TrainingSet, round: int, on_epoch: OnEpoch, start: FittedModel | None) -> FittedModel:
        """As LocalEngine.fit."""
        if not len(training_set.rows):
            raise ValueError("Cannot fit a model without any label")
        rng = seeding.generator(self.config.seed, round, "fit")
        too_few = self.config.finetune == "cotrain" and training_set.n_human < self.config.student_from
        if self.config.finetune == "head" or too_few:
            return self._fit_head(training_set, rng, on_epoch)
        is_joint = self.config.finetune == "cotrain"
        if is_joint and start is not None and start.extra["finetune"] != "cotrain":
            start = None
        hearing: dict[str, Any] = {"rng": rng, "on_epoch": on_epoch}
        fit = self._cotrain if is_joint else self._finetune
        return fit(training_set, start, checkpoint=self._checkpoint(training_set, round, start), **hearing)

    def _fit_head(self, training_set: TrainingSet, rng: np.random.Generator, on_epoch: OnEpoch) -> FittedModel:
        embeddings = self.networks.frozen_features()[training_set.rows]
        head, temperature, records = fit_calibrated_head(
            embeddings, training_set, *self.networks.standardisation, rng=rng, on_epoch=on_epoch
        )
        tensors = {name: torch.from_numpy(array) for name, array in vars(head).items()}
        return self.networks.stored(tensors, temperature, records, "head")

    def _cotrain(
        self, training_set: TrainingSet, start: FittedModel | None, *, checkpoint: Checkpoint, **hearing: Any
    ) -> FittedModel:
        networks = self.networks
        frozen = networks.frozen_features()
        before = Columns((frozen,)) if start is None else networks.joined_features(start, frozen, None)
        checkpoint.discard_if_damaged()
        started = None if start is None else networks.tensors_of(start)
        tensors, after, temperature, records = networks.cotraining.fit(
            training_set, networks.pixels, before, started, checkpoint=checkpoint, **hearing
        )
        model = networks.stored(tensors, temperature, records)
        networks.keep_seen(model, after)
        return model

    def _finetune(self, training_set: TrainingSet, start: FittedModel | None, **hearing: Any) -> FittedModel:
        networks, config = self.networks, self.config
        classifier = networks.to_train()
        goes_on = start is not None and config.start != "restart" and start.extra["finetune"] == config.finetune
        if start is not None and goes_on:
            state = starting_weights(config.start, classifier.state_dict(), networks.tensors_of(start))
            classifier.load_state_dict(state)
        if config.unlabelled != "pseudo_labels":
            # The network's own sure answers come in their place.
            training_set = human_part(training_set)
        temperature, records = finetune_calibrated(
            classifier,
            networks.pixels,
            training_set,
            config,
            networks.side,
            mirror=networks.mirror,
            term=term_of(config, networks.pixels, networks.side, self.source, mirror=networks.mirror),
            last_layer=partial(self.last_layer, classifier=classifier if goes_on else None),
            **hearing,
        )
        return networks.stored(dict(classifier.state_dict()), temperature, records)

    def last_layer(self, training_set: TrainingSet, classifier: Classifier | None = None) -> Head:
        """The layer that is best on the features of `classifier`; None: on the frozen ones."""
        networks = self.networks
        examples = training_set.targets, training_set.weights, networks.n_classes
        if classifier is None:
            features, standard = networks.frozen_features()[training_set.rows], networks.standardisation
        else:
            images = PixelSubset(networks.pixels, training_set.rows)
            features = embed(classifier, images, side=networks.side, views=networks.trained_views)
            standard = standardisation(features)
        mean, std = standard
        return fit_head(features, *examples, l2=default_l2(training_set.n_human), mean=mean, std=std)[0]

    def _checkpoint(self, training_set: TrainingSet, round: int, start: FittedModel | None) -> Checkpoint:
        """Of this fit and no other: its name is made of everything that decides the result."""
        arrays = {
            "rows": torch.from_numpy(training_set.rows),
            "targets": torch.from_numpy(training_set.targets),
            "weights": torch.from_numpy(training_set.weights),
        }
        began = start.weights_ref if start else ""
        key = digest(arrays, f"{round} {self.networks.frozen.digest} {began} {self.config.model_dump_json()}")
        return Checkpoint(self.networks.work / "fit.safetensors", key)
