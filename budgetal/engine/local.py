"""Fit and predict in this process: the whole of distributed computing that most projects need."""

import copy
from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from budgetal import seeding
from budgetal.config import Config, default_weights
from budgetal.engine.comparison import Standard
from budgetal.engine.cotraining import Cotraining, head_of
from budgetal.engine.features import FeatureCache, normalised
from budgetal.engine.finetuning import finetune_calibrated, human_part, linear_head, may_mirror, trained_views
from budgetal.engine.frozen import FrozenBackbone
from budgetal.engine.head_round import default_l2, fit_calibrated_head
from budgetal.engine.saved import ModelCard, write_model
from budgetal.engine.saved_outliers import OutlierHead
from budgetal.engine.terms import term_of
from budgetal.errors import WeightsError
from budgetal.models.backbones import build_classifier, check_input_size
from budgetal.models.calibration import softmax
from budgetal.models.classifier import Classifier
from budgetal.models.compute import default_device
from budgetal.models.layers import depths
from budgetal.models.predict import OnProgress, Views, embed
from budgetal.store.arrays import ArrayStore
from budgetal.training.adaptation import Source
from budgetal.training.checkpoint import Checkpoint, digest
from budgetal.training.columns import Columns
from budgetal.training.head import Floats, Head, fit_head, standardisation
from budgetal.training.start import starting_weights
from budgetal.types import EpochRecord, FittedModel, PixelSource, Prediction, TrainingSet

POOL = "pool"


