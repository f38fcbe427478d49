"""Autocast on the meta device, where torch has none: the arguments of a call in the dtype that autocast gives them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from archcalc.ops import definition
from archcalc.ops.definition import FLOAT32_ON_CUDA, LOWER

_FLOATING = frozenset([torch.float32, torch.float16, torch.bfloat16])


def cast(kind: str) -> torch.dtype | None:
    """The dtype that autocast, where it is on, gives the floating arguments of a call; None to leave them."""
    for device in ("cuda", "cpu"):
        if torch.is_autocast_enabled(device):
            wanted = definition(kind).autocast
            if wanted == LOWER:
                return torch.get_autocast_dtype(device)
            return torch.float32 if device == "cuda" and wanted == FLOAT32_ON_CUDA else None
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
