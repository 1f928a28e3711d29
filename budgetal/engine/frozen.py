"""The pre-trained network as it came: what it sees in images, computed once and kept by name."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from budgetal.engine.features import FeatureCache, normalised
from budgetal.models.classifier import Classifier
from budgetal.models.layers import depths, layer_features, split_by_depth
from budgetal.models.predict import OnProgress, Views, embed
from budgetal.training.checkpoint import digest
from budgetal.training.head import Floats
from budgetal.types import PixelSource


class FrozenBackbone:
    """Features of images by a `classifier` whose backbone is never trained.

    Names are the caller's: `pool`, `test`. `views`: 2 averages each image with its mirror image.
    """

    def __init__(
        self, classifier: Classifier, side: int, views: Views, cache: FeatureCache, on_progress: OnProgress | None
    ) -> None:
        self.classifier = classifier
        self.side = side
        self.views = views
        self.cache = cache
        self.on_progress = on_progress

    @cached_property
    def digest(self) -> str:
        """What the features depend on besides the images."""
        return digest(self.classifier.backbone.state_dict(), f"{self.side} {self.views}")[:32]

    def ref(self, pixels: PixelSource, name: str, on_progress: OnProgress | None = None) -> str:
        """Ref of the features (n, d) of the images called `name`."""

        def compute() -> NDArray[np.float32]:
            return self._embed(pixels, on_progress or self.on_progress)

        return self.cache.ref(f"{name} {self.digest}", len(pixels), compute)

    def features(self, pixels: PixelSource, name: str | None) -> Floats:
        """Features (n, d) of images; without a name they are computed each time."""
        if name is None:
            return self._embed(pixels, self.on_progress)
        return self._read(self.ref(pixels, name))

    def layers(self, pixels: PixelSource, name: str) -> list[NDArray[np.float32]]:
        """Features at each resolution of the network, first to last, each row of length 1."""
        found = depths(self.classifier, self.side)

        def compute() -> NDArray[np.float32]:
            return layer_features(self.classifier, pixels, found, side=self.side, on_progress=self.on_progress)

        ref = self.cache.ref(f"layers of {name} {self.digest}", len(pixels), compute)
        return [normalised(part) for part in split_by_depth(self._read(ref), found)]

    def _embed(self, pixels: PixelSource, on_progress: OnProgress | None) -> Floats:
        return embed(self.classifier, pixels, side=self.side, on_progress=on_progress, views=self.views)

    def _read(self, ref: str) -> Floats:
        features: Floats = self.cache.arrays.get(ref)
        return features
