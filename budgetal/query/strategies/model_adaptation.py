"""`model_adaptation`: what the network's features do not fit yet, then what the classifier does not know."""

import numpy as np
from torch import Tensor

from budgetal.measures import entropy
from budgetal.query.kernels import top_k
from budgetal.query.kernels.layer_patterns import class_centres, distinctiveness, mean_squared_spread
from budgetal.query.strategy import strategy
from budgetal.query.view import PoolView, Selection, SourceView

_LABELS_A_CLASS = 10  # at so many, both halves weigh the same


@strategy(
    "model_adaptation",
    needs=("probs", "layers", "source"),
    source="Huang, Zhao & Liu 2018",
    cost="O(N C (D + log² C) + S D), S source images of C classes, D numbers in all layers",
    cold_start=True,
)
def model_adaptation(pool: PoolView, n: int, rng: np.random.Generator) -> Selection:
    """Images that the layers transform unlike any source class, and more and more the uncertain ones.

    λ_t D + (1 - λ_t) H: D the distinctiveness of `kernels.layer_patterns`, H the entropy over its maximum,
    λ_t = 1 / (1 + labels a class / 10). Sheng-Jun Huang, Jia-Wei Zhao & Zhao-Yang Liu, "Cost-effective
    training of deep CNNs with active model adaptation", KDD 2018. There the classes that an image
    resembles are weighted by the source network's own output, which no view holds: here by nearness to
    the class centres in the last layer. Centres are class means in each layer.
    Raises ValueError where source and pool do not have the same layers, two at least.
    """
    layers, source = _same_layers(pool)
    centres = [class_centres(layer, source.targets) for layer in source.layers]
    spread = mean_squared_spread(source.layers[-1], source.targets, centres[-1])
    share = 1 / (1 + pool.n_labelled / (_LABELS_A_CLASS * pool.n_classes))
    uncertainty = entropy(pool.probs)
    scores = share * distinctiveness(layers, centres, spread) + (1 - share) * uncertainty
    rows = top_k(scores, n)
    return Selection(rows, scores[rows], uncertainty=uncertainty[rows], weights={"lambda": share})


def _same_layers(pool: PoolView) -> tuple[tuple[Tensor, ...], SourceView]:
    layers, source = pool.layers, pool.source
    widths = [layer.shape[1] for layer in layers or ()]
    theirs = [layer.shape[1] for layer in source.layers] if source else []
    if layers is None or source is None or len(widths) < 2 or widths != theirs:
        raise ValueError(
            f"model_adaptation compares at least two layers in pool and source, but their widths are {widths} and "
            f"{theirs}: give SourceView.layers the features of the source images at the pool's layers"
        )
    return layers, source
