"""How the gradient travels back through a network: what reaches each weight layer, over several seeds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import ClassVar

from archcalc.values.errors import UsageError, unknown
from archcalc.values.samples import quantile
from archcalc.values.shown import Shown
from archcalc.values.stored import Stored
from archcalc.values.trace import Shape

INITS = ("own", "torch", "xavier", "he")
ACTIVATIONS = ("relu", "tanh", "sigmoid")
LEARNING_RATE, MOMENTUM = 0.01, 0.9


@dataclass(frozen=True, slots=True)
class StartSetting(Stored):
    """How networks are started: their weights, their activations, the seeds, and the batch that they are given.

    `init` draws the weights: "own" as they are built, or as a module was handed in; "torch" by each layer's default;
    "gaussian:0.01" normal of that deviation; "xavier" and "he" as in Glorot 2010 and He 2015, biases zero.
    `activation` replaces every ReLU, tanh and sigmoid module, and `without_norm` leaves normalisations out.
    `steps` is how many steps of SGD the gradients are looked at again after. `first_output`: only the first output has
    a loss, so that auxiliary heads have none. `data` is where the images and their classes come from: "random", or the
    data of `archcalc.train`. Raises UsageError where one of them makes no sense.
    """

    init: str = "own"
    seeds: int = 3
    batch_size: int = 8
    steps: int = 0
    activation: str | None = None
    without_norm: bool = False
    first_output: bool = False
    data: str = "random"

    def __post_init__(self) -> None:
        if self.init not in INITS and deviation(self.init) is None:
            raise unknown("initialisation", self.init, (*INITS, "gaussian:0.01"))
        if self.activation is not None and self.activation not in ACTIVATIONS:
            raise unknown("activation", self.activation, ACTIVATIONS)
        for name, least in (("seeds", 1), ("batch_size", 1), ("steps", 0)):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise UsageError(f"{name.replace('_', ' ')} must be a whole number of at least {least}, not {value}")


def deviation(init: str) -> float | None:
    """The standard deviation in "gaussian:0.01"; None for another initialisation."""
    match = re.fullmatch(r"gaussian:(\d{0,9}\.?\d{1,9}(?:e-?\d{1,2})?)", init, flags=re.ASCII)
    value = float(match[1]) if match else 0.0
    return value if value > 0 and isfinite(value) else None


@dataclass(frozen=True, slots=True)
class Range(Stored):
    """The median of a value over the seeds, and its smallest and largest."""

    median: float
    low: float
    high: float


def range_of(values: Sequence[float]) -> Range:
    """The range of at least one value."""
    ordered = sorted(values)
    return Range(quantile(ordered, 0.5), ordered[0], ordered[-1])


@dataclass(frozen=True, slots=True)
class LayerGradient(Stored):
    """What reaches one weight layer, a call that multiplies its input by weights.

    `path` is that of its row and `call` counts the runs of its module, from 0. `depth` counts weight layers from the
    input. `gradient` is the norm of the loss's gradient by the layer's output,
    relative to that of the last layer, and `gradient_after` the same after the steps of training; None where it is not
    known, for the reason that `note` gives. `mean`, `spread` (standard deviation) and `zeros` (share) are those of the
    layer's activation: its output behind the normalisation and the activation function that follow it.
    `weight_gradient` is the norm of the gradient by the layer's weights, None where they are frozen.
    """

    path: str
    call: int
    kind: str
    depth: int
    gradient: Range | None
    gradient_after: Range | None
    mean: Range | None
    spread: Range | None
    zeros: Range | None
    weight_gradient: Range | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Gradients(Shown, Stored):
    """The gradients of a network's weight layers at its start, in forward order; `last` is what they are relative to.

    `growth` is the factor by which the gradient grows from one layer to the one before it, towards the input: that of
    the line fitted to the logarithms, `growth_after` after the steps of training. None where fewer than two layers get
    a gradient. `loss` says in words what the gradient is of.
    """

    SCHEMA: ClassVar[str] = "archcalc.gradients/1"

    subject: str
    source: str
    input_shapes: tuple[Shape, ...]
    setting: StartSetting
    loss: str
    last: str
    growth: Range | None
    growth_after: Range | None
    layers: tuple[LayerGradient, ...] = field(repr=False)

    @property
    def first(self) -> LayerGradient:
        """The weight layer nearest to the input."""
        return min(self.layers, key=lambda layer: layer.depth)
