"""The encoder of ENet (Paszke, Chaurasia, Kim & Culurciello, 2016, arXiv:1606.02147): small and fast.

ENet segments scenes; its encoder, averaged over the image, gives the features. Stages 1 to 3 of the paper's Table 1.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTH = 128
MIN_SIZE = 8
_STEM = 16
# Of a bottleneck's inner width; the share of maps that its dropout leaves out, in stage 1 and later.
_REDUCTION = 4
_DROPOUT_FIRST, _DROPOUT = 0.01, 0.1


class ENetEncoder(nn.Module):
    """Maps at 1/2, 1/4 and 1/8 of the side, with 16, 64 and 128 channels; about 320,000 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _Stem()
        self.stage1 = nn.Sequential(
            _Downsampling(_STEM, 64, _DROPOUT_FIRST), *(_Bottleneck(64, dropout=_DROPOUT_FIRST) for _ in range(4))
        )
        self.stage2 = nn.Sequential(_Downsampling(64, WIDTH, _DROPOUT), *_varied())
        self.stage3 = nn.Sequential(*_varied())

    def forward(self, images: Tensor) -> Tensor:
        """Normalised images (n, 3, h, w), h and w 8 or more, to features (n, 128)."""
        maps: Tensor = self.stage3(self.stage2(self.stage1(self.stem(images))))
        return maps.mean(dim=(2, 3))


class _Stem(nn.Module):
    """Thirteen strided filters beside the pooled image."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, _STEM - 3, 3, 2, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(_STEM)
        self.activation = nn.PReLU(_STEM)

    def forward(self, images: Tensor) -> Tensor:
        """(n, 3, h, w) to (n, 16, h / 2, w / 2)."""
        joined = torch.cat([self.convolution(images), F.max_pool2d(images, 2, ceil_mode=True)], dim=1)
        activated: Tensor = self.activation(self.norm(joined))
        return activated


class _Bottleneck(nn.Module):
    """Reduce, convolve, expand, beside the input: regular, dilated, or asymmetric (k x 1 after 1 x k)."""

    def __init__(self, width: int, *, dropout: float, dilation: int = 1, asymmetric: int = 0) -> None:
        super().__init__()
        inner = width // _REDUCTION
        self.branch = nn.Sequential(
            *_normalised(nn.Conv2d(width, inner, 1, bias=False), inner),
            *_normalised(_middle(inner, dilation, asymmetric), inner),
            *(nn.Conv2d(inner, width, 1, bias=False), nn.BatchNorm2d(width), nn.Dropout2d(dropout)),
        )
        self.activation = nn.PReLU(width)

    def forward(self, maps: Tensor) -> Tensor:
        """(n, width, h, w) to the same shape."""
        activated: Tensor = self.activation(maps + self.branch(maps))
        return activated


class _Downsampling(nn.Module):
    """A bottleneck with stride 2 beside the pooled input, whose missing channels are 0."""

    def __init__(self, n_in: int, n_out: int, dropout: float) -> None:
        super().__init__()
        inner = n_in // _REDUCTION
        self.missing = n_out - n_in
        self.branch = nn.Sequential(
            *_normalised(nn.Conv2d(n_in, inner, 2, 2, bias=False), inner),
            *_normalised(nn.Conv2d(inner, inner, 3, padding=1), inner),
            *(nn.Conv2d(inner, n_out, 1, bias=False), nn.BatchNorm2d(n_out), nn.Dropout2d(dropout)),
        )
        self.activation = nn.PReLU(n_out)

    def forward(self, maps: Tensor) -> Tensor:
        """(n, n_in, h, w) to (n, n_out, h / 2, w / 2)."""
        pooled = F.pad(F.max_pool2d(maps, 2), (0, 0, 0, 0, 0, self.missing))
        activated: Tensor = self.activation(pooled + self.branch(maps))
        return activated


def _middle(width: int, dilation: int, asymmetric: int) -> nn.Module:
    if not asymmetric:
        return nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation)
    reach = asymmetric // 2
    return nn.Sequential(
        nn.Conv2d(width, width, (asymmetric, 1), padding=(reach, 0), bias=False),
        nn.Conv2d(width, width, (1, asymmetric), padding=(0, reach)),
    )


def _normalised(convolution: nn.Module, width: int) -> tuple[nn.Module, ...]:
    return convolution, nn.BatchNorm2d(width), nn.PReLU(width)


def _varied() -> list[nn.Module]:
    """Bottlenecks 1 to 8 of stages 2 and 3: regular and asymmetric ones between growing dilations."""
    kinds: tuple[dict[str, int], ...] = (
        *({}, {"dilation": 2}, {"asymmetric": 5}, {"dilation": 4}),
        *({}, {"dilation": 8}, {"asymmetric": 5}, {"dilation": 16}),
    )
    return [_Bottleneck(WIDTH, dropout=_DROPOUT, **kind) for kind in kinds]
