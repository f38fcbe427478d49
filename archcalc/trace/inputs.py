"""Inputs: from shapes to tensors without data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from typing import Any

import torch
from torch import Tensor, nn

from archcalc.trace.tensors import mapped, tensors_in
from archcalc.values.errors import UsageError
from archcalc.values.input_size import Typed, checked

_PLAIN = (bool, int, float, complex, str, torch.dtype, type(None))
"""What may stand beside tensors, as an argument of the model's own."""


def tensors(module: nn.Module, inputs: Any) -> Any:
    """`inputs` with a tensor without data for every shape in it, in the dtype of the module's weights.

    A shape is a tuple or list of integers; lists, tuples and mappings may hold several. Tensors stay as they are, and
    so do numbers, strings, True, False and None beside them. What a callable makes is handed on untouched, a mapping of
    any kind as a dict.
    """
    if callable(inputs) and not isinstance(inputs, nn.Module):
        return _made(inputs)
    dtype = next((p.dtype for p in module.parameters() if p.is_floating_point()), torch.float32)
    if isinstance(inputs, _PLAIN):
        raise _no_input(inputs)
    return _tensors(inputs, dtype)


def _made(inputs: Callable[[], Any]) -> Any:
    try:
        made = inputs()
    except Exception as error:
        raise UsageError(f"the callable for the inputs failed: {type(error).__name__}: {error}") from error
    made = dict(made) if isinstance(made, Mapping) else made
    if not tensors_in(made):
        raise UsageError(f"the callable for the inputs gives no tensor, but {made!r}")
    return made


def _tensors(inputs: Any, dtype: torch.dtype) -> Any:
    if isinstance(inputs, (Tensor, *_PLAIN)):
        return inputs
    if isinstance(inputs, Typed):
        return torch.empty(checked(inputs.shape), dtype=getattr(torch, inputs.dtype), device="meta")
    if isinstance(inputs, Mapping):
        return {name: _tensors(value, dtype) for name, value in inputs.items()}
    if hasattr(inputs, "_fields") or is_dataclass(inputs):
        return mapped(inputs, lambda _, value: _tensors(value, dtype))
    if isinstance(inputs, (tuple, list)):
        if inputs and all(isinstance(size, int) and not isinstance(size, bool) for size in inputs):
            return torch.empty(checked(tuple(inputs)), dtype=dtype, device="meta")
        return [_tensors(value, dtype) for value in inputs]
    raise _no_input(inputs)


def _no_input(inputs: Any) -> UsageError:
    return UsageError(
        "an input is a shape such as (1, 3, 224, 224), a tensor, a list or mapping of those, or a callable that makes "
        f"them, not {inputs!r}"
    )


def with_values(module: nn.Module, inputs: Any) -> Any:
    """`inputs` with random values, seeded, for every tensor that has no data, and a copy of those that have.

    Whole numbers lie below `ids_below(module)`, and what is no tensor stays as it is.
    """
    return _with_values(inputs, ids_below(module))


def ids_below(module: nn.Module) -> int:
    """The number of rows of the module's smallest embedding, which any number of a word is below; 2 without one."""
    tables = (nn.Embedding, nn.EmbeddingBag)
    return min([child.num_embeddings for child in module.modules() if isinstance(child, tables)], default=2)


def is_drawn_below(tensor: Tensor) -> bool:
    """Whether `with_values` draws whole numbers for a tensor: it has no data, and a dtype of whole numbers."""
    fractions = tensor.is_floating_point() or tensor.is_complex()
    return tensor.is_meta and not fractions and tensor.dtype is not torch.bool


def _with_values(inputs: Any, high: int) -> Any:
    if isinstance(inputs, Tensor):
        if not inputs.is_meta:
            return inputs.detach().clone().requires_grad_(inputs.requires_grad)  # the model may write to it
        seeded = torch.Generator().manual_seed(0)
        try:
            if inputs.is_floating_point() or inputs.is_complex():
                return torch.rand(inputs.shape, generator=seeded).to(inputs.dtype)
            return torch.randint(2 if inputs.dtype is torch.bool else high, inputs.shape, generator=seeded).to(
                inputs.dtype
            )
        except RuntimeError as error:
            size = "x".join(map(str, inputs.shape))
            raise UsageError(f"an input of {size} does not fit into memory: {' '.join(str(error).split())}") from error
    return mapped(inputs, lambda _, value: _with_values(value, high))
