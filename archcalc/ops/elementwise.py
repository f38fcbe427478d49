"""Elementwise functions: arithmetic, roots and powers, comparisons, copies and casts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from archcalc.ops.definition import FLOAT32_ON_CUDA, AnyArguments, Definition, define, define_plainly
from archcalc.ops.field import Axes, SeenInput, aligned
from archcalc.ops.layout import Layout
from archcalc.ops.shapes import broadcast
from archcalc.values.trace import Op, Shape, TensorSpec


class Aligned(Definition):
    """A kind whose output positions are those of its operands, element by element."""

    __slots__ = ()

    def field(self, op: Op, seen: list[SeenInput]) -> Axes:
        """Every position keeps what it sees."""
        return aligned(op, seen)


class Elementwise(Aligned, AnyArguments):
    """A kind whose output elements depend on one element of each operand; torch computes the shape."""

    __slots__ = ()


class ElementwiseRule(Aligned):
    """The same for kinds whose result follows from their arguments."""

    __slots__ = ()
    layout = Layout.ELEMENTWISE


@define("sub mul div")
@dataclass(slots=True, eq=False)
class Arithmetic(ElementwiseRule):
    """Two operands, tensors or numbers."""

    input: TensorSpec | float
    other: TensorSpec | float

    zero_cost = "elementwise"

    def shape(self) -> Shape | None:
        operands = (self.input, self.other)
        if any(not isinstance(o, (TensorSpec, int, float)) or isinstance(o, bool) for o in operands):
            return None
        return broadcast(o.shape for o in operands if isinstance(o, TensorSpec))


@define("add")
class Addition(Arithmetic):
    """A sum: each operand's gradient is that of the result."""

    __slots__ = ()
    passes_gradient_on = True


@define("sqrt square abs neg")
@dataclass(slots=True, eq=False)
class Unary(ElementwiseRule):
    """A function of one tensor."""

    input: TensorSpec

    zero_cost = "elementwise"

    def shape(self) -> Shape | None:
        return self.input.shape


@define("exp rsqrt")
class WideUnary(Unary):
    """One whose result may overflow in lower precision."""

    __slots__ = ()
    autocast = FLOAT32_ON_CUDA


@define("pow")
@dataclass(slots=True, eq=False)
class Power(ElementwiseRule):
    """A tensor to a number's power, or the other way round."""

    input: Any
    exponent: Any

    zero_cost = "elementwise"
    autocast = FLOAT32_ON_CUDA

    def shape(self) -> Shape | None:
        """That of a tensor whose exponent is a number."""
        fits = isinstance(self.input, TensorSpec) and type(self.exponent) in (int, float)
        return self.input.shape if fits else None


define_plainly(
    """maximum minimum where addcmul addcdiv lerp prelu logsigmoid sign clamp clamp_min clamp_max softsign sin cos floor
    ceil round erf gt lt ge le eq ne masked_fill bernoulli dropout1d dropout2d dropout3d alpha_dropout feature_dropout
    feature_alpha_dropout contiguous clone detach float half bfloat16 double type positive real resolve_conj resolve_neg
    to_dense""",
    Elementwise,
)
define_plainly("log reciprocal softplus", Elementwise, autocast=FLOAT32_ON_CUDA)
define_plainly("to type_as", Elementwise, only_shape_of_others=True)
define_plainly(
    "zeros_like ones_like full_like empty_like rand_like randn_like new_zeros new_ones new_full new_empty",
    makes_constant=True,
)
