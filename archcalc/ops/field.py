"""What the fields of a call's inputs are, and how definitions combine them into that of its output."""

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
    """A tensor that goes into a call and sees something of the network's input; `at` is its place in `op.inputs`."""

    at: int
    spec: TensorSpec
    field: Axes


def from_back(dim: Any, rank: int) -> int:
    """A dimension counted from the back: -1 is the last."""
    if type(dim) is not int or not -rank <= dim < rank:
        raise UnknownError
    return dim - rank if dim >= 0 else dim


def of_first(seen: list[SeenInput]) -> SeenInput:
    """The call's first tensor, which must be one that sees something: others may only lend it their shape."""
    if seen[0].at != 0:
        raise UnknownError
    return seen[0]


def aligned(op: Op, seen: list[SeenInput]) -> Axes:
    """Where several meet element by element: none of them may be stretched along an axis."""
    out = op.outputs[0].shape
    for one in seen:
        for axis in one.field:
            if axis.dim and (-axis.dim > len(out) or out[axis.dim] != one.spec.shape[axis.dim]):
                raise UnknownError
    return union_of(seen)


def union_of(seen: list[SeenInput]) -> Axes:
    """Axis by axis what all of them see."""
    field = seen[0].field
    for other in seen[1:]:
        field = tuple(union(one, two) for one, two in zip(field, other.field, strict=True))
    return field


def moved(field: Axes, place: Callable[[int], int]) -> Axes:
    """The field after its dimensions have moved: `place` gives the new one of each, both counted from the back."""
    return tuple(replace(axis, dim=place(axis.dim)) if axis.dim else axis for axis in field)
