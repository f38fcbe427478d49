"""Attention: its one kernel as the CPU runs it, and what torch.nn.MultiheadAttention computes, without running it.

On the meta device torch takes attention apart into matrix products, so that its result lies in memory another way
than the kernel's, and other tensors are saved for the backward pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from archcalc.trace.shapes import broadcast
from archcalc.values.trace import AtenOp, Shape, TensorSpec

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


def multi_head(
    query: TensorSpec,
    key: TensorSpec,
    value: TensorSpec,
    width: int,
    heads: int,
    in_weight: TensorSpec | None,
    in_bias: TensorSpec | None,
    bias_k: TensorSpec | None,
    bias_v: TensorSpec | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_weight: TensorSpec,
    out_bias: TensorSpec | None,
    *,
    training: bool = True,
    key_padding_mask: TensorSpec | None = None,
    need_weights: bool = True,
    attn_mask: TensorSpec | None = None,
    is_causal: bool = False,
    average_attn_weights: bool = True,
    **others: Any,
) -> tuple[tuple[Shape, ...], tuple[AtenOp, ...]] | None:
    """Shapes of what `multi_head_attention_forward` puts out, and the products in it; None where torch is asked.

    Sequences are L×N×E and S×N×E, as its module hands them over. All three projections are one product or several,
    depending on which of the sequences are the same: together as large.
    """
    plain = [in_bias, out_bias] if in_bias and out_bias else []
    if len(query.shape) != 3 or key.shape != value.shape or not plain or (training and dropout_p) or add_zero_attn:
        return None
    if any(other for other in (bias_k, bias_v, key_padding_mask, attn_mask, is_causal, *others.values())):
        return None
    length, batch, size = query.shape
    if key.shape[1:] != (batch, size) or size != width or width % heads:
        return None
    wanted = ((3 * width, width), (3 * width,), (width, width), (width,))
    if tuple(each and each.shape for each in (in_weight, in_bias, out_weight, out_bias)) != wanted:
        return None
    other = key.shape[0]
    scores = batch * heads * length * other
    aten = (
        _product("mm", batch * (length + 2 * other) * width, width),
        _product("bmm", scores, width // heads),
        _product("bmm", batch * length * width, other),
        _product("addmm", batch * length * width, width),
    )
    weights = (batch, length, other) if average_attn_weights else (batch, heads, length, other)
    return ((length, batch, width), *([weights] if need_weights else [])), aten


def _product(name: str, elements: int, terms: int) -> AtenOp:
    return AtenOp(f"aten.{name}", 2 * elements * terms, (), elements)


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
