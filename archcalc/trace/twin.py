"""A twin of a module: the same code and weights, with modes, hooks, attributes and containers of its own.

What is traced is the twin, so that no mode, attribute or container of the module that was handed in is ever written,
not even while another thread runs it. Parameters and buffers are shared: the recorder runs on stand-ins for them.
"""

from __future__ import annotations

import random
import weakref
from collections import deque
from collections.abc import Callable
from copy import deepcopy
from functools import cache, partial
from types import FunctionType, MethodType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

_SHARED = frozenset([int, float, complex, bool, str, bytes, type(None), type, torch.dtype, torch.device, torch.Size])
_SHARED |= {FunctionType, range, slice, torch.memory_format, torch.layout, nn.Parameter, Tensor}
_TENSORS = frozenset(["_parameters", "_non_persistent_buffers_set"])
_DICTS = frozenset(name for name, value in vars(nn.Module()).items() if isinstance(value, dict))
_HOOKS = _DICTS - _TENSORS - {"_modules", "_buffers"}
"""The containers that every module has: of tensors, and of hooks, which are mostly empty."""

_GENERATORS = (random.Random, np.random.Generator, np.random.RandomState)


def twin_of(module: nn.Module, own_buffers: bool = False) -> tuple[nn.Module, dict[int, nn.Module]]:
    """A twin of a module and of every module in it, and the twins by the id() of the originals.

    With `own_buffers` the twin's buffers are copies, for a run on real tensors, which may write to them. Scripted
    modules, which live outside of Python, are shared.
    """
    copier = _Copier(own_buffers)
    twin: nn.Module = copier.copy(module)
    while copier.unfinished:  # one by one and not by recursion: networks may be nested deep
        copier.unfinished.pop()()
    return twin, copier.twins


class _Copier:
    """Copies what a module holds, each object once."""

    def __init__(self, own_buffers: bool) -> None:
        self.unfinished: list[Callable[[], None]] = []
        self.twins: dict[int, nn.Module] = {}
        self._own_buffers = own_buffers
        self._copies: dict[int, Any] = {}
        self._originals: list[Any] = []  # kept alive: CPython reuses the id() of freed objects

    def copy(self, value: Any) -> Any:
        """The twin of a module or the copy of a container; anything else that is only read is shared."""
        kind = type(value)
        if kind in _SHARED:
            return value
        known = self._copies.get(id(value))
        if known is not None:
            return known
        if isinstance(value, nn.Module):
            return value if isinstance(value, torch.jit.ScriptModule) else self._module(value)
        if kind in (tuple, frozenset):
            items = [self.copy(item) for item in value]
            return kind(items) if any(item is not old for item, old in zip(items, value, strict=True)) else value
        if isinstance(value, (list, set, dict, deque)):
            return self._container(value)
        if kind is np.ndarray or kind in _GENERATORS:
            return self._remember(value, deepcopy(value))
        if isinstance(value, torch.Generator):
            return self._remember(value, value.clone_state())
        if kind is MethodType:
            return self._remember(value, MethodType(value.__func__, self.copy(value.__self__)))
        if kind is partial:
            parts = self.copy(value.args), self.copy(value.keywords)
            return self._remember(value, partial(self.copy(value.func), *parts[0], **parts[1]))
        if kind is weakref.ReferenceType and isinstance(target := value(), nn.Module):
            return self._remember(value, weakref.ref(self.copy(target)))
        return self._object(value) if _is_plain_object(kind) else value  # type: ignore[arg-type]  # a class is hashable

    def _remember(self, original: Any, copy: Any) -> Any:
        self._copies[id(original)] = copy
        self._originals.append(original)
        return copy

    def _module(self, module: nn.Module) -> nn.Module:
        twin: nn.Module = self._remember(module, object.__new__(type(module)))
        self.twins[id(module)] = twin

        def finish() -> None:
            own = module.__dict__.copy()
            for name, value in module.__dict__.items():
                kind = type(value)
                if kind in _SHARED:
                    continue
                if name in _TENSORS:
                    own[name] = value.copy()
                elif name == "_buffers":
                    own[name] = {key: self._buffer(buffer) for key, buffer in value.items()}
                elif name in _HOOKS and not value:
                    own[name] = kind()
                else:
                    own[name] = self.copy(value)
            if "_orig_mod" in module._modules:  # what torch.compile gives calls the original through a closure
                own["forward"] = own["_modules"]["_orig_mod"].__call__
            if own.get("_compiled_call_impl") is not None:  # module.compile() binds the original's
                own["_compiled_call_impl"] = None
            twin.__dict__.update(own)

        self.unfinished.append(finish)
        return twin

    def _buffer(self, buffer: Tensor | None) -> Tensor | None:
        """A buffer, or a copy of it; buffers that are tied stay tied."""
        if buffer is None or not self._own_buffers:
            return buffer
        if id(buffer) not in self._copies:
            self._remember(buffer, buffer.detach().clone())
        copy: Tensor = self._copies[id(buffer)]
        return copy

    def _object(self, value: Any) -> Any:
        """A copy of an object such as a cache or a configuration, with copies of the containers that it holds."""
        copy = self._remember(value, object.__new__(type(value)))
        copy.__dict__.update([(name, self.copy(item)) for name, item in vars(value).items()])
        return copy

    def _container(self, value: Any) -> Any:
        try:
            copy = self._remember(value, value.copy())
        except Exception:  # a container of somebody's own that cannot be copied is shared
            return value
        if isinstance(copy, dict):
            for key, item in value.items():
                if (new := self.copy(item)) is not item:
                    dict.__setitem__(copy, key, new)
        elif isinstance(copy, set):
            copy.clear()
            copy.update([self.copy(item) for item in value])
        else:
            for at, item in enumerate(value):
                if (new := self.copy(item)) is not item:
                    copy[at] = new
        return copy


class _Plain:
    pass


@cache
def _is_plain_object(kind: type) -> bool:
    """Whether objects of a class are all in their `__dict__`, so that a copy of that is a copy of them."""
    return (
        getattr(kind, "__new__", None) == object.__new__
        and kind.__module__.partition(".")[0] not in ("builtins", "torch")
        and (kind.__dictoffset__, kind.__basicsize__) == (_Plain.__dictoffset__, _Plain.__basicsize__)
        and not issubclass(kind, (type, BaseException))
    )
