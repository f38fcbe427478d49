"""Inputs: from shapes to tensors without data."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from archcalc.errors import UsageError
from archcalc.trace.sizes import checked


def tensors(module: nn.Module, inputs: Any) -> Any:
    """`inputs` with a tensor without data for every shape in it, in the dtype of the module's weights.

    A shape is a tuple or list of integers; lists, tuples and dicts may hold several; tensors stay as they are.
    """
    dtype = next((p.dtype for p in module.parameters() if p.is_floating_point()), torch.float32)
    return _tensors(inputs, dtype)


def _tensors(inputs: Any, dtype: torch.dtype) -> Any:
    if isinstance(inputs, Tensor):
        return inputs
    if isinstance(inputs, dict):
        return {name: _tensors(value, dtype) for name, value in inputs.items()}
    if isinstance(inputs, (tuple, list)):
        if inputs and all(isinstance(size, int) and not isinstance(size, bool) for size in inputs):
            return torch.empty(checked(tuple(inputs)), dtype=dtype, device="meta")
        return [_tensors(value, dtype) for value in inputs]
    raise UsageError(
        f"an input is a shape such as (1, 3, 224, 224), a tensor, or a list or dict of those, not {inputs!r}"
    )


def with_values(inputs: Any) -> Any:
    """`inputs` with random values, seeded, for every tensor that has no data; the others stay as they are."""
    if isinstance(inputs, Tensor):
        if not inputs.is_meta:
            return inputs
        seeded = torch.Generator().manual_seed(0)
        return torch.rand(inputs.shape, generator=seeded).to(inputs.dtype)
    if isinstance(inputs, dict):
        return {name: with_values(value) for name, value in inputs.items()}
    if isinstance(inputs, (tuple, list)):
        return type(inputs)(with_values(value) for value in inputs)
    return inputs
