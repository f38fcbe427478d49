"""Receptive fields of a call's inputs, and how definitions combine them into the field of its output."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from archcalc.ops.axis import UnknownError, union
from archcalc.values.axis_field import AxisField
from archcalc.values.trace import Op, TensorSpec

Axes = tuple[AxisField, ...]
"""A receptive field: one AxisField for each spatial axis of the network's input."""


class SeenInput(NamedTuple):
    """An input of a call that depends on the network's input; `position` is its index in `op.inputs`."""

    position: int
    spec: TensorSpec
    field: Axes


def from_back(dim: Any, rank: int) -> int:
    """A dimension counted from the back: -1 is the last."""
    if type(dim) is not int or not -rank <= dim < rank:
        raise UnknownError
    return dim - rank if dim >= 0 else dim


def of_first(seen: list[SeenInput]) -> SeenInput:
    """The call's first tensor and its field; UnknownError if only later ones, which may lend their shape, have one."""
    if seen[0].position != 0:
        raise UnknownError
    return seen[0]


def aligned(op: Op, seen: list[SeenInput]) -> Axes:
    """The field of an elementwise result; UnknownError where an operand is broadcast along an axis of positions."""
    out = op.outputs[0].shape
    for tensor in seen:
        for axis in tensor.field:
            if axis.dim and (-axis.dim > len(out) or out[axis.dim] != tensor.spec.shape[axis.dim]):
                raise UnknownError
    return union_of(seen)


def union_of(seen: list[SeenInput]) -> Axes:
    """The union of their fields, axis by axis."""
    field = seen[0].field
    for other in seen[1:]:
        field = tuple(union(one, two) for one, two in zip(field, other.field, strict=True))
    return field


def moved(field: Axes, place: Callable[[int], int]) -> Axes:
    """The field after its dimensions have moved: `place` gives the new one of each, both counted from the back."""
    return tuple(replace(axis, dim=place(axis.dim)) if axis.dim else axis for axis in field)
