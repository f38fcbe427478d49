"""Torch ops whose kernels for the meta device differ from those of the CPU, as they are on the CPU."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from archcalc.trace.recurrent import rnn_layer
from archcalc.trace.tensors import empty


def run_op(func: Any, args: Any, kwargs: Any) -> Any:
    """What an op gives: on meta tensors what the CPU's kernel would."""
    packet = func._overloadpacket
    if packet is torch.ops.aten._grouped_mm and _is_full_precision(*args[:2]):
        return _grouped_mm(args[0], args[1], args[2] if len(args) > 2 else kwargs.get("offs"))
    if packet is torch.ops.aten.mkldnn_rnn_layer and args[0].is_meta:
        return rnn_layer(*args[:3])
    result = func(*args, **kwargs)
    if packet is torch.ops.aten._embedding_bag and args[1].is_meta:
        return (result[0], *_bags(*args, **kwargs))
    if func in _BATCH_NORMS and not args[5]:
        # outside training the real kernels leave the statistics of the batch empty, the meta kernel does not
        with torch._C.DisableTorchFunction():
            result = (result[0], result[1].new_empty(0), result[2].new_empty(0))
    return result


_BATCH_NORMS = (torch.ops.aten.native_batch_norm.default, torch.ops.aten._native_batch_norm_legit.default)


def _bags(
    weight: Tensor,
    indices: Tensor,
    offsets: Tensor,
    scale_grad_by_freq: bool = False,
    mode: int = 0,
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int = -1,
) -> tuple[Tensor, ...]:
    """What `_embedding_bag` gives beside its output: bags of indices, sizes of bags, places of the largest.

    Sums (mode 0) need no list of bags where one kernel makes them. A list has a place more than there are indices, and
    the sizes a place for each offset; the places of the largest are there for each column in mode 2 alone.
    """
    strided = weight.stride(1) == 1 and (per_sample_weights is None or per_sample_weights.stride(0) == 1)
    at_once = mode == 0 and strided and padding_idx < 0 and weight.dtype is not torch.float64
    bags = len(offsets) - include_last_offset
    of_index = _within(0 if at_once else len(indices) + 1, 0 if at_once else len(indices), indices.dtype)
    sizes = _within(len(offsets), bags, offsets.dtype)
    places = (bags, weight.shape[1]) if mode == 2 else (bags,)
    return of_index, sizes, empty((places, (*places[1:], 1), indices.dtype))


def _within(length: int, used: int, dtype: torch.dtype) -> Tensor:
    """A vector of which only the first places are used."""
    with torch._C._DisableTorchDispatch(), torch._C.DisableTorchFunction():
        return empty(((length,), (1,), dtype))[:used]


def _is_full_precision(first: Tensor, second: Tensor) -> bool:
    """Whether the meta kernel, which takes bfloat16 alone, would refuse two factors for their dtype."""
    return first.is_meta and first.dtype is second.dtype and first.dtype in (torch.float32, torch.float16)


def _grouped_mm(first: Tensor, second: Tensor, ends: Tensor | None) -> Tensor:
    """Products of groups of rows, columns or whole matrices; rows of the result begin at multiples of 16 bytes."""
    if first.shape[-1] != second.shape[-2] or (first.ndim == second.ndim == 3 and len(first) != len(second)):
        raise RuntimeError("contraction dimension of mat_a and mat_b must match")
    if (first.ndim == second.ndim == 3) != (ends is None):
        raise RuntimeError("offsets are for groups within a matrix, and needed there")
    for factor in (first, second):
        _check_strides(factor)
    groups = [len(one) for one in (first, second) if one.ndim == 3][:1]
    if first.ndim == second.ndim == 2:
        assert ends is not None
        groups = [len(ends)]
    shape = (*(groups if first.ndim == second.ndim else ()), first.shape[-2], second.shape[-1])
    aligned = 16 // first.dtype.itemsize
    row = -(-shape[-1] // aligned) * aligned
    return empty((shape, (*([row * shape[-2]] if len(shape) == 3 else ()), row, 1), first.dtype))


def _check_strides(factor: Tensor) -> None:
    """Rows, or columns where these are contiguous, must begin at multiples of 16 bytes."""
    (rows, columns), (of_row, of_column) = factor.shape[-2:], factor.stride()[-2:]
    if of_row == 1 and of_column >= max(1, rows):
        step = of_column
    elif of_column == 1 and of_row >= max(1, columns):
        step = of_row
    else:
        raise RuntimeError(f"Invalid strides/sizes, got {factor.stride()} for strides and {factor.shape} for sizes")
    if step * factor.element_size() % 16:
        raise RuntimeError(f"the strides of a factor must be multiples of 16 bytes, got {factor.stride()}")
