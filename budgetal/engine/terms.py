"""What a fine-tuning learns from beside the training set, by the settings."""

from budgetal.config import Config
from budgetal.training.adaptation import AdaptationTerm, Source
from budgetal.training.consistency import consistency_term
from budgetal.training.loop import Term
from budgetal.types import PixelSource


def term_of(config: Config, pixels: PixelSource, side: int, source: Source | None, *, mirror: bool) -> Term | None:
    """The loss of images without labels, or of a source's; None: labels alone teach.

    pixels: the whole pool's; mirror: whether mirror images keep their class.
    """
    if config.unlabelled in ("fixmatch", "flexmatch"):
        flexible, n_classes = config.unlabelled == "flexmatch", len(config.classes)
        return consistency_term(pixels, side, mirror=mirror, n_classes=n_classes, flexible=flexible)
    if config.adaptation == "none" or source is None:
        return None
    return AdaptationTerm(source, pixels, side, mirror, config.adaptation)
