"""Permutations, reshapes, parts and repetitions of tensors: what moves positions without computing anything."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import Any, ClassVar

from archcalc.ops.axis import UnknownError, first_position
from archcalc.ops.definition import AnyArguments, Definition, define, define_plainly
from archcalc.ops.field import Axes, SeenInput, aligned, from_back, moved, of_first
from archcalc.values.trace import Op, Shape

MISSING = object()


@define("permute")
@dataclass(slots=True, eq=False)
class Permutation(Definition):
    """Dimensions in another order."""

    dims: tuple[Any, ...]

    @classmethod
    def parse(cls, kind: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Definition:
        """The order may be one sequence or an argument a dimension."""
        dims = kwargs.get("dims", args[1:])
        return cls(kind, dims[0] if len(dims) == 1 and isinstance(dims[0], tuple) else dims)

    def order(self, rank: int) -> list[int]:
        """For each dimension of the result, counted from the back, which of the input it is."""
        return [from_back(dim, rank) for dim in self.dims]

    def field(self, op: Op, seen: list[SeenInput]) -> Axes:
        """Positions keep what they see, along another dimension."""
        first = of_first(seen)
        rank = len(first.spec.shape)
        order = self.order(rank)
        return moved(first.field, lambda dim: order.index(dim) - rank)


@define("mT t T")
class Transposition(Permutation):
    """The last two dimensions exchanged; `t` and `T` of a matrix."""

    __slots__ = ()

    def order(self, rank: int) -> list[int]:
        if rank < 2 or (rank > 2 and self.kind != "mT"):
            raise UnknownError
        return [*range(-rank, -2), -1, -2]


@define("transpose swapaxes swapdims")
class Exchange(Permutation):
    """Two dimensions exchanged."""

    __slots__ = ()

    @classmethod
    def parse(cls, kind: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Definition:
        """The two dimensions, under whichever of their names."""
        first, second = (
            next((kwargs[name] for name in names if name in kwargs), args[position] if position < len(args) else None)
            for position, names in enumerate((("dim0", "axis0", "source"), ("dim1", "axis1", "destination")), start=1)
        )
        return cls(kind, (first, second))

    def order(self, rank: int) -> list[int]:
        order = list(range(-rank, 0))
        a, b = (from_back(dim, rank) for dim in self.dims)
        order[a], order[b] = order[b], order[a]
        return order


@define("movedim moveaxis")
class Move(Exchange):
    """One dimension to another place."""

    __slots__ = ()

    def order(self, rank: int) -> list[int]:
        """The others close up behind it."""
        order = list(range(-rank, 0))
        a, b = (from_back(dim, rank) for dim in self.dims)
        order.insert(b % rank, order.pop(a % rank))
        return order


@dataclass(slots=True, eq=False)
class AlongDimension(Definition):
    """A kind of whose arguments only the dimension matters."""

    dim: Any

    position: ClassVar[int] = 1
    default: ClassVar[Any] = MISSING

    @classmethod
    def parse(cls, kind: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Definition:
        given = args[cls.position] if len(args) > cls.position else cls.default
        return cls(kind, kwargs.get("dim", kwargs.get("axis", given)))


@define("unsqueeze")
class Unsqueeze(AlongDimension):
    """A new dimension of one place."""

    __slots__ = ()

    def field(self, op: Op, seen: list[SeenInput]) -> Axes:
        """The dimensions before the new one move."""
        added = from_back(self.dim, len(op.outputs[0].shape))
        return moved(of_first(seen).field, lambda dim: dim if dim > added else dim - 1)


@define("select")
class Part(AlongDimension):
    """A part of one dimension, or several parts; the field is lost if positions lie along that dimension."""

    __slots__ = ()

    def field(self, op: Op, seen: list[SeenInput]) -> Axes:
        """The field of the input, its dimensions moved where one is removed."""
        first = of_first(seen)
        rank = len(first.spec.shape)
        along = from_back(self.dim, rank)
        if any(axis.dim == along for axis in first.field):
            raise UnknownError
        if len(op.outputs[0].shape) == rank:
            return first.field
        return moved(first.field, lambda dim: dim if dim > along else dim + 1)


define_plainly("unbind", Part, default=0)
define_plainly("glu", Part, default=-1)
define_plainly("index_select narrow", Part, reads_values=True)
define_plainly("chunk split_with_sizes", Part, position=2, default=0)
define_plainly("split tensor_split", Part, position=2, default=0, reads_values=True)
define_plainly("repeat_interleave take", reads_values=True)


@define("expand repeat tile")
class Stretch(AnyArguments):
    """Places repeated along dimensions."""

    __slots__ = ()

    def field(self, op: Op, seen: list[SeenInput]) -> Axes:
        """Known where no positions are repeated."""
        return aligned(op, [of_first(seen)])


define_plainly("expand_as", Stretch, only_shape_of_others=True)


@define("view reshape unflatten squeeze")
class Reshape(AnyArguments):
    """The same elements in another shape."""

    __slots__ = ()

    def field(self, op: Op, seen: list[SeenInput]) -> Axes:
        """Axes that stay whole keep their positions; those merged with others keep only the field's size."""
        first = of_first(seen)
        before, after = first.spec.shape, op.outputs[0].shape
        if prod(before) != prod(after):
            raise UnknownError
        places = _places_after(before, after)
        field = []
        for axis in first.field:
            if not axis.dim:
                field.append(axis)
            elif before[axis.dim] == 1:
                field.append(first_position(axis))
            elif len(before) + axis.dim not in places:
                raise UnknownError
            else:
                place, merged = places[len(before) + axis.dim]
                field.append(replace(axis, dim=place - len(after), merged=axis.merged or merged))
        return tuple(field)


define_plainly("flatten", Reshape, zero_cost="data movement")
define_plainly("view_as reshape_as", Reshape, only_shape_of_others=True)


def _places_after(before: Shape, after: Shape) -> dict[int, tuple[int, bool]]:
    """For each old dimension: the new one, and whether others are merged into it.

    Dimensions of size 1 and those that are split up are left out.
    """
    left = [dim for dim, size in enumerate(before) if size != 1]
    right = [dim for dim, size in enumerate(after) if size != 1]
    places: dict[int, tuple[int, bool]] = {}
    while left:
        old, new = [left.pop(0)], [right.pop(0)]
        while (have := prod(before[dim] for dim in old)) != (want := prod(after[dim] for dim in new)):
            if have < want:
                old.append(left.pop(0))
            else:
                new.append(right.pop(0))
        if len(new) == 1:
            places.update({dim: (new[0], len(old) > 1) for dim in old})
    return places
