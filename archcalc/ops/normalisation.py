"""Normalisations: no multiply-adds by our convention; receptive fields ignore the statistics taken over positions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from archcalc.ops.definition import FLOAT32_ON_CUDA, define, define_plainly
from archcalc.ops.elementwise import Aligned, Elementwise
from archcalc.ops.layout import Layout
from archcalc.values.trace import Shape, TensorSpec


class Normalisation(Aligned):
    """A kind that keeps the shape of its first input."""

    __slots__ = ()
    zero_cost = "normalisation"


def _have_shape(shape: Shape, *vectors: TensorSpec | None) -> bool:
    return all(vector is None or vector.shape == shape for vector in vectors)


@define("batch_norm")
@dataclass(slots=True, eq=False)
class BatchNorm(Normalisation):
    """Over the batch and all positions of a channel."""

    input: TensorSpec
    running_mean: TensorSpec | None
    running_var: TensorSpec | None
    weight: TensorSpec | None = None
    bias: TensorSpec | None = None
    training: bool = False
    momentum: float = 0.1
    eps: float = 1e-5

    layout = Layout.CHANNELS_LAST

    def shape(self) -> Shape | None:
        shape = self.input.shape
        if len(shape) < 2 or (self.training and self.input.numel == shape[1]):
            return None
        if (self.running_mean is None) is not (self.running_var is None):
            return None
        if not self.training and self.running_mean is None:
            return None
        vectors = (self.running_mean, self.running_var, self.weight, self.bias)
        return shape if _have_shape(shape[1:2], *vectors) else None


@define("layer_norm")
@dataclass(slots=True, eq=False)
class LayerNorm(Normalisation):
    """Over the last axes."""

    input: TensorSpec
    normalized_shape: Any
    weight: TensorSpec | None = None
    bias: TensorSpec | None = None
    eps: float = 1e-5

    autocast = FLOAT32_ON_CUDA
    layout = Layout.NEW

    def shape(self) -> Shape | None:
        last = tuple(self.normalized_shape)
        fits = last and self.input.shape[-len(last) :] == last
        return self.input.shape if fits and _have_shape(last, self.weight, self.bias) else None


@define("rms_norm")
@dataclass(slots=True, eq=False)
class RMSNorm(Normalisation):
    """Over the last axes, without a mean."""

    input: TensorSpec
    normalized_shape: Any
    weight: TensorSpec | None = None
    eps: float | None = None

    autocast = FLOAT32_ON_CUDA
    layout = Layout.NEW

    def shape(self) -> Shape | None:
        return LayerNorm(self.kind, self.input, self.normalized_shape, self.weight).shape()


@define("group_norm")
@dataclass(slots=True, eq=False)
class GroupNorm(Normalisation):
    """Over groups of channels and all positions."""

    input: TensorSpec
    num_groups: int
    weight: TensorSpec | None = None
    bias: TensorSpec | None = None
    eps: float = 1e-5

    autocast = FLOAT32_ON_CUDA

    def shape(self) -> Shape | None:
        shape, groups = self.input.shape, self.num_groups
        if len(shape) < 3 or groups < 1 or shape[1] % groups or self.input.numel == groups:
            return None
        return shape if _have_shape(shape[1:2], self.weight, self.bias) else None


@define("local_response_norm")
@dataclass(slots=True, eq=False)
class LocalResponseNorm(Normalisation):
    """Over neighbouring channels (Krizhevsky 2012, section 3.3)."""

    input: TensorSpec
    size: int
    alpha: float = 1e-4
    beta: float = 0.75
    k: float = 1.0

    def shape(self) -> Shape | None:
        return self.input.shape if len(self.input.shape) >= 3 and self.size >= 1 else None


define_plainly("instance_norm", Elementwise, zero_cost="normalisation")
define_plainly("norm renorm", autocast=FLOAT32_ON_CUDA)
