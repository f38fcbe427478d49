"""Where positions lie after a call that moves, takes or joins them without looking at their values.

Each rule takes the call and its tracked inputs, those that see something, and gives the field of the output. What
cannot be followed raises UnknownError.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from math import prod
from typing import Any

from archcalc.count.axis import UnknownError, met, single, slid
from archcalc.values.axis_field import Axis
from archcalc.values.trace import Op, Shape, TensorSpec

Axes = tuple[Axis, ...]
Tracked = list[tuple[TensorSpec, Axes]]
Rule = Callable[[Op, Tracked], Axes]

RULES: dict[str, Rule] = {}
"""By kind of call."""

_REQUIRED = object()
_SLICE = re.compile(r"slice\((None|-?\d+), (None|-?\d+), (None|\d+)\)")


def rule(kinds: str) -> Callable[[Rule], Rule]:
    """Register a rule for calls of these kinds."""

    def add(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(kinds.split(), function))
        return function

    return add


def given(op: Op, position: int, *names: str, default: Any = _REQUIRED) -> Any:
    """An argument of a call, by position or by one of its names; what cannot be read is not guessed."""
    for name in names:
        if name in op.kwargs:
            return op.kwargs[name]
    if len(op.args) > position:
        return op.args[position]
    if default is _REQUIRED:
        raise UnknownError
    return default


def from_back(dim: Any, rank: int) -> int:
    """A dimension counted from the back: -1 is the last."""
    if type(dim) is not int or not -rank <= dim < rank:
        raise UnknownError
    return dim - rank if dim >= 0 else dim


def of_first(op: Op, tracked: Tracked) -> tuple[TensorSpec, Axes]:
    """The call's own tensor, which must be what sees something: one that only lends its shape says nothing."""
    spec, field = tracked[0]
    if not op.inputs or spec is not op.inputs[0]:
        raise UnknownError
    return spec, field


def aligned(op: Op, tracked: Tracked) -> Axes:
    """Where several meet element by element: none of them may be stretched along an axis."""
    out = op.outputs[0].shape
    for spec, field in tracked:
        for axis in field:
            if axis.dim and (-axis.dim > len(out) or out[axis.dim] != spec.shape[axis.dim]):
                raise UnknownError
    return meeting(tracked)


def meeting(tracked: Tracked) -> Axes:
    """Axis by axis what all of them see."""
    field = tracked[0][1]
    for _, other in tracked[1:]:
        field = tuple(met(one, two) for one, two in zip(field, other, strict=True))
    return field


@rule("cat concat concatenate")
def _joined(op: Op, tracked: Tracked) -> Axes:
    rank = len(op.outputs[0].shape)
    along = from_back(given(op, 1, "dim", "axis", default=0), rank)
    inputs = [spec for spec in op.inputs if len(spec.shape) == rank]
    if len(tracked) == 1:  # beside constants, such as the class token of a transformer, positions move on
        spec, field = tracked[0]
        before = sum(other.shape[along] for other in inputs[: [other is spec for other in inputs].index(True)])
        return tuple(slid(axis, 1, 1, before, 1) if axis.dim == along else axis for axis in field)
    if any(axis.dim == along for _, field in tracked for axis in field):
        raise UnknownError  # images side by side: a position no longer says which
    return meeting(tracked)


@rule("stack")
def _stacked(op: Op, tracked: Tracked) -> Axes:
    added = from_back(given(op, 1, "dim", "axis", default=0), len(op.outputs[0].shape))
    return _moved(meeting(tracked), lambda at: at if at > added else at - 1)


@rule("unsqueeze")
def _unsqueezed(op: Op, tracked: Tracked) -> Axes:
    added = from_back(given(op, 1, "dim", "axis"), len(op.outputs[0].shape))
    return _moved(of_first(op, tracked)[1], lambda at: at if at > added else at - 1)


def _moved(field: Axes, place: Callable[[int], int]) -> Axes:
    return tuple(replace(axis, dim=place(axis.dim)) if axis.dim else axis for axis in field)


@rule("permute transpose mT t swapaxes swapdims T movedim moveaxis")
def _permuted(op: Op, tracked: Tracked) -> Axes:
    spec, field = of_first(op, tracked)
    rank = len(spec.shape)
    order = list(range(-rank, 0))
    if op.kind == "permute":
        dims = given(op, 1, "dims")
        order = [from_back(dim, rank) for dim in (dims if isinstance(dims, tuple) else op.args[1:])]
    elif op.kind in ("mT", "t", "T"):
        if rank < 2 or (rank > 2 and op.kind != "mT"):
            raise UnknownError
        order[-1], order[-2] = order[-2], order[-1]
    else:
        a = from_back(given(op, 1, "dim0", "axis0", "source"), rank)
        b = from_back(given(op, 2, "dim1", "axis1", "destination"), rank)
        if op.kind.startswith("move"):
            order.insert(b % rank, order.pop(a % rank))
        else:
            order[a], order[b] = order[b], order[a]
    return _moved(field, lambda at: order.index(at) - rank)


