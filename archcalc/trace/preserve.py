"""Leaving a module, and what it may draw on, as it was before it ran."""

from __future__ import annotations

import random
import sys
from collections import OrderedDict, defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import torch
from torch import nn

from archcalc.trace.modules import Modules

_CONTAINERS = frozenset([dict, OrderedDict, defaultdict, list, set, deque])


@contextmanager
def preserve_module_state(module: nn.Module, modules: Modules, training: bool) -> Iterator[None]:
    """Within it the module is in the mode asked for; after it everything that a forward may set is as before.

    That is attributes, hooks, what lies in containers, the buffers of scripted modules, and the states of the random
    generators of torch, Python and numpy.
    """
    children = [child for _, child in modules]
    plain = [child for child in children if not isinstance(child, torch.jit.ScriptModule)]
    scripted = [(child, child.training) for child in children if isinstance(child, torch.jit.ScriptModule)]
    buffers = [(buffer, buffer.detach().clone()) for child, _ in scripted for buffer in child.buffers(recurse=False)]
    attributes = [(child.__dict__, child.__dict__.copy()) for child in plain]
    empty, filled = _contents(attributes)
    fast_attention = torch.backends.mha.get_fastpath_enabled()
    states = _random_states()
    if any(child.training is not training for child in children):
        with suppress(NotImplementedError):  # an exported module has one mode for good
            module.train(training)
    torch.backends.mha.set_fastpath_enabled(False)  # it would hide what attention is made of
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast_attention)
        _set_random_states(*states)
        for held, before in attributes:
            held.clear()
            held.update(before)
        for container in empty:
            if container:
                container.clear()
        for container, content in filled:
            container.clear()
            (container.update if isinstance(container, (dict, set)) else container.extend)(content)
        with torch.no_grad():
            for buffer, value in buffers:
                buffer.copy_(value)
        for child, mode in scripted:
            child.training = mode


def _contents(attributes: list[tuple[dict[str, Any], dict[str, Any]]]) -> tuple[list[Any], list[tuple[Any, Any]]]:
    """The containers among attributes and within one another: those that are empty, and the rest with a copy."""
    empty: list[Any] = []
    filled: list[tuple[Any, Any]] = []
    pending = [value for held, _ in attributes for value in held.values() if type(value) in _CONTAINERS]
    seen: set[int] = set()
    while pending:
        container = pending.pop()
        if not container:
            empty.append(container)
        elif id(container) not in seen:
            seen.add(id(container))
            filled.append((container, container.copy()))
            within = container.values() if isinstance(container, dict) else container
            pending += [value for value in within if type(value) in _CONTAINERS]
    return empty, filled


def _random_states() -> tuple[Any, Any, Any]:
    numpy = sys.modules.get("numpy")
    return torch.get_rng_state(), random.getstate(), numpy and numpy.random.get_state()


def _set_random_states(of_torch: Any, of_python: Any, of_numpy: Any) -> None:
    torch.set_rng_state(of_torch)
    random.setstate(of_python)
    if of_numpy:
        sys.modules["numpy"].random.set_state(of_numpy)
