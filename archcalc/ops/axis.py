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
from functools import cache
from math import gcd, lcm

from archcalc.values.axis_field import AxisField
from archcalc.values.steps import composed, is_rising, starts_of, steps, value_at


class UnknownError(Exception):
    """The positions of a receptive field cannot be followed through a call."""


def _mapped(
    axis: AxisField, period: int, step: int, first: Callable[[int], int], last: Callable[[int], int]
) -> AxisField:
    """The field of outputs j that read the inputs from `first(j)` to `last(j)`, neither of which falls as j grows.

    Outputs `period` further on read inputs `step` further on.
    """
    outputs = _common_period(axis, period, step)
    lo = composed(axis.lo, axis.shift, outputs, first)
    hi = composed(axis.hi, axis.shift, outputs, last)
    return _shortest(replace(axis, lo=lo, hi=hi, shift=outputs * step * axis.shift // (period * len(axis.lo))))


def _mapped_one_by_one(axis: AxisField, period: int, step: int, read: Callable[[int], Sequence[int]]) -> AxisField:
    """The field of outputs j that read the inputs `read(j)`, which may have gaps; the reads repeat as for `_mapped`."""
    outputs = _common_period(axis, period, step)
    ends = [[axis.ends(i) for i in read(j)] for j in range(outputs)]
    if not all(ends):
        raise UnknownError
    lo = steps(outputs, ((j, min(first for first, _ in seen)) for j, seen in enumerate(ends)))
    hi = steps(outputs, ((j, max(last for _, last in seen)) for j, seen in enumerate(ends)))
    return _shortest(replace(axis, lo=lo, hi=hi, shift=outputs * step * axis.shift // (period * len(axis.lo))))


def _common_period(axis: AxisField, period: int, step: int) -> int:
    """Outputs after which both the pattern of reading and the periodic field that is read repeat."""
    before = len(axis.lo)
    return period * before // gcd(before, step)


def _shortest(axis: AxisField) -> AxisField:
    """The same field, written with its shortest period."""
    period = len(axis.lo)
    starts = {*starts_of(axis.lo), *starts_of(axis.hi)}
    turns_in_shift = gcd(period, axis.shift)
    # the ends move on in every period, however short, so that no more periods than steps can lie in this one
    for turns in range(min(turns_in_shift, len(starts) + 1), 1, -1):
        short, part = period // turns, axis.shift // turns
        places = [*starts, *[start - short for start in starts]]
        if turns_in_shift % turns == 0 and all(
            axis.ends(j + short) == (axis.ends(j)[0] + part, axis.ends(j)[1] + part) for j in places
        ):
            lo, hi = (
                steps(short, ((start, ends[start]) for start in starts_of(ends) if start < short))
                for ends in (axis.lo, axis.hi)
            )
            return replace(axis, lo=lo, hi=hi, shift=part)
    return axis


def _is_rising(axis: AxisField) -> bool:
    """Whether units further on see no earlier pixels, so that a window sees what its first and last positions do."""
    return is_rising(axis.lo, axis.shift) and is_rising(axis.hi, axis.shift)


@cache
def through_window(axis: AxisField, kernel: int, stride: int, padding: int, dilation: int) -> AxisField:
    """Through a window: unit j reads the positions j · stride − padding + k · dilation."""
    reach = dilation * (kernel - 1) - padding
    if len(axis.lo) == 1:
        first = axis.lo[0] - padding * axis.shift
        last = axis.hi[0] + reach * axis.shift
        return replace(axis, lo=(first,), hi=(last,), shift=axis.shift * stride)
    if _is_rising(axis):
        return _mapped(axis, 1, stride, lambda j: j * stride - padding, lambda j: j * stride + reach)
    return _mapped_one_by_one(axis, 1, stride, lambda j: [j * stride - padding + k * dilation for k in range(kernel)])


@cache
def through_transposed_window(axis: AxisField, kernel: int, stride: int, padding: int, dilation: int) -> AxisField:
    """Through a transposed window: unit j is reached from i where j = i · stride − padding + k · dilation."""
    if dilation == 1 and kernel >= stride and _is_rising(axis):  # then there are no gaps in what a unit reads
        first, last = padding - kernel + stride, padding
        return _mapped(axis, stride, 1, lambda j: (j + first) // stride, lambda j: (j + last) // stride)

    reaching: dict[int, list[int]] = {}  # by the remainder of j + padding: what has to be taken off it
    for offset in range(0, kernel * dilation, dilation):
        reaching.setdefault(offset % stride, []).append(offset)

    def read(j: int) -> list[int]:
        return [(j + padding - offset) // stride for offset in reaching.get((j + padding) % stride, ())]

    return _mapped_one_by_one(axis, stride, 1, read)


@cache
def upsampled(axis: AxisField, factor: int, linear: bool) -> AxisField:
    """Upsampled: each position `factor` times; linear interpolation also reads the nearer neighbour."""

    def below(j: int) -> int:
        # the centre of pixel j lies at (j + 1/2)/factor − 1/2 of the smaller grid
        return (2 * j + 1 - factor) // (2 * factor) if linear else j // factor

    def above(j: int) -> int:
        return -((factor - 2 * j - 1) // (2 * factor)) if linear else j // factor

    if _is_rising(axis):
        return _mapped(axis, factor, 1, below, above)
    return _mapped_one_by_one(axis, factor, 1, lambda j: [below(j), above(j)])


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
    shift = int(one.jump * period)
    return _shortest(
        replace(
            one,
            lo=_extreme(min, (one.lo, one.shift), (other.lo, other.shift), period),
            hi=_extreme(max, (one.hi, one.shift), (other.hi, other.shift), period),
            shift=shift,
            misaligned=one.misaligned or other.misaligned,
        )
    )


def _extreme(
    choose: Callable[[int, int], int], one: tuple[Sequence[int], int], other: tuple[Sequence[int], int], period: int
) -> Sequence[int]:
    """The smaller or larger of two functions, each given by its values and its shift, for one common period."""
    starts = sorted(
        {
            turn + start
            for values, _ in (one, other)
            for turn in range(0, period, len(values))
            for start in starts_of(values)
        }
    )
    return steps(period, ((at, choose(value_at(*one, at), value_at(*other, at))) for at in starts))
