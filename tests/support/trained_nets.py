"""Small networks to be trained on images of 1×8×8, with new weights each time that they are named."""

from torch import nn


def linear() -> nn.Sequential:
    """A linear classifier."""
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))


def normed() -> nn.Sequential:
    """With batch normalisation and dropout, which draws random numbers."""
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5), nn.Flatten(), nn.Linear(144, 10))
