"""Matrix products: linear layers, matmul, bmm, dot and the like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from archcalc.ops.axis import UnknownError, reduced, union
from archcalc.ops.definition import LOWER, Definition, define
from archcalc.ops.field import Axes, SeenInput, of_first
from archcalc.ops.layout import Layout
from archcalc.ops.shapes import broadcast
from archcalc.values.report import Product
from archcalc.values.trace import Op, Shape, TensorSpec


@define("linear")
@dataclass(slots=True, eq=False)
class Linear(Definition):
    """The last axis times a weight, for each place of the other axes."""

    input: TensorSpec
    weight: TensorSpec
    bias: TensorSpec | None = None

    autocast = LOWER
    layout = Layout.NEW

    def shape(self) -> Shape | None:
        """…×N to …×M."""
        shape, weight = self.input.shape, self.weight.shape
        if len(weight) != 2 or not shape or shape[-1] != weight[1]:
            return None
        if self.bias is not None and self.bias.shape != weight[:1]:
            return None
        return (*shape[:-1], weight[0])

    def products(self, out: TensorSpec) -> tuple[Product, ...]:
        """Outputs × inputs of one place."""
        return (Product(out.shape, self.weight.shape[-1:]),)

    def field(self, op: Op, seen: list[SeenInput]) -> Axes:
        """A sum over the last dimension sees all positions that lie along it."""
        first = of_first(seen)
        return tuple(reduced(axis, first.spec.shape[-1]) if axis.dim == -1 else axis for axis in first.field)


@dataclass(slots=True, eq=False)
class TwoFactors(Definition):
    """The product of two tensors, whatever their ranks."""

    input: TensorSpec
    other: TensorSpec

    autocast = LOWER
    aliases: ClassVar[dict[str, str]] = {"mat2": "other", "tensor": "other", "vec": "other", "self": "input"}

    def products(self, out: TensorSpec) -> tuple[Product, ...]:
        """Outputs × the axis that is summed over."""
        return (Product(out.shape, self.input.shape[-1:]),)


define("mv")(TwoFactors)


@define("dot")
class Dot(TwoFactors):
    """Two vectors; autocast leaves it alone."""

    __slots__ = ()
    autocast = ""


@define("matmul bmm mm")
class MatrixProduct(TwoFactors):
    """Rows of the first times columns of the second, for each of a batch."""

    __slots__ = ()
    layout = Layout.NEW

    def shape(self) -> Shape | None:
        """…×N×K and …×K×M to …×N×M, where nothing is broadcast."""
        first, second = self.input.shape, self.other.shape
        if len(first) != len(second) or len(first) < 2 or first[-1] != second[-2] or first[:-2] != second[:-2]:
            return None
        return (*first[:-1], second[-1])

    def field(self, op: Op, seen: list[SeenInput]) -> Axes:
        """Positions along rows or columns are mixed, those along batch dimensions are kept."""
        rank = len(op.outputs[0].shape)
        if any(len(tensor.spec.shape) != rank for tensor in seen) or any(len(spec.shape) < 2 for spec in op.inputs[:2]):
            raise UnknownError
        if len(seen) == 1:
            position, spec, field = seen[0]
            summed = -1 if position == 0 else -2
            return tuple(reduced(axis, spec.shape[summed]) if axis.dim == summed else axis for axis in field)
        first, second = seen
        field = ()
        for row, column in zip(first.field, second.field, strict=True):
            sizes = [spec.shape[axis.dim] for spec, axis in ((first.spec, row), (second.spec, column))]
            if row.whole or column.whole:
                field += (row if row.whole else column,)
            elif row.dim == column.dim and (not row.dim or (row.dim < -2 and sizes[0] == sizes[1])):
                field += (union(row, column),)
            elif row.dim in (-1, -2) and column.dim in (-1, -2):  # a sum over all pairs of positions
                field += (reduced(row, sizes[0] * sizes[1]),)
            else:
                raise UnknownError
        return field


@define("linalg_vecdot")
@dataclass(slots=True, eq=False)
class VectorDot(Definition):
    """The dot products of vectors along an axis."""

    x: TensorSpec
    y: TensorSpec
    dim: int = -1

    autocast = LOWER

    def products(self, out: TensorSpec) -> tuple[Product, ...]:
        """Outputs × the length of the vectors."""
        terms = (broadcast((self.x.shape, self.y.shape)) or self.x.shape)[self.dim]
        return (Product(out.shape, (terms,)),)


@define("bilinear")
@dataclass(slots=True, eq=False)
class Bilinear(Definition):
    """Two products, one after the other: the first input with the weight, then the second with the result."""

    input1: TensorSpec
    input2: TensorSpec
    weight: TensorSpec
    bias: TensorSpec | None = None

    def products(self, out: TensorSpec) -> tuple[Product, ...]:
        """First input times weight gives a vector for each unit; then its product with the second input."""
        units, first, second = self.weight.shape
        return Product((*out.shape[:-1], units, second), (first,)), Product(out.shape, (second,))
