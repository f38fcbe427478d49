"""How a result lies in memory, as torch's CPU kernels lay it out.

For contiguous operands the shape of the result is enough. With transposed and permuted operands, which every
transformer makes, a later `view` depends on the strides of the result too. `tests/ops/test_layout.py` compares these
rules with the CPU's kernels over random layouts. None means that the call has to run.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from archcalc.values.trace import Shape

Key = tuple[Shape, Shape, Any]
"""Shape, stride and dtype of a tensor: all that the shape and layout of a result can depend on."""


class Layout(StrEnum):
    """How the result of a kind of call lies in memory where its operands are not all contiguous."""

    UNKNOWN = "unknown"  # torch has to run it
    NEW = "new"  # new contiguous memory, whatever the operands
    ELEMENTWISE = "elementwise"  # as torch's iterator over elements lays it out
    CHANNELS_LAST = "channels last"  # images keep their channels last, other ranks get new memory
    AS_QUERY = "as query"  # as that of attention's query


def contiguous_strides(shape: Shape) -> Shape:
    """The strides of a new tensor: the last axis lies closest."""
    strides = [1]
    for size in shape[:0:-1]:
        strides.append(strides[-1] * size)
    return tuple(strides[::-1]) if shape else ()


def strides_of(layout: Layout, shape: Shape, operands: Sequence[Key], contiguous: bool) -> Shape | None:
    """The strides of a call's result of that shape; `contiguous` says whether all operands are."""
    if layout is Layout.AS_QUERY:
        return _attention(shape, operands)
    if contiguous:
        return contiguous_strides(shape)
    if layout is Layout.ELEMENTWISE:
        return _elementwise(shape, operands)
    if layout is Layout.NEW or (layout is Layout.CHANNELS_LAST and len(shape) not in (4, 5)):
        return contiguous_strides(shape)
    if layout is Layout.CHANNELS_LAST and len(shape) == 4:
        return _channels_last(shape, operands)
    return None


def _channels_last(shape: Shape, operands: Sequence[Key]) -> Shape | None:
    """Channels last where all images are so or contiguous; None where an axis of size 1 makes it ambiguous."""
    images = [key for key in operands if len(key[0]) == 4]
    first, strides, _ = images[0]
    if 1 in first[1:] or strides != _channels_last_strides(first):
        return None
    known = all(key[1] in (_channels_last_strides(key[0]), contiguous_strides(key[0])) for key in images)
    return _channels_last_strides(shape) if known else None


def _channels_last_strides(shape: Shape) -> Shape:
    channels, height, width = shape[1:]
    return (height * width * channels, 1, width * channels, channels)


def _elementwise(shape: Shape, operands: Sequence[Key]) -> Shape:
    """As torch's TensorIterator: a dense layout that all operands share is kept, else axes are sorted by strides."""
    strides = [_broadcast(key, shape) for key in operands]
    first = operands[0]
    if all(key[:2] == first[:2] for key in operands) and _dense(*first[:2]):
        return first[1]
    order = list(range(len(shape)))[::-1]
    for start in range(1, len(order)):
        inner = start
        for outer in range(start - 1, -1, -1):
            order_wanted = _compared(order[outer], order[inner], shape, strides)
            if order_wanted > 0:
                order[outer], order[inner] = order[inner], order[outer]
                inner = outer
            elif order_wanted < 0:
                break
    result, step = [0] * len(shape), 1
    for axis in order:
        result[axis] = step
        step *= shape[axis]
    return tuple(result)


def _broadcast(key: Key, shape: Shape) -> Shape:
    """The strides of an operand along the axes of the result: 0 where it is repeated."""
    missing = len(shape) - len(key[0])
    own = [
        0 if size == 1 and full != 1 else stride for size, stride, full in zip(*key[:2], shape[missing:], strict=True)
    ]
    return (0,) * missing + tuple(own)


def _dense(shape: Shape, strides: Shape) -> bool:
    """Whether its elements fill one stretch of memory, each once."""
    step = 1
    for stride, size in sorted(pair for pair in zip(strides, shape, strict=True) if pair[1] != 1):
        if stride != step:
            return False
        step *= size
    return True


def _compared(inner: int, outer: int, shape: Shape, strides: Sequence[Shape]) -> int:
    """1 if `inner` should lie outside `outer`, -1 if not, 0 if no operand decides."""
    for stride in strides:
        if not stride[inner] or not stride[outer]:
            continue
        if stride[inner] != stride[outer]:
            return 1 if stride[inner] > stride[outer] else -1
        if shape[inner] > shape[outer]:
            return 1
    return 0


def _attention(shape: Shape, operands: Sequence[Key]) -> Shape | None:
    """The CPU's kernel gives the result the query's layout; it needs the last axis contiguous."""
    fit = len(operands) == 3 and all(key[1][-1] == 1 for key in operands)
    return _elementwise(shape, operands[:1]) if fit else None
