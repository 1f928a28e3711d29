"""Fit and predict in this process: the whole of distributed computing that most projects need."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from budgetal.config import Config
from budgetal.engine.comparison import Standard
from budgetal.engine.cotraining import head_of
from budgetal.engine.features import normalised
from budgetal.engine.finetuning import linear_head, may_mirror
from budgetal.engine.fitting import Fitting
from budgetal.engine.networks import ON_FROZEN, POOL, Networks
from budgetal.engine.saved import ModelCard, write_model
from budgetal.engine.saved_outliers import OutlierHead
from budgetal.models.backbones import check_input_size
from budgetal.models.calibration import softmax
from budgetal.models.layers import depths
from budgetal.models.predict import OnProgress, embed
from budgetal.store.arrays import ArrayStore
from budgetal.training.adaptation import Source
from budgetal.training.columns import Columns
from budgetal.training.head import Floats, Head
from budgetal.types import EpochRecord, FittedModel, PixelSource, Prediction, TrainingSet


class LocalEngine:
    """Trains and runs the project's network on the processor of this machine.

    `pixels` is the whole pool, by row; `work` holds checkpoints and the index of cached features;
    `on_progress(doing, done, total)` hears how many images were seen by the network as it came (embedding) or as it
    was trained (scoring); `source`: labelled images of another collection, for domain adaptation.
    `mirror`: whether mirror images keep their class; None: as the names of the classes say.
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
        mirror: bool | None = None,
    ) -> None:
        check_input_size(config.backbone, side)
        self.config = config
        self.pixels = pixels
        self.side = side
        self.networks = Networks(
            config, pixels, n_classes, side, arrays, work, on_progress, may_mirror(config) if mirror is None else mirror
        )
        self.fitting = Fitting(self.networks, source)
        work.mkdir(parents=True, exist_ok=True)

    def prepare(self, *, needs_layers: bool = False) -> None:
        """Build the network. Raises WeightsError when its weights cannot be had, ConfigError when it lacks layers."""
        network = self.networks.pretrained
        if needs_layers:
            depths(network, self.side)

    def features(self, on_progress: OnProgress | None = None) -> str:
        """Ref of the pool's features (n, d) from the pre-trained backbone, computed once."""
        return self.networks.frozen.ref(self.pixels, POOL, on_progress)

    def frozen_features(self) -> Floats:
        """The pool's features (n, d) from the pre-trained backbone."""
        return self.networks.frozen_features()

    def initial_embeddings(self) -> NDArray[np.float32]:
        """L2-normalised features (n, d) of the pool before anything was learnt from its labels."""
        return normalised(self.frozen_features())

    @property
    def standard(self) -> Standard:
        """What every head on the frozen features shares."""
        return Standard(*self.networks.standardisation, self.networks.n_classes)

    def cached_refs(self) -> set[str]:
        """Refs of frozen features, which every round reads."""
        return self.networks.frozen.cache.refs()

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
        return self.fitting.fit(training_set, round, on_epoch, start)

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
        networks = self.networks
        if model.extra["finetune"] in ON_FROZEN:
            networks.check_backbone(model)
            features = self.frozen_features() if pixels is None else networks.frozen.features(pixels, features_ref)
            if model.extra["finetune"] == "cotrain":
                return networks.joined_features(model, features, pixels), head_of(networks.tensors_of(model))
            return features, networks.head_of(model)
        classifier = networks.trained(model)
        images = self.pixels if pixels is None else pixels
        features = embed(
            classifier, images, side=self.side, on_progress=networks.on_scored, views=networks.trained_views
        )
        return features, linear_head(classifier)

    def embeddings_of(self, model: FittedModel | None, pixels: PixelSource, name: str) -> NDArray[np.float32]:
        """L2-normalised embeddings (n, d) of other images, as those of the pool; frozen ones are kept by `name`."""
        if model is None or model.extra["finetune"] == "head":
            return normalised(self.networks.frozen.features(pixels, name))
        return self.predict(model, pixels, name).embeddings

    def layers(self, pixels: PixelSource | None = None, name: str = POOL) -> list[NDArray[np.float32]]:
        """Features of the pre-trained network at each of its resolutions, each row of length 1, computed once."""
        return self.networks.frozen.layers(self.pixels if pixels is None else pixels, name)

    def save_model(self, model: FittedModel, folder: Path, outliers: OutlierHead | None = None) -> None:
        """Write the model with its backbone, so that the folder alone can predict.

        outliers: on the frozen features; left out where the network was fine-tuned, which no longer has these.
        """
        classifier = self.networks.trained(model)
        is_frozen = model.extra["finetune"] in ON_FROZEN
        views = self.networks.views if is_frozen else self.networks.trained_views
        backbone = self.config.backbone
        if model.extra["finetune"] == "cotrain":
            backbone = self.networks.cotraining.joined_name(backbone)
        card = ModelCard(backbone, self.config.classes, self.side, model.temperature, classifier.normalisation, views)
        if outliers is not None:
            outliers = outliers.widened(classifier.width) if is_frozen else None
        write_model(classifier, card, folder, outliers)
