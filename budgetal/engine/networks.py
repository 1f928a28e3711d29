"""A project's networks: the one that every round starts from, and those that were fitted, as they are stored."""

import copy
from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path

import torch
from torch import nn

from budgetal import seeding
from budgetal.config import Config, default_weights
from budgetal.engine.cotraining import Cotraining
from budgetal.engine.features import FeatureCache
from budgetal.engine.finetuning import trained_views
from budgetal.engine.frozen import FrozenBackbone
from budgetal.errors import WeightsError
from budgetal.models.backbones import build_classifier
from budgetal.models.classifier import Classifier
from budgetal.models.compute import default_device
from budgetal.models.joined import JoinedBackbone, weights_of
from budgetal.models.predict import OnProgress, Views
from budgetal.models.unfolding import unfold
from budgetal.store.arrays import ArrayStore
from budgetal.training.columns import Columns
from budgetal.training.head import Floats, Head, standardisation
from budgetal.types import EpochRecord, FittedModel, PixelSource

POOL = "pool"
ON_FROZEN = ("head", "cotrain")
"""Kinds of fit that leave the pre-trained network as it is."""

Tensors = dict[str, torch.Tensor]


class Networks:
    """Builds, stores and loads them. Arguments as of engine.local.LocalEngine."""

    def __init__(
        self,
        config: Config,
        pixels: PixelSource,
        n_classes: int,
        side: int,
        arrays: ArrayStore,
        work: Path,
        on_progress: Callable[[str, int, int], None],
        mirror: bool,
    ) -> None:
        self.config = config
        self.pixels = pixels
        self.n_classes = n_classes
        self.side = side
        self.arrays = arrays
        self.work = work
        self.mirror = mirror
        self.on_embedded: OnProgress = partial(on_progress, "embedding images")
        self.on_scored: OnProgress = partial(on_progress, "scoring images")
        self._seen: tuple[str, Columns] | None = None

    # -- as they came --------------------------------------------------------------------------

    @cached_property
    def pretrained(self) -> Classifier:
        """The network that every round starts from: what is random in it comes from the seed alone."""
        rng = seeding.generator(self.config.seed, 0, "network")
        built = build_classifier(self.config.backbone, self.config.weights, self.n_classes, rng, self.side)
        return built.to(default_device())

    def to_train(self) -> Classifier:
        """A copy of that network whose normalisation layers can be trained."""
        classifier = copy.deepcopy(self.pretrained)
        unfold(classifier, self._parts_with_weights(classifier), self.pixels, self.side)
        return classifier

    def _parts_with_weights(self, classifier: Classifier) -> list[nn.Module]:
        backbone, weights = classifier.backbone, self.config.weights
        if weights == "none":
            return []
        if not isinstance(backbone, JoinedBackbone):
            return [backbone]
        given = weights_of(weights, len(backbone.networks))
        return [part for part, own in zip(backbone.networks, given, strict=True) if own != "none"]

    @cached_property
    def frozen(self) -> FrozenBackbone:
        """What the pre-trained network sees in images."""
        cache = FeatureCache(self.arrays, self.work / "features.json")
        return FrozenBackbone(self.pretrained, self.side, self.views, cache, self.on_embedded)

    @property
    def views(self) -> Views:
        """Views of an image whose features are averaged."""
        # Averaging with the mirror image was worth 0.8 to 1.4 points on CIFAR-10 and cost 0.9 on MNIST.
        return 2 if self.mirror else 1

    @property
    def trained_views(self) -> Views:
        """Views of an image whose features are averaged where the network was fine-tuned."""
        return trained_views(self.config, mirror=self.mirror)

    def frozen_features(self) -> Floats:
        """The pool's features (n, d) from the pre-trained backbone."""
        return self.frozen.features(self.pixels, POOL)

    @cached_property
    def standardisation(self) -> tuple[Floats, Floats]:
        """Mean and deviation (d,) of the frozen features."""
        # Of the whole pool, so that it says nothing about which images are in the audit.
        return standardisation(self.frozen_features())

    # -- as they were fitted -------------------------------------------------------------------

    def stored(
        self, tensors: Tensors, temperature: float, records: tuple[EpochRecord, ...], finetune: str | None = None
    ) -> FittedModel:
        """A model with these tensors, now on disk. finetune: what was trained, where that is not the setting."""
        ref = self.arrays.put_tensors(tensors, "model")
        extra = {"finetune": finetune or self.config.finetune, "backbone": self.frozen.digest}
        return FittedModel(ref, temperature, records[-1].train_loss, records, extra)

    def tensors_of(self, model: FittedModel) -> Tensors:
        """What was stored of a model."""
        return dict(self.arrays.get_tensors(model.weights_ref))

    def head_of(self, model: FittedModel) -> Head:
        """The last layer of a model that is no more than that."""
        return Head(**{name: tensor.numpy() for name, tensor in self.tensors_of(model).items()})

    def trained(self, model: FittedModel) -> Classifier:
        """The whole network of a model. Raises WeightsError when its backbone's weights have changed since."""
        classifier = copy.deepcopy(self.pretrained)
        if model.extra["finetune"] not in ON_FROZEN:
            classifier.load_state_dict(self.tensors_of(model))
            return classifier
        self.check_backbone(model)
        if model.extra["finetune"] == "cotrain":
            return self.cotraining.joined(classifier, self.tensors_of(model))
        weight, bias = self.head_of(model).folded()
        classifier.head.load_state_dict({"weight": torch.from_numpy(weight), "bias": torch.from_numpy(bias)})
        return classifier

    def check_backbone(self, model: FittedModel) -> None:
        """Raise WeightsError where a model was fitted on features of other weights."""
        if model.extra["backbone"] != self.frozen.digest:
            raise WeightsError(
                f"Weights {self.config.weights!r} of {self.config.backbone!r} are no longer those that the model "
                "was fitted with: put them back, or fit again"
            )

    # -- a frozen backbone and a trained student -------------------------------------------------

    @cached_property
    def cotraining(self) -> Cotraining:
        """The settings of the student beside the frozen backbone."""
        config = self.config
        settings = config.student, default_weights(config.student), config.student_epochs, self.n_classes, self.side
        return Cotraining(*settings, self.views, self.mirror, config.seed, self.on_scored, config.unlabelled)

    def joined_features(self, model: FittedModel, frozen: Floats, pixels: PixelSource | None) -> Columns:
        """Frozen features (n, d) and those of the model's student; of the pool they are kept for the newest model."""
        if pixels is None and self._seen is not None and self._seen[0] == model.weights_ref:
            return self._seen[1]
        student = self.cotraining.student(self.tensors_of(model))
        joined = self.cotraining.features(frozen, student, self.pixels if pixels is None else pixels)
        if pixels is None:
            self.keep_seen(model, joined)
        return joined

    def keep_seen(self, model: FittedModel, joined: Columns) -> None:
        """Remember the pool's features by the newest model."""
        self._seen = model.weights_ref, joined
