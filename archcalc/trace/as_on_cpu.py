"""Torch ops whose kernels for the meta device differ from those of the CPU, as they are on the CPU."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from archcalc.trace.tensors import empty

_EMBEDDING_BAG_DEFAULTS = (None, None, None, False, 0, False, None, False, -1)
_EMBEDDING_BAGS = (torch.ops.aten._embedding_bag, torch.ops.aten._embedding_bag_forward_only)


def run_op(func: Any, args: Any, kwargs: Any) -> Any:
    """What an op gives: on meta tensors what the CPU's kernel would."""
    packet = func._overloadpacket
    if packet is torch.ops.aten._grouped_mm and _is_full_precision(*args[:2]):
        return _grouped_mm(args[0], args[1], args[2] if len(args) > 2 else kwargs.get("offs"))
    result = func(*args, **kwargs)
    if packet is torch.ops.aten.native_batch_norm and not args[5]:
        # outside training the real kernels leave the statistics of the batch empty, the meta kernel does not
        with torch._C.DisableTorchFunction():
            result = (result[0], result[1].new_empty(0), result[2].new_empty(0))
    if packet in _EMBEDDING_BAGS and args[0].is_meta:
        with torch.no_grad(), torch._C.DisableTorchFunction():
            mode, padding = (*args, *_EMBEDDING_BAG_DEFAULTS[len(args) :])[4::4]
            result = _embedding_bag(result, args[0], args[1], args[2], mode, padding)
    return result


def _embedding_bag(result: Any, weight: Tensor, ids: Tensor, starts: Tensor, mode: int, padding: int) -> Any:
    """What the CPU's kernel puts out beside the bags: the bag of each id, unless it sums at once, and what it took."""
    bags, _, sizes, taken = result
    at_once = mode == 0 and padding < 0 and weight.dtype in (torch.float32, torch.float16, torch.bfloat16)
    bag_of_id = ids.new_empty(0) if at_once else ids.new_empty(len(ids) + 1)[:-1]
    return bags, bag_of_id, sizes, taken if mode == 2 else starts.new_empty(len(bags))


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
