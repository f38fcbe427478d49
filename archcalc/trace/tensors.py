"""Tensors as the recorder sees them: what is known of one, and stand-ins without data."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from archcalc.ops.layout import Key, contiguous_strides
from archcalc.values.trace import TensorSpec

_META = torch.device("meta")


class TrackedTensor(NamedTuple):
    """A tensor that the recorder knows.

    `user_tensor` is what the model holds, `tensor` what calls run on in its place. `depends_on_input`: its values
    depend on the input or on a parameter. `rule_applies`: definitions can tell what is made of it. `writable`: it was
    made while tracing, so that an in-place call may write to it. `sparse`: it is not laid out in strides.
    """

    user_tensor: Tensor
    tensor: Tensor
    spec: TensorSpec
    key: Key
    depends_on_input: bool
    rule_applies: bool
    writable: bool
    sparse: bool = False

    @property
    def contiguous(self) -> bool:
        """Whether its elements follow one another in memory, the last axis fastest."""
        return self.key[1] == contiguous_strides(self.key[0])


def on_meta(tensor: Tensor) -> Tensor:
    """A tensor without data of the same shape, strides and dtype; itself if it has neither data nor strides."""
    if tensor.is_meta or tensor.layout is not torch.strided:
        return tensor
    return empty((tuple(tensor.shape), tensor.stride(), tensor.dtype)).requires_grad_(tensor.requires_grad)


def empty(key: Key) -> Tensor:
    """A new tensor without data."""
    with torch._C._DisableTorchDispatch():  # not part of what the model does
        return torch.empty_strided(key[0], key[1], dtype=key[2], device=_META)


def memory_of(tensor: Tensor) -> Any:
    """The memory that a tensor lies in; of a sparse one that of its values."""
    return _parts(tensor)[-1].untyped_storage()


def stored_bytes(tensor: Tensor) -> int:
    """Bytes of the memory that a tensor lies in; of a sparse one its indices and its values."""
    return sum(part.untyped_storage().nbytes() for part in _parts(tensor))


def _parts(tensor: Tensor) -> tuple[Tensor, ...]:
    """The tensors with strides that one consists of, the last of them its values."""
    if tensor.layout is torch.strided:
        return (tensor,)
    with torch._C._DisableTorchDispatch(), torch._C.DisableTorchFunction():
        plain = tensor.detach()
        if tensor.layout is torch.sparse_coo:
            return plain._indices(), plain._values()
        if tensor.layout in (torch.sparse_csr, torch.sparse_bsr):
            return plain.crow_indices(), plain.col_indices(), plain.values()
        return plain.ccol_indices(), plain.row_indices(), plain.values()


def with_tensors(tree: Any, replacement: Callable[[Tensor], Tensor]) -> Any:
    """The same nested arguments with another tensor for each tensor."""
    kind = type(tree)
    if isinstance(tree, Tensor):
        return replacement(tree)
    if kind in (tuple, list):
        return kind([with_tensors(item, replacement) for item in tree])
    if kind is dict:
        return {name: with_tensors(item, replacement) for name, item in tree.items()}
    if kind is slice:
        return slice(*with_tensors((tree.start, tree.stop, tree.step), replacement))
    return tree


def mapped(tree: Any, function: Callable[[Any, Any], Any]) -> Any:
    """A copy of a sequence, dict or dataclass with `function(key, item)` in each item's place; else the same object."""
    if isinstance(tree, tuple):
        items = [function(at, item) for at, item in enumerate(tree)]
        return tree._make(items) if hasattr(tree, "_make") else items if type(tree) is not tuple else tuple(items)
    if type(tree) is list:
        return [function(at, item) for at, item in enumerate(tree)]
    if isinstance(tree, dict):
        new = copy(tree)
        for key, item in tree.items():
            new[key] = function(key, item)
        return new
    if is_dataclass(tree) and not isinstance(tree, type):
        same: Any = copy(tree)
        for entry in fields(tree):
            object.__setattr__(same, entry.name, function(entry.name, getattr(tree, entry.name)))
        return same
    return tree


def tensors_in(tree: Any) -> list[Tensor]:
    """Every tensor in nested sequences, dicts and dataclasses, in order."""
    if isinstance(tree, Tensor):
        return [tree]
    if isinstance(tree, dict):
        tree = tree.values()
    elif is_dataclass(tree) and not isinstance(tree, type):
        tree = [getattr(tree, entry.name) for entry in fields(tree)]
    elif not isinstance(tree, (tuple, list)):
        return []
    return [tensor for branch in tree for tensor in tensors_in(branch)]


def specs_of(tree: Any) -> Any:
    """The same arguments with a TensorSpec for each tensor, and the name of its type for whatever is no plain value."""
    if isinstance(tree, Tensor):
        return TensorSpec(tuple(tree.shape), dtype_name(tree.dtype))
    if isinstance(tree, dict):
        return {name: specs_of(value) for name, value in tree.items()}
    if isinstance(tree, (tuple, list)):
        return tuple([specs_of(value) for value in tree])
    plain = tree is None or isinstance(tree, (bool, int, float, complex, str))
    return tree if plain else str(tree) if isinstance(tree, (torch.dtype, torch.device)) else type(tree).__name__


def dtype_name(dtype: torch.dtype) -> str:
    """The dtype's plain name, such as float32."""
    return str(dtype).removeprefix("torch.")
