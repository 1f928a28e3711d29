"""ZFNet (Zeiler & Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014): AlexNet seen through.

Its first layer has 7x7 filters at stride 2 where AlexNet's has 11x11 at stride 4. Maps are averaged to 6 pixels a side
before the fully connected layers, as torchvision's AlexNet does, so that other sizes than 224 run.
"""

import torch
from torch import Tensor, nn

WIDTH = 4096
MIN_SIZE = 21
_POOLED_SIDE = 6


class ZFNet(nn.Module):
    """Five convolutions at 1/2, 1/8 and 1/16 of the side, then two fully connected layers with dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *(nn.Conv2d(3, 96, 7, 2, padding=1), nn.ReLU(inplace=True)),
            *(nn.MaxPool2d(3, 2, padding=1), nn.LocalResponseNorm(5)),
            *(nn.Conv2d(96, 256, 5, 2), nn.ReLU(inplace=True)),
            *(nn.MaxPool2d(3, 2, padding=1), nn.LocalResponseNorm(5)),
            *(nn.Conv2d(256, 384, 3, padding=1), nn.ReLU(inplace=True)),
            *(nn.Conv2d(384, 384, 3, padding=1), nn.ReLU(inplace=True)),
            *(nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(inplace=True)),
            nn.MaxPool2d(3, 2, padding=1),
        )
        self.pool = nn.AdaptiveAvgPool2d(_POOLED_SIDE)
        self.perceptron = nn.Sequential(
            *(nn.Linear(256 * _POOLED_SIDE**2, WIDTH), nn.ReLU(inplace=True), nn.Dropout(0.5)),
            *(nn.Linear(WIDTH, WIDTH), nn.ReLU(inplace=True), nn.Dropout(0.5)),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Normalised images (n, 3, h, w), h and w 21 or more, to features (n, 4096), all >= 0."""
        maps = self.pool(self.features(images))
        features: Tensor = self.perceptron(torch.flatten(maps, 1))
        return features