@rule("chunk split split_with_sizes unbind select narrow tensor_split index_select glu")
def _taken(op: Op, tracked: Tracked) -> Axes:
    """A part of one dimension: positions stay, as long as that dimension is not theirs."""
    spec, field = of_first(op, tracked)
    rank = len(spec.shape)
    where = 1 if op.kind in ("unbind", "select", "narrow", "index_select", "glu") else 2
    along = from_back(given(op, where, "dim", "axis", default=-1 if op.kind == "glu" else 0), rank)
    if any(axis.dim == along for axis in field):
        raise UnknownError
    if len(op.outputs[0].shape) == rank:
        return field
    return _moved(field, lambda at: at if at > along else at + 1)


@rule("getitem")
def _indexed(op: Op, tracked: Tracked) -> Axes:
    """Slices move and thin out positions; a number leaves one of them."""
    spec, field = of_first(op, tracked)
    places, shape = _read(op.args[1], spec.shape)
    if shape != op.outputs[0].shape:
        raise UnknownError
    found = []
    for axis in field:
        if not axis.dim:
            found.append(axis)
            continue
        start, step, place = places[len(spec.shape) + axis.dim]
        if axis.merged and (place is None or len(axis.lo) > 1):
            raise UnknownError
        taken = slid(axis, 1, step, -start, 1)
        found.append(single(taken) if place is None else replace(taken, dim=place - len(shape)))
    return tuple(found)


def _read(index: Any, shape: Shape) -> tuple[list[tuple[int, int, int | None]], Shape]:
    """For each dimension the first position taken, the step, and where it is afterwards; and the resulting shape."""
    items = list(index) if isinstance(index, tuple) else [index]
    dims = sum(item is not None and item != "Ellipsis" for item in items)
    if "Ellipsis" not in items:
        items.append("Ellipsis")
    at = items.index("Ellipsis")
    items[at : at + 1] = ["slice(None, None, None)"] * (len(shape) - dims)
    places: list[tuple[int, int, int | None]] = []
    out: list[int] = []
    for item in items:
        if item is None:
            out.append(1)
            continue
        if len(places) == len(shape):
            raise UnknownError
        size = shape[len(places)]
        if type(item) is int:
            places.append((item % size, 1, None))
        elif isinstance(item, str) and (parts := _SLICE.fullmatch(item)):
            start, stop, step = (None if part == "None" else int(part) for part in parts.groups())
            taken = range(size)[start:stop:step]
            places.append((taken.start, taken.step, len(out)))
            out.append(len(taken))
        else:
            raise UnknownError  # positions picked by a tensor or a list
    return places, tuple(out)


@rule("setitem")
def _put(op: Op, tracked: Tracked) -> Axes:
    """What is put in must lie along the target's own axes; where constants are put, the rest stays as it was."""
    target = op.args[0]
    places, shape = _read(op.args[1], target.shape)
    fields: Tracked = []
    for spec, field in tracked:
        found = []
        for axis in field:
            if axis.dim and spec is not target:
                at = places.index((0, 1, len(shape) + axis.dim)) if (0, 1, len(shape) + axis.dim) in places else None
                if at is None or not shape[axis.dim] == target.shape[at] == spec.shape[axis.dim]:
                    raise UnknownError
                axis = replace(axis, dim=at - len(target.shape))
            found.append(axis)
        fields.append((spec, tuple(found)))
    return meeting(fields)


@rule("expand expand_as repeat tile")
def _stretched(op: Op, tracked: Tracked) -> Axes:
    spec, field = of_first(op, tracked)
    return aligned(op, [(spec, field)])


@rule("flatten view reshape unflatten squeeze view_as reshape_as")
def _reshaped(op: Op, tracked: Tracked) -> Axes:
    """Axes that come through whole keep their place; those that are merged with others keep their size only."""
    spec, field = of_first(op, tracked)
    before, after = spec.shape, op.outputs[0].shape
    if prod(before) != prod(after):
        raise UnknownError
    places = _same_dims(before, after)
    found = []
    for axis in field:
        if not axis.dim:
            found.append(axis)
        elif before[axis.dim] == 1:
            found.append(single(axis))
        elif len(before) + axis.dim not in places:
            raise UnknownError
        else:
            place, merged = places[len(before) + axis.dim]
            found.append(replace(axis, dim=place - len(after), merged=axis.merged or merged))
    return tuple(found)


def _same_dims(before: Shape, after: Shape) -> dict[int, tuple[int, bool]]:
    """For each dimension before, unless its size is 1: where it is after, and whether it is merged with others there.

    A dimension that is split up is left out: its positions lie in several dimensions then.
    """
    left = [at for at, size in enumerate(before) if size != 1]
    right = [at for at, size in enumerate(after) if size != 1]
    found: dict[int, tuple[int, bool]] = {}
    while left:
        ones, others = [left.pop(0)], [right.pop(0)]
        while (have := prod(before[at] for at in ones)) != (want := prod(after[at] for at in others)):
            if have < want:
                ones.append(left.pop(0))
            else:
                others.append(right.pop(0))
        if len(others) == 1:
            found.update({at: (others[0], len(ones) > 1) for at in ones})
    return found
