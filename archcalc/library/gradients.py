"""How gradients travel back through a network: what `archcalc.gradients` is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archcalc.lessons import gradients as lesson
from archcalc.values.gradients import StartSetting

if TYPE_CHECKING:
    from torch import nn

    from archcalc.values.gradients import Gradients


def gradients(
    model: str | nn.Module,
    inputs: Any = None,
    *,
    init: str = "own",
    seeds: int = 3,
    batch_size: int = 8,
    steps: int = 0,
    activation: str | None = None,
    without_norm: bool = False,
    first_output: bool = False,
    data: str = "random",
    **settings: Any,
) -> Gradients:
    """The gradient that reaches each weight layer's output as the network starts, relative to the last layer's.

    `model`, `inputs` and `settings` as in `analyze`; a module is copied and stays as it is. Real weights are drawn and
    run in training mode, once for each of `seeds`; the result has the median and the range. `data` is "random" for
    seeded random images and classes, "digits", "synthetic" or a folder with a folder of images for each class.
    `init` is "own" (as built), "torch", "xavier", "he" or "gaussian:0.01"; `activation` "relu", "tanh" or "sigmoid"
    replaces the modules of those kinds, and `without_norm` leaves normalisations out. With `steps` the gradients are
    looked at again after so many steps of SGD. `first_output` leaves the loss of auxiliary heads out.

    Raises UsageError for a request that makes no sense, and ModelError if the network cannot be built or run, or if no
    gradient reaches its last layer.
    """
    setting = StartSetting(init, seeds, batch_size, steps, activation, without_norm, first_output, data)
    return lesson.gradients(model, inputs, setting, settings)
