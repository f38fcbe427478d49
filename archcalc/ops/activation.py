"""Activations, softmax and dropout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from archcalc.ops.axis import UnknownError, reduced
from archcalc.ops.definition import FLOAT32_ON_CUDA, Definition, define
from archcalc.ops.elementwise import ElementwiseRule, Unary
from archcalc.ops.field import Axes, SeenInput, from_back, of_first
from archcalc.ops.layout import Layout
from archcalc.values.trace import Op, Shape, TensorSpec


@define("tanh sigmoid")
class Activation(Unary):
    """An activation without parameters."""

    __slots__ = ()
    zero_cost = "activation"


@define("relu relu6 silu mish selu hardswish hardsigmoid")
@dataclass(slots=True, eq=False)
class InPlaceActivation(Activation):
    """An activation that may overwrite its input."""

    inplace: bool = False


@define("leaky_relu elu celu")
@dataclass(slots=True, eq=False)
class SlopedActivation(Activation):
    """An activation with a slope or a scale."""

    slope: Any = None
    inplace: bool = False

    aliases: ClassVar[dict[str, str]] = {"negative_slope": "slope", "alpha": "slope"}

    def shape(self) -> Shape | None:
        return self.input.shape if self.slope is None or isinstance(self.slope, (int, float)) else None


@define("hardtanh")
@dataclass(slots=True, eq=False)
class HardTanh(Activation):
    """Clips to a range."""

    min_val: float = -1.0
    max_val: float = 1.0
    inplace: bool = False

    def shape(self) -> Shape | None:
        return self.input.shape if all(isinstance(end, (int, float)) for end in (self.min_val, self.max_val)) else None


@define("gelu")
@dataclass(slots=True, eq=False)
class Gelu(Activation):
    """GELU, exact or approximate."""

    approximate: str = "none"


@define("dropout")
@dataclass(slots=True, eq=False)
class Dropout(ElementwiseRule):
    """Zeros a share of its input in training; in eval mode torch returns the input tensor itself."""

    input: TensorSpec
    p: float = 0.5
    training: bool = True
    inplace: bool = False

    zero_cost = "dropout"

    def shape(self) -> Shape | None:
        return self.input.shape if 0 <= self.p <= 1 and self.training else None


@define("softmax log_softmax")
@dataclass(slots=True, eq=False)
class Softmax(Definition):
    """Softmax along one dimension."""

    input: TensorSpec
    dim: int | None = None
    _stacklevel: int = 3
    dtype: Any = None

    zero_cost = "activation"
    autocast = FLOAT32_ON_CUDA
    layout = Layout.CHANNELS_LAST

    def shape(self) -> Shape | None:
        rank, dim = len(self.input.shape), self.dim
        known = isinstance(dim, int) and isinstance(self._stacklevel, int) and -rank <= dim < rank
        return self.input.shape if known and self.dtype is None else None

    def field(self, op: Op, seen: list[SeenInput]) -> Axes:
        """Along `dim` every output depends on all positions, through the sum it is divided by."""
        first = of_first(seen)
        if self.dim is None:
            raise UnknownError
        along = from_back(self.dim, len(first.spec.shape))
        size = first.spec.shape[along]
        return tuple(reduced(axis, size) if axis.dim == along else axis for axis in first.field)
