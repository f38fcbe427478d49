"""The arguments of a call, read once: as the trace keeps them, and as a key that equal calls share."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import torch
from torch import Tensor

from archcalc.trace.tensor_table import TensorTable
from archcalc.trace.tensors import TrackedTensor
from archcalc.values.trace import Slice

_SCALARS = frozenset([int, float, bool, str, type(None), complex])
_WRITTEN_AS_TEXT = (torch.dtype, torch.device, torch.memory_format, torch.layout, type(...))


class Description:
    """What `read` has found in the arguments of one call so far.

    `operands` are the tensors among them, in order. `key` holds all that the result can depend on, unless the call is
    not `memoizable`: then an argument may act on it in ways that are not seen here. `opaque`: one of them is a tensor
    whose shape does not tell what it holds.
    """

    __slots__ = ("_tensors", "key", "memoizable", "opaque", "operands")

    def __init__(self, tensors: TensorTable, func: Any = None) -> None:
        self._tensors = tensors
        self.key: list[Any] = [func]
        self.operands: list[TrackedTensor] = []
        self.memoizable = True
        self.opaque = False

    def read(self, value: Any) -> Any:
        """An argument with a TensorSpec for each tensor in it, and the name of its type for an object of any other."""
        kind = type(value)
        if kind in _SCALARS:
            self.key += (kind, value)  # 1, 1.0 and True are equal, but not the same argument
            return value
        if isinstance(value, Tensor):
            operand = self._tensors.track(value)
            if operand is None:
                self.opaque = True
                return kind.__name__
            if operand.sparse:
                self.memoizable = False
            self.key.append(operand.key)
            self.operands.append(operand)
            return operand.spec
        if kind in (tuple, list, torch.Size):
            self.key.append(len(value))
            return tuple([self.read(item) for item in value])
        if kind is dict:
            self.key.append(tuple(value))
            return {name: self.read(item) for name, item in value.items()}
        if kind is slice:
            return Slice(*self.read((value.start, value.stop, value.step)))
        if isinstance(value, _WRITTEN_AS_TEXT):
            self.key.append(value)
            return str(value)
        if isinstance(value, (Integral, float, str)):  # numpy's numbers, members of an IntEnum
            base = str if isinstance(value, str) else float if isinstance(value, float) else int
            return self.read(base(value))
        if isinstance(value, (tuple, list)):  # such as the lists of torch.fx
            return self.read(tuple(value))
        self.memoizable = False
        return kind.__name__
