"""What a call gives, without running it: by its definition, or by the memory of an equal call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from archcalc.ops import definition
from archcalc.ops.definition import Definition
from archcalc.ops.layout import Key, strides_of
from archcalc.trace.tensors import TrackedTensor
from archcalc.values.trace import AtenOp


class Result(NamedTuple):
    """What a call did: for each output the key of a new tensor, or the position of the argument handed back.

    `container` makes the sequence that holds several outputs of a list of them; None for a single one.
    """

    outputs: tuple[Key | int, ...]
    container: Callable[[list[Tensor]], Any] | None
    aten: tuple[AtenOp, ...]


Overlaps = list[tuple[int | None, int | None]]
"""For each output of a call which operand it is, and in the memory of which operand it lies, by their positions."""


def overlaps_of(outputs: list[Tensor], operands: list[TrackedTensor]) -> Overlaps | None:
    """What the outputs of a call have in common with its operands; None if one of them is sparse."""
    if any([operand.sparse for operand in operands]) or any([one.layout is not torch.strided for one in outputs]):
        return None
    positions = {id(operand.tensor): at for at, operand in enumerate(operands)}
    memories = {operand.tensor.untyped_storage()._cdata: at for at, operand in enumerate(operands)}
    return [(positions.get(id(one)), memories.get(one.untyped_storage()._cdata)) for one in outputs]


def memoizable_result(
    result: Any,
    outputs: list[Tensor],
    overlaps: Overlaps,
    operands: list[TrackedTensor],
    aten_ops: tuple[AtenOp, ...],
) -> Result | None:
    """What to hand back when an equal call comes; None where only running it again will do."""
    flat = isinstance(result, (tuple, list)) and all([item is None or isinstance(item, Tensor) for item in result])
    if not outputs or not (flat or isinstance(result, Tensor)):
        return None
    kept: list[Key | int] = []
    for output, (operand, memory) in zip(outputs, overlaps, strict=True):
        key: Key = (tuple(output.shape), output.stride(), output.dtype)
        if operand is None and memory is None:
            kept.append(key)
        elif operand is not None and memory is not None and key == operands[operand].key:
            kept.append(operand)
        else:  # a view: a new tensor would not share the memory; or an operand whose shape the call has changed
            return None
    return Result(tuple(kept), _container_like(result) if flat else None, aten_ops)


def _container_like(result: Any) -> Callable[[list[Tensor]], Any]:
    """What puts tensors into a sequence like that one, None where it has None."""
    kind, is_tensor = type(result), [item is not None for item in result]

    def fill(tensors: list[Tensor]) -> Any:
        following = iter(tensors)
        return kind([next(following) if tensor else None for tensor in is_tensor])

    return fill


def predict_result(
    kind: str, in_place: bool, args: tuple[Any, ...], kwargs: dict[str, Any], operands: list[TrackedTensor]
) -> Result | None:
    """What a call gives by the definition of its kind; None where torch is to be asked."""
    known = definition(kind)
    if known.shape is Definition.shape and known.shapes is Definition.shapes:
        return None
    valued = operands[known.index_operands :]
    dtype = valued[0].key[2]
    if not all([operand.rule_applies and operand.key[2] is dtype for operand in valued]):
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
