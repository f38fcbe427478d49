"""The arithmetic of shapes that several definitions share: windows, one number an axis, broadcasting."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from archcalc.values.trace import Shape


def window_positions(
    sizes: Shape, kernel: Shape, stride: Shape, padding: Shape, dilation: Shape, ceil_mode: bool = False
) -> Shape | None:
    """Output size per axis of a sliding window, ⌊(size + 2·padding − extent)/stride⌋ + 1; None if none fits.

    With `ceil_mode` a last window may hang over the end, provided that it starts inside the input or its left padding.
    """
    out = []
    for n, k, s, p, d in zip(sizes, kernel, stride, padding, dilation, strict=True):
        room = n + 2 * p - d * (k - 1) - 1
        if room < 0 or s < 1 or d < 1 or p < 0 or k < 1:
            return None
        count = room // s + 1
        if ceil_mode and room % s and count * s < n + p:
            count += 1
        out.append(count)
    return tuple(out)


def per_axis(value: Any, axes: int) -> Shape | None:
    """One integer an axis from a single one or a sequence; None where it is neither."""
    if isinstance(value, int):
        return (value,) * axes
    if isinstance(value, (tuple, list)) and len(value) in (1, axes) and all(isinstance(v, int) for v in value):
        return tuple(value) * (axes // len(value))
    return None


def broadcast(shapes: Iterable[Shape]) -> Shape | None:
    """The common shape of operands, by torch's rule; None where they do not fit."""
    out: list[int] = []
    for shape in shapes:
        out[:0] = [1] * (len(shape) - len(out))
        for axis, size in enumerate(reversed(shape), start=1):
            if out[-axis] == 1:
                out[-axis] = size
            elif size not in (1, out[-axis]):
                return None
    return tuple(out)


@cache
def axes_of(kind: str) -> int:
    """The number of spatial axes in a kind's name: 2 of "conv2d" and of "max_pool2d_with_indices"."""
    return next(int(letter) for letter in kind if letter.isdigit())
