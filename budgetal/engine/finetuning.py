"""Fine-tuning with a few human labels held out, which set the temperature."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from budgetal.config import Config
from budgetal.models.calibration import fit_temperature
from budgetal.models.classifier import Classifier
from budgetal.models.predict import Views, embed
from budgetal.training.checkpoint import Checkpoint
from budgetal.training.head import Floats, Head
from budgetal.training.loop import Term, finetune
from budgetal.training.recipe import Recipe, recipe_of
from budgetal.types import EpochRecord, PixelSource, RowArray, TrainingSet

FEWEST_TO_CALIBRATE = 200
HELD_OUT_SHARE = 0.1
MOST_HELD_OUT = 500


@dataclass(frozen=True)
class PixelSubset:
    """Some rows of a pixel source, as a source of their own."""

    pixels: PixelSource
    rows: RowArray

    def __len__(self) -> int:
        return len(self.rows)

    def read(self, rows: RowArray) -> NDArray[np.uint8]:
        """Images at positions `rows` of the subset."""
        return self.pixels.read(self.rows[rows])


def finetune_calibrated(
    classifier: Classifier,
    pixels: PixelSource,
    training_set: TrainingSet,
    config: Config,
    side: int,
    *,
    rng: np.random.Generator,
    on_epoch: Callable[[EpochRecord], None],
    checkpoint: Checkpoint,
    mirror: bool,
    term: Term | None = None,
    last_layer: Callable[[TrainingSet], Head],
) -> tuple[float, tuple[EpochRecord, ...]]:
    """Train `classifier` in place; return its temperature and epochs.

    A tenth of the human labels, at most 500, is held out for the temperature; of fewer than 200 labels
    none is, and the temperature is 1. mirror: whether mirror images keep their class. term: a loss of further images.
    last_layer: fits the layer that a recipe may begin with.
    """
    if config.finetune not in ("last_block", "full"):
        raise ValueError(f"finetune = {config.finetune!r} leaves the backbone as it is")
    held_out = hold_out(training_set.n_human, rng)
    checkpoint.discard_if_damaged()
    recipe, trained = recipe_for(config), _without(training_set, held_out)
    if recipe.fitted_head:
        put_last_layer(classifier, last_layer(trained))
    records = finetune(
        classifier,
        pixels,
        trained,
        side=side,
        finetune=config.finetune,
        recipe=recipe,
        rng=rng,
        on_epoch=on_epoch,
        checkpoint=checkpoint,
        flip=mirror,
        term=term,
    )
    return _temperature(classifier, pixels, training_set, held_out, side, trained_views(config, mirror=mirror)), records


def hold_out(n_human: int, rng: np.random.Generator) -> RowArray:
    """Positions among `n_human` labels to keep out of training, ascending."""
    wanted = 0 if n_human < FEWEST_TO_CALIBRATE else min(MOST_HELD_OUT, round(HELD_OUT_SHARE * n_human))
    return np.sort(rng.permutation(n_human)[:wanted])


def may_mirror(config: Config) -> bool:
    """Whether a mirror image keeps its class: not so for digits and letters, classes of one character.

    A digit that is called otherwise now still is one: the images stay, and so does what was computed from them.
    """
    characters = {name for name in config.classes if len(name) == 1}
    characters |= {now for former, now in config.renamed_classes.items() if len(former) == 1}
    return any(name not in characters for name in config.classes)


def recipe_for(config: Config) -> Recipe:
    """The recipe of the settings. A network without weights has nothing to begin from, nor statistics to keep."""
    recipe = recipe_of(config.preset, config.epochs, config.learning_rate, config.train_batch)
    if config.weights == "none":
        return replace(recipe, fitted_head=False, frozen_statistics=False, first_layer=1.0)
    return recipe


def put_last_layer(classifier: Classifier, head: Head) -> None:
    """Make `head` the last layer of `classifier`."""
    weight, bias = (torch.from_numpy(part) for part in head.folded())
    classifier.head.load_state_dict({"weight": weight, "bias": bias})


def trained_views(config: Config, *, mirror: bool) -> Views:
    """Whether a fine-tuned network predicts with mirror images too, as a frozen one does; the paper does not."""
    return 2 if config.preset == "small" and mirror else 1


def linear_head(classifier: Classifier) -> Head:
    """The last layer as a Head that standardises nothing, so that logits are computed in one way."""
    weight = classifier.head.weight.detach().cpu().numpy()
    bias = classifier.head.bias.detach().cpu().numpy()
    width = classifier.width
    return Head(weight, bias, np.zeros(width, np.float32), np.ones(width, np.float32))


def human_part(training_set: TrainingSet) -> TrainingSet:
    """Without automatic labels."""
    n = training_set.n_human
    parts = {name: getattr(training_set, name)[:n] for name in ("rows", "targets", "weights")}
    return replace(training_set, **parts)


def _without(training_set: TrainingSet, held_out: RowArray) -> TrainingSet:
    kept = np.delete(np.arange(len(training_set.rows)), held_out)
    return replace(
        training_set,
        rows=training_set.rows[kept],
        targets=training_set.targets[kept],
        weights=training_set.weights[kept],
        n_human=training_set.n_human - len(held_out),
    )


def _temperature(
    classifier: Classifier, pixels: PixelSource, training_set: TrainingSet, held_out: RowArray, side: int, views: Views
) -> float:
    if not len(held_out):
        return 1.0
    features: Floats = embed(classifier, PixelSubset(pixels, training_set.rows[held_out]), side=side, views=views)
    return fit_temperature(linear_head(classifier).logits(features), training_set.targets[held_out])
