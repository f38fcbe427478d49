"""Reductions over dimensions: means, sums, extremes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from archcalc.ops.axis import reduced
from archcalc.ops.definition import FLOAT32_ON_CUDA, Definition, define
from archcalc.ops.field import Axes, SeenInput, aligned, from_back
from archcalc.ops.layout import Layout
from archcalc.values.trace import Op, Shape, TensorSpec


@define("amax amin max min std var logsumexp")
@dataclass(slots=True, eq=False)
class Reduction(Definition):
    """Over some dimensions, or all of them; torch computes the shape."""

    dim: Any = None

    @classmethod
    def parse(cls, kind: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Definition:
        """Keeps only the dimensions of the arguments."""
        return cls(kind, kwargs.get("dim", kwargs.get("axis", args[1] if len(args) > 1 else None)))

    def field(self, op: Op, seen: list[SeenInput]) -> Axes:
        """Everything along the reduced dimensions; the others move up."""
        if len(op.inputs) > 1:
            return aligned(op, seen)  # max(a, b) of two tensors is elementwise
        shape, rank = seen[0].spec.shape, len(seen[0].spec.shape)
        listed = (self.dim,) if isinstance(self.dim, int) else self.dim or range(rank)
        gone = {from_back(dim, rank) for dim in listed}
        keeps = len(op.outputs[0].shape) == rank
        field = []
        for axis in seen[0].field:
            if axis.dim in gone:
                field.append(reduced(axis, shape[axis.dim]))
            else:
                behind = 0 if keeps else sum(dim > axis.dim for dim in gone)
                field.append(replace(axis, dim=axis.dim + behind) if axis.dim else axis)
        return tuple(field)


@define("mean")
@dataclass(slots=True, eq=False)
class Mean(Reduction):
    """A mean over dimensions."""

    input: TensorSpec | None = None
    keepdim: bool = False
    dtype: Any = None

    zero_cost = "reduction"
    layout = Layout.NEW

    @classmethod
    def parse(cls, kind: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Definition:
        named = dict(zip(("input", "dim", "keepdim"), args, strict=False)) | kwargs
        if len(args) > 3 or "input" not in named:
            raise TypeError(f"{kind} does not take these arguments")
        dim = named.pop("dim", None)
        return cls(kind, dim=named.pop("axis", dim), **named)

    def shape(self) -> Shape | None:
        """Without the reduced dimensions, or with size 1 there if `keepdim`."""
        if self.input is None or self.dtype is not None or not isinstance(self.keepdim, bool):
            return None
        shape, rank = self.input.shape, len(self.input.shape)
        dims = (self.dim,) if isinstance(self.dim, int) else self.dim
        if not isinstance(dims, (tuple, list)) or not dims:
            return None
        if not all(isinstance(d, int) and -rank <= d < rank for d in dims) or len({d % rank for d in dims}) < len(dims):
            return None
        gone = {d % rank for d in dims}
        kept = [1 if axis in gone else size for axis, size in enumerate(shape) if self.keepdim or axis not in gone]
        return tuple(kept)


@define("sum")
class Sum(Mean):
    """A sum over dimensions."""

    __slots__ = ()
    autocast = FLOAT32_ON_CUDA
