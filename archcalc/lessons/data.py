"""Small sets of labelled images to train on: scikit-learn's digits, synthetic patterns, or a folder of images."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from archcalc.lessons.folder import classes_of, read_folder
from archcalc.lessons.images import Images, split
from archcalc.values.errors import UsageError, unknown
from archcalc.values.trace import Shape

TEN = tuple("0123456789")
"""The classes of the digits and of the synthetic patterns."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """Images to train on and images that are held out, of the same classes.

    `mean` and `deviation` are those of the training images, a value a channel.
    """

    name: str
    classes: tuple[str, ...]
    train: Images
    test: Images
    mean: Tensor
    deviation: Tensor

    @property
    def image_shape(self) -> Shape:
        """Channels, height and width of a stored image."""
        return tuple(self.train.pixels.shape[1:])

    def inputs(self, images: Images, shape: Shape) -> Tensor:
        """The images as a float32 batch of B×C×H×W for a network whose image has the shape C×H×W.

        Each channel is brought to a mean of 0 and a deviation of 1 over the training images. Grey images are repeated
        for each channel of the network, channels are averaged for a network of one, and the size is changed by bilinear
        interpolation. Raises UsageError for a shape that is no image's, or channels that do not fit.
        """
        channels, size = _image(shape)
        batch = (images.pixels.float() - self.mean.view(-1, 1, 1)) / self.deviation.view(-1, 1, 1)
        if batch.shape[1] != channels:
            if channels == 1:
                batch = batch.mean(1, keepdim=True)
            elif batch.shape[1] == 1:
                batch = batch.expand(-1, channels, -1, -1)
            else:
                raise UsageError(f"the images have {batch.shape[1]} channels, the network wants {channels}")
        if tuple(batch.shape[2:]) != size:
            smaller = size[0] < batch.shape[2] or size[1] < batch.shape[3]
            batch = F.interpolate(batch, size, mode="bilinear", align_corners=False, antialias=smaller)
        return batch.contiguous()


def load(name: str, size: Sequence[int] = (32, 32)) -> Dataset:
    """The data called "digits" or "synthetic", or those of a folder, whose images are brought to `size`, H×W.

    Raises UsageError where there is no such data, or a folder cannot be read.
    """
    if name in _MAKERS:
        return _dataset(name, TEN, *split(_MAKERS[name]()))
    return _dataset(name, *read_folder(_folder(name), size))


def class_names(name: str) -> tuple[str, ...]:
    """The classes of the data of that name; UsageError as `load`."""
    return TEN if name in _MAKERS else classes_of(_folder(name))


def _folder(name: str) -> Path:
    folder = Path(name)
    if not folder.is_dir():
        raise unknown("data", name, _MAKERS, "or name a folder that holds a folder of images for each class")
    return folder


def digits() -> Images:
    """The 1,797 handwritten digits of UCI that scikit-learn ships: 1×8×8 pixels of 0 to 16.

    Source and licence stand in digits-notice.txt beside the file.
    """
    packed = resources.files("archcalc.lessons").joinpath("digits.csv.gz").read_bytes()
    rows = [[int(number) for number in line.split(b",")] for line in gzip.decompress(packed).split()]
    table = torch.tensor(rows, dtype=torch.uint8)
    return Images(table[:, :64].reshape(-1, 1, 8, 8), table[:, 64].long())


def synthetic() -> Images:
    """Ten random patterns of 1×8×8, each under new noise for every image: 1,600 images, always the same ones."""
    random = torch.Generator().manual_seed(0)
    patterns = torch.randn(10, 1, 8, 8, generator=random)
    labels = torch.arange(1600) % 10
    return Images(patterns[labels] + 1.5 * torch.randn(1600, 1, 8, 8, generator=random), labels)


_MAKERS = {"digits": digits, "synthetic": synthetic}

SMALL: dict[str, Shape] = {"digits": (1, 8, 8), "synthetic": (1, 8, 8)}
"""The images of these are smaller than most networks ask for: C×H×W of one."""


def _dataset(name: str, classes: tuple[str, ...], train: Images, test: Images) -> Dataset:
    moments = [(part.mean((1, 2)), part.square().mean((1, 2))) for part in map(Tensor.double, train.pixels)]
    mean, square = (torch.stack(parts).mean(0) for parts in zip(*moments, strict=True))
    deviation = (square - mean.square()).clamp(min=1e-12).sqrt()
    return Dataset(name, classes, train, test, mean.float(), deviation.float())


def _image(shape: Shape) -> tuple[int, tuple[int, int]]:
    if len(shape) != 3:
        raise UsageError(f"a network that reads {'x'.join(map(str, shape))} cannot be shown images: they are C x H x W")
    channels, height, width = shape
    return channels, (height, width)
