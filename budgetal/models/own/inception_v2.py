"""Inception v2, "BN-Inception" (Ioffe & Szegedy, "Batch Normalization", ICML 2015, Figure 5).

GoogLeNet with batch normalisation after every convolution, and two 3x3 convolutions where GoogLeNet has a 5x5 one.
"""

from typing import Literal

import torch
from torch import Tensor, nn

WIDTH = 1024
MIN_SIZE = 1


class InceptionV2(nn.Module):
    """A stem at 1/8 of the side, then ten Inception modules at 1/8, 1/16 and 1/32; global average."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            *(_convolution(3, 64, 7, 2), nn.MaxPool2d(3, 2, padding=1)),
            *(_convolution(64, 64, 1), _convolution(64, 192, 3), nn.MaxPool2d(3, 2, padding=1)),
        )
        # Widths of the branches, as in the columns of Figure 5; each module's input is the sum of the one before.
        self.stage3 = nn.Sequential(
            _Module(192, 64, (64, 64), (64, 96), 32),
            _Module(256, 64, (64, 96), (64, 96), 64),
            _Reduction(320, (128, 160), (64, 96)),
        )
        self.stage4 = nn.Sequential(
            _Module(576, 224, (64, 96), (96, 128), 128),
            _Module(576, 192, (96, 128), (96, 128), 128),
            _Module(576, 160, (128, 160), (128, 160), 96),
            _Module(576, 96, (128, 192), (160, 192), 96),
            _Reduction(576, (128, 192), (192, 256)),
        )
        self.stage5 = nn.Sequential(
            _Module(1024, 352, (192, 320), (160, 224), 128),
            _Module(1024, 352, (192, 320), (192, 224), 128, pool="max"),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Normalised images (n, 3, h, w) to features (n, 1024), all >= 0."""
        maps: Tensor = self.stage5(self.stage4(self.stage3(self.stem(images))))
        return maps.mean(dim=(2, 3))


class _Module(nn.Module):
    """Four branches side by side: 1x1; reduced 3x3; reduced double 3x3; pooled and projected."""

    def __init__(
        self,
        n_in: int,
        single: int,
        once: tuple[int, int],
        twice: tuple[int, int],
        projected: int,
        pool: Literal["average", "max"] = "average",
    ) -> None:
        super().__init__()
        self.single = _convolution(n_in, single, 1)
        self.once = _reduced(n_in, once, n_convolutions=1)
        self.twice = _reduced(n_in, twice, n_convolutions=2)
        pooling = nn.AvgPool2d(3, 1, padding=1) if pool == "average" else nn.MaxPool2d(3, 1, padding=1)
        self.projected = nn.Sequential(pooling, _convolution(n_in, projected, 1))

    def forward(self, maps: Tensor) -> Tensor:
        """(n, n_in, h, w) to (n, sum of the branches' widths, h, w)."""
        return torch.cat([self.single(maps), self.once(maps), self.twice(maps), self.projected(maps)], dim=1)


class _Reduction(nn.Module):
    """Halves the side: strided 3x3, strided double 3x3, and the input's maximum passed through."""

    def __init__(self, n_in: int, once: tuple[int, int], twice: tuple[int, int]) -> None:
        super().__init__()
        self.once = _reduced(n_in, once, n_convolutions=1, stride=2)
        self.twice = _reduced(n_in, twice, n_convolutions=2, stride=2)
        self.pool = nn.MaxPool2d(3, 2, padding=1)

    def forward(self, maps: Tensor) -> Tensor:
        """(n, n_in, h, w) to (n, n_in + widths of both branches, h / 2, w / 2)."""
        return torch.cat([self.once(maps), self.twice(maps), self.pool(maps)], dim=1)


def _reduced(n_in: int, widths: tuple[int, int], *, n_convolutions: int, stride: int = 1) -> nn.Sequential:
    """A 1x1 convolution to widths[0], then 3x3 ones to widths[1], the last with the stride."""
    reduce, width = widths
    first = [_convolution(reduce, width, 3)] if n_convolutions == 2 else []
    n_last = width if first else reduce
    return nn.Sequential(_convolution(n_in, reduce, 1), *first, _convolution(n_last, width, 3, stride))


def _convolution(n_in: int, n_out: int, kernel: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(n_in, n_out, kernel, stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(n_out),
        nn.ReLU(inplace=True),
    )