class LocalEngine:
    """Trains and runs the project's network on the processor of this machine.

    `pixels` is the whole pool, by row; `work` holds checkpoints and the index of cached features;
    `on_progress(doing, done, total)` hears how many images were seen by the network as it came (embedding) or as it
    was trained (scoring); `source`: labelled images of another collection, for domain adaptation.
    """

    def __init__(
        self,
        config: Config,
        pixels: PixelSource,
        n_classes: int,
        side: int,
        arrays: ArrayStore,
        work: Path,
        on_progress: Callable[[str, int, int], None] = lambda _doing, _done, _total: None,
        source: Source | None = None,
    ) -> None:
        check_input_size(config.backbone, side)
        self.config = config
        self.pixels = pixels
        self.n_classes = n_classes
        self.side = side
        self.arrays = arrays
        self.work = work
        self._on_embedded: OnProgress = partial(on_progress, "embedding images")
        self._on_scored: OnProgress = partial(on_progress, "scoring images")
        self.source = source
        self._seen: tuple[str, Columns] | None = None
        work.mkdir(parents=True, exist_ok=True)

    def prepare(self, *, needs_layers: bool = False) -> None:
        """Build the network. Raises WeightsError when its weights cannot be had, ConfigError when it lacks layers."""
        network = self._pretrained
        if needs_layers:
            depths(network, self.side)

    def features(self, on_progress: OnProgress | None = None) -> str:
        """Ref of the pool's features (n, d) from the pre-trained backbone, computed once."""
        return self._frozen.ref(self.pixels, POOL, on_progress)

    def frozen_features(self) -> Floats:
        """The pool's features (n, d) from the pre-trained backbone."""
        return self._frozen.features(self.pixels, POOL)

    def initial_embeddings(self) -> NDArray[np.float32]:
        """L2-normalised features (n, d) of the pool before anything was learnt from its labels."""
        return normalised(self.frozen_features())

    @property
    def standard(self) -> Standard:
        """What every head on the frozen features shares."""
        return Standard(*self._pool_standardisation, self.n_classes)

    def cached_refs(self) -> set[str]:
        """Refs of frozen features, which every round reads."""
        return self._frozen.cache.refs()

    def fit(
        self,
        training_set: TrainingSet,
        round: int,
        on_epoch: Callable[[EpochRecord], None],
        start: FittedModel | None = None,
    ) -> FittedModel:
        """Train on `training_set` from the weights that the setting `start` says. A fit that was killed goes on.

        start: the last round's model, from whose student co-training goes on in any case. Raises ValueError for an
        empty training set.
        """
        if not len(training_set.rows):
            raise ValueError("Cannot fit a model without any label")
        rng = seeding.generator(self.config.seed, round, "fit")
        too_few = self.config.finetune == "cotrain" and training_set.n_human < self.config.student_from
        if self.config.finetune == "head" or too_few:
            return self._fit_head(training_set, rng, on_epoch)
        if self.config.finetune == "cotrain":
            start = start if start and start.extra["finetune"] == "cotrain" else None
            return self._cotrain(training_set, round, rng, on_epoch, start)
        return self._finetune(training_set, round, rng, on_epoch, start)

    def predict(
        self, model: FittedModel, pixels: PixelSource | None = None, features_ref: str | None = None
    ) -> Prediction:
        """Probabilities and embeddings of the pool, or of other images.

        `features_ref`: a name of the caller's for other images, such as `test`, under which their frozen
        features are kept; without one they are computed each time.
        """
        features, head = self.last_layer(model, pixels, features_ref)
        # Of joined features the student's: they are of this collection, and the smaller part.
        seen = features.parts[-1] if isinstance(features, Columns) else features
        return Prediction(softmax(head.logits(features), model.temperature), normalised(seen))

    def last_layer(
        self, model: FittedModel, pixels: PixelSource | None = None, features_ref: str | None = None
    ) -> tuple[Floats | Columns, Head]:
        """The last layer's inputs (n, d) for the pool, or for other images as in `predict`, and the layer itself.

        A fine-tuned network is run over the images; of a frozen one the features are kept.
        """
        if model.extra["finetune"] in ("head", "cotrain"):
            self._check_backbone(model)
            features = self.frozen_features() if pixels is None else self._frozen.features(pixels, features_ref)
            if model.extra["finetune"] == "cotrain":
                return self._joined_features(model, features, pixels), head_of(self._tensors_of(model))
            return features, Head(**self._arrays_of(model))
        classifier = self._trained(model)
        images = self.pixels if pixels is None else pixels
        features = embed(
            classifier, images, side=self.side, on_progress=self._on_scored, views=trained_views(self.config)
        )
        return features, linear_head(classifier)

    def embeddings_of(self, model: FittedModel | None, pixels: PixelSource, name: str) -> NDArray[np.float32]:
        """L2-normalised embeddings (n, d) of other images, as those of the pool; frozen ones are kept by `name`."""
        if model is None or model.extra["finetune"] == "head":
            return normalised(self._frozen.features(pixels, name))
        return self.predict(model, pixels, name).embeddings

    def layers(self, pixels: PixelSource | None = None, name: str = POOL) -> list[NDArray[np.float32]]:
        """Features of the pre-trained network at each of its resolutions, each row of length 1, computed once."""
        return self._frozen.layers(self.pixels if pixels is None else pixels, name)

    def save_model(self, model: FittedModel, folder: Path, outliers: OutlierHead | None = None) -> None:
        """Write the model with its backbone, so that the folder alone can predict.

        outliers: on the frozen features; left out where the network was fine-tuned, which no longer has these.
        """
        classifier = self._trained(model)
        views = self._views if model.extra["finetune"] in ("head", "cotrain") else trained_views(self.config)
        backbone = self.config.backbone
        if model.extra["finetune"] == "cotrain":
            backbone = self._cotraining.joined_name(backbone)
        card = ModelCard(backbone, self.config.classes, self.side, model.temperature, classifier.normalisation, views)
        if outliers is not None:
            is_frozen = model.extra["finetune"] in ("head", "cotrain")
            outliers = outliers.widened(classifier.width) if is_frozen else None
        write_model(classifier, card, folder, outliers)

    # -- frozen backbone -----------------------------------------------------------------------

    @cached_property
    def _frozen(self) -> FrozenBackbone:
        cache = FeatureCache(self.arrays, self.work / "features.json")
        return FrozenBackbone(self._pretrained, self.side, self._views, cache, self._on_embedded)

    @cached_property
    def _pool_standardisation(self) -> tuple[Floats, Floats]:
        # Of the whole pool, so that it says nothing about which images are in the audit.
        return standardisation(self.frozen_features())

    @property
    def _views(self) -> Views:
        # Averaging with the mirror image was worth 0.8 to 1.4 points on CIFAR-10 and cost 0.9 on MNIST.
        return 2 if may_mirror(self.config) else 1

    def _fit_head(
        self, training_set: TrainingSet, rng: np.random.Generator, on_epoch: Callable[[EpochRecord], None]
    ) -> FittedModel:
        embeddings = self.frozen_features()[training_set.rows]
        head, temperature, records = fit_calibrated_head(
            embeddings, training_set, *self._pool_standardisation, rng=rng, on_epoch=on_epoch
        )
        tensors = {name: torch.from_numpy(array) for name, array in vars(head).items()}
        return self._fitted(tensors, temperature, records, "head")

    # -- frozen backbone and a trained student ---------------------------------------------------

    @cached_property
    def _cotraining(self) -> Cotraining:
        config = self.config
        settings = config.student, default_weights(config.student), config.student_epochs, self.n_classes, self.side
        mirror = may_mirror(config)
        return Cotraining(*settings, self._views, mirror, config.seed, self._on_scored, config.unlabelled)

    def _cotrain(
        self,
        training_set: TrainingSet,
        round: int,
        rng: np.random.Generator,
        on_epoch: Callable[[EpochRecord], None],
        start: FittedModel | None,
    ) -> FittedModel:
        frozen = self.frozen_features()
        before = Columns((frozen,)) if start is None else self._joined_features(start, frozen, None)
        checkpoint = Checkpoint(self.work / "fit.safetensors", self._fit_key(training_set, round, start))
        checkpoint.discard_if_damaged()
        started = None if start is None else self._tensors_of(start)
        tensors, after, temperature, records = self._cotraining.fit(
            training_set, self.pixels, before, started, rng=rng, on_epoch=on_epoch, checkpoint=checkpoint
        )
        model = self._fitted(tensors, temperature, records)
        self._seen = model.weights_ref, after
        return model

    def _joined_features(self, model: FittedModel, frozen: Floats, pixels: PixelSource | None) -> Columns:
        """Frozen features (n, d) and those of the model's student; of the pool they are kept for the newest model."""
        if pixels is None and self._seen is not None and self._seen[0] == model.weights_ref:
            return self._seen[1]
        student = self._cotraining.student(self._tensors_of(model))
        joined = self._cotraining.features(frozen, student, self.pixels if pixels is None else pixels)
        if pixels is None:
            self._seen = model.weights_ref, joined
        return joined

    # -- fine-tuned backbone -------------------------------------------------------------------

    def _finetune(
        self,
        training_set: TrainingSet,
        round: int,
        rng: np.random.Generator,
        on_epoch: Callable[[EpochRecord], None],
        start: FittedModel | None,
    ) -> FittedModel:
        checkpoint = Checkpoint(self.work / "fit.safetensors", self._fit_key(training_set, round, start))
        classifier = copy.deepcopy(self._pretrained)
        goes_on = (
            start is not None and self.config.start != "restart" and start.extra["finetune"] == self.config.finetune
        )
        if start is not None and goes_on:
            state = starting_weights(self.config.start, classifier.state_dict(), self._tensors_of(start))
            classifier.load_state_dict(state)
        if self.config.unlabelled != "pseudo_labels":
            # The network's own sure answers come in their place.
            training_set = human_part(training_set)
        temperature, records = finetune_calibrated(
            classifier,
            self.pixels,
            training_set,
            self.config,
            self.side,
            rng=rng,
            on_epoch=on_epoch,
            checkpoint=checkpoint,
            term=term_of(self.config, self.pixels, self.side, self.source),
            last_layer=None if goes_on else self._last_layer,
        )
        return self._fitted(dict(classifier.state_dict()), temperature, records)

    def _last_layer(self, training_set: TrainingSet) -> Head:
        """The layer that is best on the frozen features."""
        features, l2 = self.frozen_features()[training_set.rows], default_l2(training_set.n_human)
        examples = training_set.targets, training_set.weights, self.n_classes
        mean, std = self._pool_standardisation
        return fit_head(features, *examples, l2=l2, mean=mean, std=std)[0]

    def _fit_key(self, training_set: TrainingSet, round: int, start: FittedModel | None = None) -> str:
        """Name of one fit: everything that decides its result."""
        arrays = {
            "rows": torch.from_numpy(training_set.rows),
            "targets": torch.from_numpy(training_set.targets),
            "weights": torch.from_numpy(training_set.weights),
        }
        began = start.weights_ref if start else ""
        return digest(arrays, f"{round} {self._frozen.digest} {began} {self.config.model_dump_json()}")

    # -- models --------------------------------------------------------------------------------

    @cached_property
    def _pretrained(self) -> Classifier:
        """The network that every round starts from: what is random in it comes from the seed alone."""
        rng = seeding.generator(self.config.seed, 0, "network")
        built = build_classifier(self.config.backbone, self.config.weights, self.n_classes, rng, self.side)
        return built.to(default_device())

    def _check_backbone(self, model: FittedModel) -> None:
        if model.extra["backbone"] != self._frozen.digest:
            raise WeightsError(
                f"Weights {self.config.weights!r} of {self.config.backbone!r} are no longer those that the model "
                "was fitted with: put them back, or fit again"
            )

    def _fitted(
        self,
        tensors: dict[str, torch.Tensor],
        temperature: float,
        records: tuple[EpochRecord, ...],
        finetune: str | None = None,
    ) -> FittedModel:
        ref = self.arrays.put_tensors(tensors, "model")
        extra = {"finetune": finetune or self.config.finetune, "backbone": self._frozen.digest}
        return FittedModel(ref, temperature, records[-1].train_loss, records, extra)

    def _tensors_of(self, model: FittedModel) -> dict[str, torch.Tensor]:
        return dict(self.arrays.get_tensors(model.weights_ref))

    def _arrays_of(self, model: FittedModel) -> dict[str, Floats]:
        return {name: tensor.numpy() for name, tensor in self._tensors_of(model).items()}

    def _trained(self, model: FittedModel) -> Classifier:
        classifier = copy.deepcopy(self._pretrained)
        if model.extra["finetune"] in ("last_block", "full"):
            classifier.load_state_dict(self._tensors_of(model))
            return classifier
        self._check_backbone(model)
        if model.extra["finetune"] == "cotrain":
            return self._cotraining.joined(classifier, self._tensors_of(model))
        weight, bias = Head(**self._arrays_of(model)).folded()
        state = {"weight": torch.from_numpy(weight), "bias": torch.from_numpy(bias)}
        classifier.head.load_state_dict(state)
        return classifier
