"""What a call gives, without running it: by its definition, or by the memory of an equal call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from torch import Tensor

from archcalc.ops import definition
from archcalc.ops.definition import Definition
from archcalc.ops.layout import Key, strides_of
from archcalc.trace.tensors import Known
from archcalc.values.trace import AtenOp


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


def predict_result(
    kind: str, in_place: bool, args: tuple[Any, ...], kwargs: dict[str, Any], operands: list[Known]
) -> Result | None:
    """What a call gives by the definition of its kind; None where torch is to be asked."""
    known = definition(kind)
    if known.shape is Definition.shape and known.shapes is Definition.shapes:
        return None
    valued = operands[known.index_operands :]
    dtype = valued[0].key[2]
    if not all([operand.plain and operand.key[2] is dtype for operand in valued]):
        return None
    try:
        call = known.parse(kind, args, kwargs)
        shapes = call.shapes()
    except TypeError:  # arguments that the definition does not know
        return None
    if shapes is None:
        return None
    contiguous = all([operand.contiguous for operand in operands])
    if in_place:
        return Result((0,), None, ()) if contiguous and shapes[0] == operands[0].spec.shape else None
    outputs: list[Key] = []
    for shape in shapes:
        strides = strides_of(known.layout, shape, [operand.key for operand in valued], contiguous)
        if strides is None:
            return None
        outputs.append((shape, strides, dtype))
    missing = known.most_outputs - len(outputs)
    container = None if known.most_outputs == 1 else lambda tensors: (*tensors, *[None] * missing)
    return Result(tuple(outputs), container, call.aten_ops())
