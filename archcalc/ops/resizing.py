"""Padding, interpolation and pixel shuffling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from archcalc.ops.axis import UnknownError, through_window, upsampled
from archcalc.ops.definition import Definition, define
from archcalc.ops.field import Axes, SeenInput, of_first
from archcalc.values.trace import Op, TensorSpec


@define("pad")
@dataclass(slots=True, eq=False)
class Padding(Definition):
    """More positions at both ends of the last dimensions."""

    input: TensorSpec
    pad: Any
    mode: Any = "constant"
    value: Any = None

    def field(self, op: Op, seen: list[SeenInput]) -> Axes:
        """Positions move by the padding before them."""
        if any(type(pad) is not int for pad in self.pad):
            raise UnknownError
        left = {-(1 + index // 2): self.pad[index] for index in range(0, len(self.pad), 2)}
        field = of_first(seen).field
        return tuple(through_window(axis, 1, 1, left.get(axis.dim, 0), 1) if axis.dim else axis for axis in field)


@define("interpolate upsample")
@dataclass(slots=True, eq=False)
class Interpolation(Definition):
    """To another size by nearest or linear interpolation."""

    input: TensorSpec
    size: Any = None
    scale_factor: Any = None
    mode: Any = "nearest"
    align_corners: Any = None
    recompute_scale_factor: Any = None
    antialias: Any = False

    enlarges = True

    def field(self, op: Op, seen: list[SeenInput]) -> Axes:
        """By a whole factor: the position itself, or also its neighbour."""
        first = of_first(seen)
        if self.mode not in ("nearest", "nearest-exact", "linear", "bilinear", "trilinear"):
            raise UnknownError
        if self.align_corners or self.antialias:
            raise UnknownError
        factors = self.scale_factor
        scales = factors if isinstance(factors, tuple) else (factors,) * len(first.field)
        field = []
        for axis in first.field:
            if not axis.dim:
                field.append(axis)
                continue
            factor, rest = divmod(op.outputs[0].shape[axis.dim], first.spec.shape[axis.dim])
            if rest or not factor or axis.merged or scales[axis.dim] not in (None, factor):
                raise UnknownError
            field.append(upsampled(axis, factor, self.mode.endswith("linear")))
        return tuple(field)


@dataclass(slots=True, eq=False)
class Shuffle(Definition):
    """Arguments of both pixel shuffles, and the field of their input."""

    input: TensorSpec
    factor: Any

    aliases: ClassVar[dict[str, str]] = {"upscale_factor": "factor", "downscale_factor": "factor"}

    def _field_before(self, seen: list[SeenInput]) -> Axes:
        field = of_first(seen).field
        if any(axis.merged or axis.dim == -3 for axis in field):
            raise UnknownError
        return field


@define("pixel_shuffle")
class PixelShuffle(Shuffle):
    """Channels into positions."""

    __slots__ = ()
    enlarges = True

    def field(self, op: Op, seen: list[SeenInput]) -> Axes:
        """Neighbours come from one position."""
        return tuple(upsampled(axis, self.factor, False) if axis.dim else axis for axis in self._field_before(seen))


@define("pixel_unshuffle")
class PixelUnshuffle(Shuffle):
    """Positions into channels."""

    __slots__ = ()
    enlarges = True

    def field(self, op: Op, seen: list[SeenInput]) -> Axes:
        """One position comes from a window of neighbours."""
        factor = self.factor
        field = self._field_before(seen)
        return tuple(through_window(axis, factor, factor, 0, 1) if axis.dim else axis for axis in field)
