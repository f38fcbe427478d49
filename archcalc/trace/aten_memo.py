"""What torch ops on tensors without data have given, so that an equal op need not run again.

Torch's kernels for the meta device are written in Python for many ops and take up to a hundred times as long as the
tensor that they give. A loop over time steps runs the same few ops on the same shapes at every step.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from archcalc.ops.layout import Key
from archcalc.trace.tensors import empty, tensors_in
from archcalc.values.trace import AtenOp

_TENSORS = (Tensor, nn.Parameter, nn.Buffer)
_VALUES = frozenset([int, float, bool, str, type(None), complex, torch.dtype, torch.device, torch.memory_format])
_VALUES |= {torch.layout}
_FILLS = frozenset([torch.ops.aten.copy_, torch.ops.aten.fill_, torch.ops.aten.zero_])


class _Given(NamedTuple):
    """What an op gave: the keys of its new tensors, how they are put together, and the op as a fact.

    An op that writes to its first argument gave that back, and no new tensor.
    """

    outputs: tuple[Key, ...]
    container: Callable[[list[Tensor]], Any]
    op: AtenOp


class _Recalled(NamedTuple):
    """What an equal op gives, and the op as a fact."""

    result: Any
    op: AtenOp


class AtenMemo:
    """Ops that have run in one trace, by the function and all that their results depend on."""

    def __init__(self) -> None:
        self._given: dict[tuple[Any, ...], _Given] = {}

    def recall(self, key: tuple[Any, ...], args: Any) -> _Recalled | None:
        """New tensors like those that an equal op gave, and the op as a fact; None if there was no equal one."""
        given = self._given.get(key)
        if given is None:
            return None
        if not given.outputs:
            return _Recalled(args[0], given.op)
        return _Recalled(given.container([empty(output) for output in given.outputs]), given.op)

    def keep(self, key: tuple[Any, ...], args: Any, result: Any, op: AtenOp) -> None:
        """Remember what an op gave, if that is tensors alone, each of which new memory of its own can stand for."""
        if result is args[0]:
            self._given[key] = _Given((), _only, op)
            return
        several = type(result) in (tuple, list)
        outputs = list(result) if several else [result]
        if not outputs or not all([isinstance(output, Tensor) and output.is_meta for output in outputs]):
            return
        memories = [tensor.untyped_storage()._cdata for tensor in (*outputs, *tensors_in(args))]
        if any(memories.count(memory) > 1 for memory in memories[: len(outputs)]):
            return  # the schema of _unsafe_view does not say that it gives a view
        keys: list[Key] = [(tuple(output.shape), output.stride(), output.dtype) for output in outputs]
        if all(_is_like(output, empty(one)) for output, one in zip(outputs, keys, strict=True)):
            self._given[key] = _Given(tuple(keys), type(result) if several else _only, op)


def _is_like(output: Tensor, new: Tensor) -> bool:
    """Whether a new tensor lies in its memory as an output of the same shape and strides does."""
    plain = not output.storage_offset() and not output.is_conj() and not output.is_neg()
    return plain and output.untyped_storage().nbytes() == new.untyped_storage().nbytes()


def memo_key(func: Any, args: Any, kwargs: Any) -> tuple[Any, ...] | None:
    """What equal ops share; None for one that gives views or has arguments that are not plain."""
    if not (_gives_new_tensors(func) or _writes_elementwise(func)):
        return None
    key = [func, torch.is_grad_enabled()]
    memoizable = _add(key, args) and (not kwargs or _add(key, (*kwargs, *kwargs.values())))
    return tuple(key) if memoizable else None


def _add(key: list[Any], values: Any) -> bool:
    """Add arguments to a key; False if what an op makes of one of them is not known from what a key holds."""
    key.append(len(values))
    for value in values:
        kind = type(value)
        if kind in _TENSORS:
            if not value.is_meta or value.layout is not torch.strided or value.is_conj() or value.is_neg():
                return False
            key += (tuple(value.shape), value.stride(), value.dtype, value.requires_grad)
        elif kind in _VALUES:
            key += (kind, value)  # 1, 1.0 and True are equal, but not the same argument
        elif kind not in (tuple, list) or not _add(key, value):
            return False
    return True


@cache
def _gives_new_tensors(func: Any) -> bool:
    schema = func._schema
    return bool(schema.returns) and not any(one.alias_info for one in (*schema.arguments, *schema.returns))


@cache
def _writes_elementwise(func: Any) -> bool:
    """Whether an op does nothing but write to the elements of its first argument, which it gives back."""
    first, *others = func._schema.arguments or [None]
    written = first is not None and first.alias_info is not None and first.alias_info.is_write
    elementwise = torch.Tag.pointwise in func.tags or func._overloadpacket in _FILLS
    return written and elementwise and not any(one.alias_info for one in others)


def _only(tensors: list[Tensor]) -> Tensor:
    return tensors[0]
