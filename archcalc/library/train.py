"""Networks trained side by side on small images: what `archcalc.train` is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from archcalc.lessons import experiment
from archcalc.values.training import Recipe, as_training

if TYPE_CHECKING:
    from torch import nn

    from archcalc.values.trace import Shape
    from archcalc.values.training import Training


def train(
    *models: str | nn.Module,
    data: str | Path = "digits",
    steps: int = 70,
    batch_size: int = 128,
    learning_rate: float = 0.01,
    momentum: float = 0.9,
    seeds: int | Sequence[int] = 1,
    inputs: Shape | None = None,
    threads: int | None = None,
    resume: Training | str | Path | None = None,
    **settings: Any,
) -> Training:
    """A small experiment: networks trained in the same way on small images, with their errors after each epoch.

    `data` is "digits", 1,797 handwritten digits of 8×8, "synthetic", or a folder with a folder of images for each
    class. `steps` of stochastic gradient descent are taken on batches of `batch_size`. `seeds` are so many, from 0, or
    those listed: weights, order of the images and dropout come from them alone, and the same seed gives the same
    numbers on the same machine, torch and `threads`. `inputs` is C×H×W of an image; without it a network reads small
    images as they are, or at its own input size if it takes no such small ones. A module that is handed in is copied
    and starts from its weights. `resume` is a training, or its file, whose runs are kept. `settings` go to the
    builders; networks of the zoo get an output for each class.

    Errors are shares of 0 to 1, times are seconds. Raises UsageError for a request or data that make no sense, and
    ModelError where a network cannot be built or trained. The caller's random states come back as they were.
    """
    before = as_training(resume)
    if threads is None:
        threads = torch.get_num_threads() if before is None else before.recipe.threads
    recipe = Recipe(str(data), steps, batch_size, learning_rate, momentum, threads, settings)
    return experiment.train(models, inputs, recipe, range(seeds) if isinstance(seeds, int) else seeds, resume=before)
