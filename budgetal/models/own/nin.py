"""Network in Network for ImageNet (Lin, Chen & Yan, ICLR 2014): after each convolution a small perceptron, as 1x1 ones.

Widths and strides are those of the authors' published ImageNet model. There the last perceptron gives one map a class;
here the average of what it would read is the feature vector, and the new last layer is that 1x1 convolution.
"""

from torch import Tensor, nn

WIDTH = 1024
MIN_SIZE = 39


class NetworkInNetwork(nn.Module):
    """Four blocks at 1/4, 1/8, 1/16 and 1/32 of the side; global average; no fully connected layer."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.Sequential(
            _block(3, 96, kernel=11, stride=4, padding=0),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            _block(96, 256, kernel=5, stride=1, padding=2),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            _block(256, 384, kernel=3, stride=1, padding=1),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            nn.Dropout(0.5),
            _block(384, WIDTH, kernel=3, stride=1, padding=1, n_perceptron=1),
        )
        _initialise(self)

    def forward(self, images: Tensor) -> Tensor:
        """Normalised images (n, 3, h, w), h and w 39 or more, to features (n, 1024), all >= 0."""
        maps: Tensor = self.blocks(images)
        return maps.mean(dim=(2, 3))


def _block(n_in: int, n_out: int, *, kernel: int, stride: int, padding: int, n_perceptron: int = 2) -> nn.Sequential:
    """A convolution and `n_perceptron` layers of the perceptron that runs over its maps."""
    layers: list[nn.Module] = [nn.Conv2d(n_in, n_out, kernel, stride, padding), nn.ReLU(inplace=True)]
    for _ in range(n_perceptron):
        layers += [nn.Conv2d(n_out, n_out, 1), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


def _initialise(network: nn.Module) -> None:
    # Twelve layers of ReLU without normalisation: torch's default would let signals die out.
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.bias is not None:
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            nn.init.zeros_(module.bias)
