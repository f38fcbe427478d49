"""Indexing: `x[...]` and `x[...] = y` by slices and numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from archcalc.ops.axis import UnknownError, first_position, through_window
from archcalc.ops.definition import Definition, define
from archcalc.ops.field import Axes, SeenInput, of_first, union_of
from archcalc.values.trace import Op, Shape, Slice, TensorSpec


class Taken(NamedTuple):
    """What an index takes of one dimension: the first position, the step, and where the dimension is afterwards."""

    first: int
    step: int
    place: int | None


def read_index(index: Any, shape: Shape) -> tuple[list[Taken], Shape]:
    """For each dimension what is taken of it, and the resulting shape; UnknownError for tensors and lists."""
    items = list(index) if isinstance(index, tuple) else [index]
    dims = sum(item is not None and item != "Ellipsis" for item in items)
    if "Ellipsis" not in items:
        items.append("Ellipsis")
    ellipsis = items.index("Ellipsis")
    items[ellipsis : ellipsis + 1] = [Slice()] * (len(shape) - dims)
    taken: list[Taken] = []
    out: list[int] = []
    for item in items:
        if item is None:
            out.append(1)
            continue
        if len(taken) == len(shape):
            raise UnknownError
        size = shape[len(taken)]
        if type(item) is int:
            taken.append(Taken(item % size, 1, None))
        elif isinstance(item, Slice) and all(
            type(end) in (int, type(None)) for end in (item.start, item.stop, item.step)
        ):
            positions = range(size)[item.start : item.stop : item.step]
            taken.append(Taken(positions.start, positions.step, len(out)))
            out.append(len(positions))
        else:
            raise UnknownError
    return taken, tuple(out)


@define("getitem")
@dataclass(slots=True, eq=False)
class GetItem(Definition):
    """A part of a tensor."""

    input: TensorSpec
    index: Any

    reads_values = True

    def field(self, op: Op, seen: list[SeenInput]) -> Axes:
        """Slices move and thin out positions; a number leaves one of them."""
        first = of_first(seen)
        rank = len(first.spec.shape)
        taken, shape = read_index(self.index, first.spec.shape)
        if shape != op.outputs[0].shape:
            raise UnknownError
        field = []
        for axis in first.field:
            if not axis.dim:
                field.append(axis)
                continue
            start, step, place = taken[rank + axis.dim]
            if axis.merged and (place is None or len(axis.lo) > 1):
                raise UnknownError
            part = through_window(axis, 1, step, -start, 1)
            field.append(first_position(part) if place is None else replace(part, dim=place - len(shape)))
        return tuple(field)


@define("setitem")
@dataclass(slots=True, eq=False)
class SetItem(Definition):
    """A tensor, a part of which is overwritten."""

    input: TensorSpec
    index: Any
    value: Any

    reads_values = True

    def field(self, op: Op, seen: list[SeenInput]) -> Axes:
        """The union of target and value, which must lie along the same axes; a constant value changes nothing."""
        target = self.input.shape
        taken, shape = read_index(self.index, target)
        fields = []
        for tensor in seen:
            field = []
            for axis in tensor.field:
                if axis.dim and tensor.position != 0:
                    whole = Taken(0, 1, len(shape) + axis.dim)
                    dim = taken.index(whole) if whole in taken else None
                    if dim is None or not shape[axis.dim] == target[dim] == tensor.spec.shape[axis.dim]:
                        raise UnknownError
                    axis = replace(axis, dim=dim - len(target))
                field.append(axis)
            fields.append(tensor._replace(field=tuple(field)))
        return union_of(fields)
