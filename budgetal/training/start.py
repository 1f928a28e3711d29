"""From where a round's fine-tuning starts: the pre-trained weights, the last round's, or between the two."""

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

Start = Literal["restart", "warm", "shrink"]
# Ash & Adams (NeurIPS 2020) shrink by 0.2 to 0.8 and find little difference in between.
KEPT = 0.6


def starting_weights(start: Start, pretrained: Mapping[str, Tensor], last: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights to start from: `pretrained`, `last`, or θ₀ + 0.6 (θ_last − θ₀) of both.

    Shrink and perturb (Ash & Adams, NeurIPS 2020) forgets a part of what was fitted to the first labels, which a warm
    start never does. They shrink towards 0 and add noise; here θ₀ are the weights that every round could start from,
    random ones for a network without weights, so the noise is in them and what pre-training knew is not shrunk. A last
    layer of other classes than now starts anew.
    """
    if start == "restart":
        return dict(pretrained)
    kept = 1.0 if start == "warm" else KEPT
    return {name: _between(tensor, last[name], kept) for name, tensor in pretrained.items()}


def _between(first: Tensor, last: Tensor, kept: float) -> Tensor:
    if first.shape != last.shape:
        # The last layer, after classes were added or merged.
        return first
    # Counts of batches are whole numbers.
    return torch.lerp(first, last.to(first.device), kept) if first.is_floating_point() else last
