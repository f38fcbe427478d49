"""Recurrent layers; their products are counted from the torch ops beneath them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from archcalc.ops.axis import UnknownError, reduced
from archcalc.ops.definition import Definition, define
from archcalc.ops.field import Axes, SeenInput, of_first
from archcalc.values.trace import Op, TensorSpec


@define("lstm gru rnn_tanh rnn_relu")
@dataclass(slots=True, eq=False)
class Recurrent(Definition):
    """A whole layer, or several, over a sequence."""

    input: TensorSpec
    hx: Any
    params: Any
    has_biases: Any
    num_layers: Any
    dropout: Any
    train: Any
    bidirectional: Any
    batch_first: Any

    def field(self, op: Op, seen: list[SeenInput]) -> Axes:
        """The whole sequence if bidirectional; else unknown, since the field grows with the position."""
        first = of_first(seen)
        if not isinstance(self.has_biases, bool) or len(first.spec.shape) != 3:
            raise UnknownError  # a packed sequence has its arguments in another order
        along = -2 if self.batch_first else -3
        if any(axis.dim == -1 or (axis.dim == along and not self.bidirectional) for axis in first.field):
            raise UnknownError
        return tuple(reduced(axis, first.spec.shape[along]) if axis.dim == along else axis for axis in first.field)
