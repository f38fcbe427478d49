"""FLOPs of one torch op: by torch's own registry, and for a few products that the registry leaves out, from here."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import flop_registry

_aten = torch.ops.aten


def _of_the_first(first: Tensor, *rest: Any, **named: Any) -> int:
    """Matrix times vector, or vector times vector: each element of the first is used once."""
    return first.numel()


def _of_the_second(addend: Tensor, matrix: Tensor, *rest: Any, **named: Any) -> int:
    return matrix.numel()


def _batched(addend: Tensor, first: Tensor, second: Tensor, *rest: Any, **named: Any) -> int:
    return first.numel() * second.shape[-1]


def _conv_tbc(input: Tensor, weight: Tensor, bias: Tensor, pad: int = 0) -> int:
    """Time, batch, channels: every output sums over a window of all channels."""
    length = input.shape[0] + 2 * pad - weight.shape[0] + 1
    return length * input.shape[1] * weight.numel()


def _attention(query: Tensor, key: Tensor, value: Tensor, *rest: Any, **named: Any) -> int:
    """Each query with each key, and each score with each value."""
    return prod(query.shape[:-1]) * key.shape[-2] * (query.shape[-1] + value.shape[-1])


def _grouped(first: Tensor, second: Tensor, *rest: Any, **named: Any) -> int:
    """Each row of the first, or column of the second, belongs to one group."""
    rows = first.shape[-2] if second.ndim == 2 else first.numel() // first.shape[-1]
    return int(rows) * int(first.shape[-1]) * int(second.shape[-1])


def _rnn_layer(input: Tensor, input_weight: Tensor, hidden_weight: Tensor, *rest: Any) -> int:
    """One direction of one layer, as oneDNN runs it: each step of the sequence goes through both matrices."""
    return input.shape[0] * input.shape[1] * (input_weight.numel() + hidden_weight.numel())


_MULTIPLY_ADDS: dict[Any, Callable[..., int]] = {
    _aten.mv: _of_the_first,
    _aten._grouped_mm: _grouped,
    _aten.dot: _of_the_first,
    _aten.vdot: _of_the_first,
    _aten.addmv: _of_the_second,
    _aten.addbmm: _batched,
    _aten.conv_tbc: _conv_tbc,
    _aten.mkldnn_rnn_layer: _rnn_layer,
    _aten._scaled_dot_product_flash_attention_for_cpu: _attention,
}
_MATRICES: dict[Any, int] = {_aten.mm: 0, _aten.mv: 0, _aten.addmm: 1, _aten._sparse_addmm: 1}
"""Products of two matrices of which one may be sparse, and where the first of them stands."""


@cache
def _out_of_place(op: Any) -> Any:
    """`addmm` for `addmm_`, and the like."""
    name = getattr(op, "__name__", "")
    return getattr(_aten, name[:-1], op) if name.endswith("_") and not name.endswith("__") else op


def counts(op: Any) -> bool:
    """Whether an op has a count, and so must not be decomposed into simpler aten ops."""
    op = _out_of_place(op)
    return op in flop_registry or op in _MULTIPLY_ADDS


def flops(op: Any, args: Any, kwargs: Any, result: Any) -> int | None:
    """Two FLOPs a multiply-add; None where nobody knows."""
    if any(isinstance(arg, Tensor) and arg.layout is not torch.strided for arg in args):
        return _of_a_sparse_product(op, args)
    op = _out_of_place(op)
    if op in _MULTIPLY_ADDS:
        return 2 * _MULTIPLY_ADDS[op](*args, **kwargs)
    formula = flop_registry.get(op)
    return None if formula is None else int(formula(*args, **kwargs, out_val=result))


def _of_a_sparse_product(op: Any, args: Any) -> int | None:
    """Each element that is there meets a row, or a column, of the dense matrix."""
    place = _MATRICES.get(op)
    if place is None:
        return None
    first, second = args[place : place + 2]
    sparse, dense = (second, first) if first.layout is torch.strided else (first, second)
    if sparse.layout is torch.strided or dense.layout is not torch.strided:
        return None  # how many elements of two sparse matrices meet depends on where they are
    elements: int = sparse._nnz()
    return 2 * elements * (int(dense.numel()) // int(first.shape[-1]))
