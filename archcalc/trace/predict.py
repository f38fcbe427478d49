"""What a call gives: by its rule without running it, or by the memory of an equal call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from torch import Tensor

from archcalc.trace.attention import multi_head
from archcalc.trace.layouts import strides_of
from archcalc.trace.shapes import RULES
from archcalc.trace.tensors import Key, Known, contiguous_strides
from archcalc.values.trace import AtenOp

MULTI_HEAD = "multi_head_attention_forward"
_RULED = frozenset([*RULES, MULTI_HEAD])


class Result(NamedTuple):
    """What a call did: for each output the key of a new tensor, or the position of the argument handed back.

    `container` makes the sequence that holds several outputs of a list of them; None for a single one.
    """

    outputs: tuple[Key | int, ...]
    container: Callable[[list[Tensor]], Any] | None
    aten: tuple[AtenOp, ...]


def container_like(result: Any) -> Callable[[list[Tensor]], Any]:
    """What puts tensors into a sequence like that one, None where it has None."""
    kind, there = type(result), [item is not None for item in result]

    def fill(tensors: list[Tensor]) -> Any:
        left = iter(tensors)
        return kind([next(left) if each else None for each in there])

    return fill


def by_rule(kind: str, in_place: bool, args: Any, kwargs: Any, met: list[Known]) -> Result | None:
    """What a call gives by its shape rule; None where torch is to be asked."""
    operands = met[1:] if kind == "embedding" else met  # its indices are integers
    dtype = operands[0].key[2]
    if kind not in _RULED or not all([known.plain and known.key[2] is dtype for known in operands]):
        return None
    try:
        if kind == MULTI_HEAD:
            several = multi_head(*args, **kwargs)
            return several and Result(
                tuple([(shape, contiguous_strides(shape), dtype) for shape in several[0]]),
                lambda tensors: (*tensors, None)[:2],
                several[1],
            )
        shape = RULES[kind](*args, **kwargs)
    except TypeError:  # arguments that the rule does not know
        return None
    if shape is None:
        return None
    contiguous = all([known.contiguous for known in met])
    if in_place:
        return Result((0,), None, ()) if contiguous and shape == met[0].spec.shape else None
    strides = strides_of(kind, shape, [known.key for known in operands], contiguous)
    return None if strides is None else Result(((shape, strides, dtype),), None, ())
