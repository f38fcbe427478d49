"""Labelled images in memory, and which of them are held out for testing."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from archcalc.values.errors import UsageError

HELD_OUT = 4
"""One image in so many of each class is held out: the last ones, in the order of the data."""


@dataclass(frozen=True, slots=True)
class Images:
    """Labelled images as they are stored: `pixels` N×C×H×W of any dtype, `labels` N of int64."""

    pixels: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def at(self, indices: Tensor) -> Images:
        """The images at these indices, in their order."""
        return Images(self.pixels[indices], self.labels[indices])


def split(images: Images) -> tuple[Images, Images]:
    """The images to train on and those held out: the last quarter of each class, in the order of the data.

    Raises UsageError if no class has enough images for one of them to be held out.
    """
    test = torch.zeros(len(images), dtype=torch.bool)
    for label in set(images.labels.tolist()):
        members = (images.labels == label).nonzero().flatten()
        test[members[len(members) - len(members) // HELD_OUT :]] = True
    if not test.any():
        raise UsageError(f"no class has {HELD_OUT} images or more, so that one could be held out for testing")
    return images.at((~test).nonzero().flatten()), images.at(test.nonzero().flatten())
