"""Autocast on the meta device, where torch has none: the arguments of a call in the dtype that autocast gives them.

The lists are those of torch's documentation of autocast: products in the lower precision, and on CUDA what may
overflow in float32. Kinds that are in neither take what they get.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

_PRODUCTS = frozenset(
    """conv1d conv2d conv3d conv_tbc conv_transpose1d conv_transpose2d conv_transpose3d convolution linear matmul
    rmatmul mm bmm mv addmm addmv addbmm baddbmm addr multi_dot chain_matmul einsum linalg_vecdot
    scaled_dot_product_attention multi_head_attention_forward""".split()
)
_WIDE_ON_CUDA = frozenset(
    """softmax log_softmax softmin layer_norm group_norm rms_norm exp expm1 log log10 log1p log2 pow rsqrt reciprocal
    sum cumsum prod cumprod norm renorm dist cdist cosine_similarity softplus erfinv acos asin cosh sinh tan
    cross_entropy nll_loss mse_loss l1_loss smooth_l1_loss huber_loss kl_div binary_cross_entropy_with_logits
    poisson_nll_loss cosine_embedding_loss margin_ranking_loss triplet_margin_loss ctc_loss""".split()
)
_FLOATING = frozenset([torch.float32, torch.float16, torch.bfloat16])


def cast(kind: str) -> torch.dtype | None:
    """The dtype that autocast, where it is on, gives the floating arguments of a call; None to leave them."""
    for device in ("cuda", "cpu"):
        if torch.is_autocast_enabled(device):
            if kind in _PRODUCTS:
                return torch.get_autocast_dtype(device)
            return torch.float32 if device == "cuda" and kind in _WIDE_ON_CUDA else None
    return None


def as_dtype(tree: Any, dtype: torch.dtype) -> Any:
    """The same arguments with every tensor of a floating dtype in that one; masks and indices stay what they are."""
    if isinstance(tree, Tensor):
        return tree.to(dtype) if tree.dtype in _FLOATING else tree
    if type(tree) in (tuple, list):
        return type(tree)([as_dtype(item, dtype) for item in tree])
    if type(tree) is dict:
        return {name: as_dtype(item, dtype) for name, item in tree.items()}
    return tree
