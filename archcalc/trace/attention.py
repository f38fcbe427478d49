"""Attention on the meta device as the one kernel that the CPU runs.

On the meta device torch takes attention apart into matrix products, so that its result lies in memory another way
than the kernel's, and other tensors are saved for the backward pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor

from archcalc.ops.shapes import broadcast

PLAIN = F.scaled_dot_product_attention
_KERNEL = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
_FLOATING = (torch.float32, torch.bfloat16, torch.float16, torch.float64)


@contextmanager
def as_on_the_cpu() -> Iterator[None]:
    """Within it attention beneath other calls is the CPU's as well; tensors with data are left to torch."""
    F.scaled_dot_product_attention = attention
    try:
        yield
    finally:
        F.scaled_dot_product_attention = PLAIN


def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """What `scaled_dot_product_attention` gives on meta tensors, laid out as on the CPU."""
    if (
        dropout_p
        or not query.is_meta
        or not _fit(query, key, value, enable_gqa)
        or not _masks(attn_mask, is_causal, query, key)
    ):
        return PLAIN(query, key, value, attn_mask, dropout_p, is_causal, scale=scale, enable_gqa=enable_gqa)
    if attn_mask is not None and attn_mask.dtype is torch.bool:
        attn_mask = torch.zeros_like(attn_mask, dtype=query.dtype)
    result: Tensor = _KERNEL(query, key, value, 0.0, is_causal, attn_mask=attn_mask, scale=scale)[0]
    return result


def _fit(query: Tensor, key: Tensor, value: Tensor, enable_gqa: bool) -> bool:
    """Whether the kernel takes them: four axes, one width for all, one dtype, heads of keys that are shared evenly."""
    if any(tensor.ndim != 4 or 0 in tensor.shape or tensor.stride(-1) != 1 for tensor in (query, key, value)):
        return False
    heads = query.shape[1] == key.shape[1] or (enable_gqa and query.shape[1] % key.shape[1] == 0)
    return (
        heads
        and key.shape == value.shape
        and (query.shape[0], query.shape[3]) == (key.shape[0], key.shape[3])
        and query.dtype == key.dtype == value.dtype
        and query.dtype in _FLOATING
    )


def _masks(mask: Tensor | None, is_causal: bool, query: Tensor, key: Tensor) -> bool:
    if mask is None:
        return True
    scores = (*query.shape[:-1], key.shape[-2])
    return (
        not is_causal
        and not mask.requires_grad
        and mask.ndim in (2, 4)
        and mask.dtype in (torch.bool, query.dtype)
        and broadcast((scores, tuple(mask.shape))) == scores
    )
