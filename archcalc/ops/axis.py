"""Receptive fields along one axis: which input pixels a unit sees, exactly, through every path of the graph.

Along one axis a unit at position j sees an interval of input positions. Both ends move with j in a line, jump pixels a
step, except that behind a transposed convolution or an upsampling neighbours share what they see: there the ends
repeat their pattern every `period` positions. So an axis is kept as the ends for one period and the shift a period:

    unit j sees [lo[j mod period] + shift · (j // period), hi[j mod period] + shift · (j // period)]

Padding counts as pixels, as in the papers: every unit of VGG-16's pool5 sees 212. Where paths meet, the smallest
lo and the largest hi hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from math import lcm

from archcalc.values.axis_field import AxisField


class UnknownError(Exception):
    """The positions of a receptive field cannot be followed through a call."""


def _mapped(axis: AxisField, period: int, step: int, read: Callable[[int], Sequence[int]]) -> AxisField:
    """The field of outputs j that read the inputs `read(j)`; `read(j + period)` is `read(j)` moved by `step`."""
    outputs = _common_period(axis, period, step)
    lo, hi = [], []
    for j in range(outputs):
        seen = [axis.ends(i) for i in read(j)]
        if not seen:
            raise UnknownError
        lo.append(min(first for first, _ in seen))
        hi.append(max(last for _, last in seen))
    shift = Fraction(outputs * step, period) * axis.jump
    return _shortest(replace(axis, lo=tuple(lo), hi=tuple(hi), shift=int(shift)))


def _common_period(axis: AxisField, period: int, step: int) -> int:
    """Outputs after which both the pattern of reading and the periodic field that is read repeat."""
    before = len(axis.lo)
    return next(period * turn for turn in range(1, before + 1) if turn * step % before == 0)


def _shortest(axis: AxisField) -> AxisField:
    """The same field, written with its shortest period."""
    lo, hi, shift, period = axis.lo, axis.hi, axis.shift, len(axis.lo)
    for short in range(1, period):
        if period % short or shift * short % period:
            continue
        part = shift * short // period
        if all(
            lo[j] == lo[j % short] + part * (j // short) and hi[j] == hi[j % short] + part * (j // short)
            for j in range(period)
        ):
            return replace(axis, lo=lo[:short], hi=hi[:short], shift=part)
    return axis


@cache
def through_window(axis: AxisField, kernel: int, stride: int, padding: int, dilation: int) -> AxisField:
    """Through a window: unit j reads the positions j · stride − padding + k · dilation."""
    if len(axis.lo) == 1:
        first = axis.lo[0] - padding * axis.shift
        last = axis.hi[0] + (dilation * (kernel - 1) - padding) * axis.shift
        return replace(axis, lo=(first,), hi=(last,), shift=axis.shift * stride)
    return _mapped(axis, 1, stride, lambda j: [j * stride - padding + k * dilation for k in range(kernel)])


@cache
def through_transposed_window(axis: AxisField, kernel: int, stride: int, padding: int, dilation: int) -> AxisField:
    """Through a transposed window: unit j is reached from i where j = i · stride − padding + k · dilation."""

    def read(j: int) -> list[int]:
        offsets = (j + padding - k * dilation for k in range(kernel))
        return [offset // stride for offset in offsets if offset % stride == 0]

    return _mapped(axis, stride, 1, read)


@cache
def upsampled(axis: AxisField, factor: int, linear: bool) -> AxisField:
    """Upsampled: each position `factor` times; linear interpolation also reads the nearer neighbour."""

    def read(j: int) -> list[int]:
        if not linear:
            return [j // factor]
        # the centre of pixel j lies at (j + 1/2)/factor − 1/2 of the smaller grid
        below, between = divmod(2 * j + 1 - factor, 2 * factor)
        return [below, below + 1] if between else [below]

    return _mapped(axis, factor, 1, read)


def reduced(axis: AxisField, positions: int) -> AxisField:
    """The field of a sum over an axis: the whole input axis, or that of its only position if there is just one."""
    return first_position(axis) if positions == 1 and not axis.merged else _whole(axis)


def first_position(axis: AxisField) -> AxisField:
    """The field after only the first position is kept, so that its dimension no longer matters."""
    lo, hi = axis.ends(0)
    if axis.whole or (lo <= 0 and hi >= axis.length - 1):
        return _whole(axis)
    return replace(axis, lo=(lo,), hi=(hi,), shift=0, dim=0)


def _whole(axis: AxisField) -> AxisField:
    return AxisField(hi=(axis.length - 1,), shift=0, length=axis.length, dim=0, whole=True)


def union(one: AxisField, other: AxisField) -> AxisField:
    """Where two paths meet: the smallest lo and the largest hi; different jumps do not align."""
    if one.whole or other.whole:
        return one if one.whole else other
    if one == other:
        return one
    if (one.dim, one.merged) != (other.dim, other.merged):
        raise UnknownError
    if one.jump != other.jump:
        larger = max((one, other), key=lambda axis: axis.size)
        return replace(larger, misaligned=True)
    period = lcm(len(one.lo), len(other.lo))
    ends = [(one.ends(j), other.ends(j)) for j in range(period)]
    return _shortest(
        replace(
            one,
            lo=tuple(min(a[0], b[0]) for a, b in ends),
            hi=tuple(max(a[1], b[1]) for a, b in ends),
            shift=int(one.jump * period),
            misaligned=one.misaligned or other.misaligned,
        )
    )
