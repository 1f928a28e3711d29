"""The embedded encoder: a small pre-trained network for small images, inside the package.

It is the default backbone because it needs no download. docs/encoder.md is its model card.
"""

from importlib import resources

import safetensors.torch
import torch
import torch.nn.functional as F
from torch import Tensor, nn

INPUT_SIZE = 32
MEAN = (0.5071, 0.4865, 0.4409)
STD = (0.2673, 0.2564, 0.2762)

STEM_WIDTH = 32
STAGE_WIDTHS = (64, 128, 240)
STAGE_BLOCKS = (1, 2, 1)
QUARTERS = 4
EMBEDDING_WIDTH = QUARTERS * STAGE_WIDTHS[1] + STAGE_WIDTHS[2]

WEIGHTS_FILE = "embedded_encoder.safetensors"


class EmbeddedEncoder(nn.Module):
    """A residual network of about 1.4 million parameters; it has no classifier.

    After He et al., CVPR 2016, with three stages at 16, 8 and 4 pixels a side. The embedding joins the
    mean of the last stage with the means of the middle one over each quarter of the image: the middle
    stage keeps strokes and texture that the last has traded for the pre-training classes, and in which
    quarter they lie tells a 6 from a 9. (Pre-trained before the quarters were added, on plain means; they
    took MNIST at 700 labels from 94 to 97 %.)
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = _convolution(3, STEM_WIDTH)
        self.stage1 = _stage(STEM_WIDTH, STAGE_WIDTHS[0], STAGE_BLOCKS[0])
        self.stage2 = _stage(STAGE_WIDTHS[0], STAGE_WIDTHS[1], STAGE_BLOCKS[1])
        self.stage3 = _stage(STAGE_WIDTHS[1], STAGE_WIDTHS[2], STAGE_BLOCKS[2])

    def forward(self, images: Tensor) -> Tensor:
        """Embed normalised images: float (n, 3, 32, 32) to float (n, EMBEDDING_WIDTH), all values >= 0."""
        middle = self.stage2(self.stage1(F.relu(self.stem(images))))
        last = self.stage3(middle)
        quarters = F.adaptive_avg_pool2d(middle, 2).flatten(1)
        return torch.cat([quarters, last.mean(dim=(2, 3))], dim=1)


class _ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut: ReLU(f(x) + shortcut(x))."""

    def __init__(self, n_in: int, n_out: int, stride: int) -> None:
        super().__init__()
        self.first = _convolution(n_in, n_out, stride=stride)
        self.second = _convolution(n_out, n_out)
        # Averaging before the 1x1 convolution keeps the pixels that a strided one would skip (He et al.,
        # "Bag of Tricks", CVPR 2019, ResNet-D).
        self.shortcut = (
            nn.Identity()
            if (n_in, stride) == (n_out, 1)
            else nn.Sequential(nn.AvgPool2d(stride), _convolution(n_in, n_out, kernel=1))
        )

    def forward(self, x: Tensor) -> Tensor:
        """Float (n, n_in, h, w) to float (n, n_out, h / stride, w / stride)."""
        return F.relu(self.second(F.relu(self.first(x))) + self.shortcut(x))


def _convolution(n_in: int, n_out: int, *, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(n_in, n_out, kernel, stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(n_out),
    )


def _stage(n_in: int, n_out: int, n_blocks: int) -> nn.Sequential:
    """Halve the resolution in the first block, keep it in the others."""
    rest = [_ResidualBlock(n_out, n_out, stride=1) for _ in range(n_blocks - 1)]
    return nn.Sequential(_ResidualBlock(n_in, n_out, stride=2), *rest)


def load_embedded_encoder() -> EmbeddedEncoder:
    """Return the pre-trained encoder in evaluation mode, float32, on the CPU.

    The file holds float16 values, which halves the package; loading is strict.
    """
    weights = resources.files("budgetal.models").joinpath("weights", WEIGHTS_FILE).read_bytes()
    encoder = EmbeddedEncoder()
    encoder.load_state_dict(safetensors.torch.load(weights), strict=True)
    return encoder.eval()
