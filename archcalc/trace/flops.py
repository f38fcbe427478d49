"""FLOPs of one torch op: by torch's own registry, and for a few products that the registry leaves out, from here."""

from __future__ import annotations

from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import flop_registry

_aten = torch.ops.aten


def _of_the_first(first: Tensor, *rest: Any) -> int:
    """Matrix times vector, or vector times vector: each element of the first is used once."""
    return first.numel()


def _of_the_second(addend: Tensor, matrix: Tensor, *rest: Any) -> int:
    return matrix.numel()


def _batched(addend: Tensor, first: Tensor, second: Tensor, *rest: Any) -> int:
    return first.numel() * second.shape[-1]


def _conv_tbc(input: Tensor, weight: Tensor, bias: Tensor, pad: int = 0) -> int:
    """Time, batch, channels: every output sums over a window of all channels."""
    length = input.shape[0] + 2 * pad - weight.shape[0] + 1
    return length * input.shape[1] * weight.numel()


def _attention(query: Tensor, key: Tensor, value: Tensor, *rest: Any) -> int:
    """Each query with each key, and each score with each value."""
    return prod(query.shape[:-1]) * key.shape[-2] * (query.shape[-1] + value.shape[-1])


_MULTIPLY_ADDS = {
    _aten.mv: _of_the_first,
    _aten.dot: _of_the_first,
    _aten.vdot: _of_the_first,
    _aten.addmv: _of_the_second,
    _aten.addbmm: _batched,
    _aten.conv_tbc: _conv_tbc,
    _aten._scaled_dot_product_flash_attention_for_cpu: _attention,
}
_SPARSE = {_aten.mm: 0, _aten.addmm: 1, _aten._sparse_addmm: 1}
"""Products with a sparse matrix, and where it stands."""


def counts(op: Any) -> bool:
    """Whether an op has a count, and must not be taken apart."""
    return op in flop_registry or op in _MULTIPLY_ADDS


def flops(op: Any, args: Any, kwargs: Any, result: Any) -> int | None:
    """Two FLOPs a multiply-add; None where nobody knows."""
    if any(isinstance(arg, Tensor) and arg.layout is not torch.strided for arg in args):
        place = _SPARSE.get(op)
        if place is None or args[place].layout is torch.strided or args[place + 1].layout is not torch.strided:
            return None  # how many elements meet depends on where they are
        return 2 * int(args[place]._nnz()) * int(args[place + 1].shape[-1])
    if op in _MULTIPLY_ADDS:
        named = {name: value for name, value in kwargs.items() if isinstance(value, Tensor) and name != "out"}
        return 2 * _MULTIPLY_ADDS[op](*args, **named)
    formula = flop_registry.get(op)
    return None if formula is None else int(formula(*args, **kwargs, out_val=result))
