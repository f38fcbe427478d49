"""What joins tensors: concatenation and stacking."""

from __future__ import annotations

from dataclasses import dataclass

from archcalc.ops.axis import UnknownError, through_window
from archcalc.ops.definition import Definition, define
from archcalc.ops.field import Axes, SeenInput, from_back, moved, union_of
from archcalc.ops.layout import Layout
from archcalc.values.trace import Op, Shape, TensorSpec


@define("cat concat concatenate")
@dataclass(slots=True, eq=False)
class Concatenation(Definition):
    """Tensors one behind the other along a dimension."""

    tensors: tuple[TensorSpec, ...]
    dim: int = 0

    zero_cost = "data movement"
    layout = Layout.CHANNELS_LAST

    def shape(self) -> Shape | None:
        tensors = self.tensors
        if not tensors or not all(isinstance(t, TensorSpec) for t in tensors) or not isinstance(self.dim, int):
            return None
        first = tensors[0].shape
        if not -len(first) <= self.dim < len(first):
            return None
        axis = self.dim % len(first)
        rest = first[:axis] + first[axis + 1 :]
        for tensor in tensors:
            if len(tensor.shape) != len(first) or tensor.shape[:axis] + tensor.shape[axis + 1 :] != rest:
                return None
        return (*first[:axis], sum(tensor.shape[axis] for tensor in tensors), *first[axis + 1 :])

    def field(self, op: Op, seen: list[SeenInput]) -> Axes:
        """The union of all; constants in front, such as a transformer's class token, shift the positions."""
        rank = len(op.outputs[0].shape)
        along = from_back(self.dim, rank)
        if len(seen) == 1:
            position, _, field = seen[0]
            before = sum(spec.shape[along] for spec in op.inputs[:position] if len(spec.shape) == rank)
            return tuple(through_window(axis, 1, 1, before, 1) if axis.dim == along else axis for axis in field)
        if any(axis.dim == along for tensor in seen for axis in tensor.field):
            raise UnknownError  # positions of several images lie in one dimension
        return union_of(seen)


@define("stack")
@dataclass(slots=True, eq=False)
class Stack(Definition):
    """Tensors along a new dimension."""

    tensors: tuple[TensorSpec, ...]
    dim: int = 0

    def field(self, op: Op, seen: list[SeenInput]) -> Axes:
        """The union of all, the dimensions before the new one moved."""
        added = from_back(self.dim, len(op.outputs[0].shape))
        return moved(union_of(seen), lambda dim: dim if dim > added else dim - 1)
