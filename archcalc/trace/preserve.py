"""Leaving what a forward pass may draw on or change, outside of its module, as it was before."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from archcalc.trace.modules import Modules


@contextmanager
def preserve_surroundings(module: nn.Module, modules: Modules, training: bool) -> Iterator[None]:
    """Within it the module is in the mode asked for; after it the random states (torch, Python, numpy) are as before.

    Scripted modules live outside of Python and have no twins: their modes and buffers are put back.
    """
    scripted = [child for _, child in modules if isinstance(child, torch.jit.ScriptModule)]
    modes = [(child, child.training) for child in scripted]
    buffers = [(buffer, buffer.detach().clone()) for child in scripted for buffer in child.buffers(recurse=False)]
    states = _random_states()
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(2 * limit)  # following the modules takes two frames where running them takes one
    try:
        _set_mode(module, modules, training)
        yield
    finally:
        sys.setrecursionlimit(limit)
        _set_random_states(*states)
        with torch.no_grad():
            for buffer, value in buffers:
                buffer.copy_(value)
        for child, mode in modes:
            child.training = mode


def _set_mode(module: nn.Module, modules: Modules, training: bool) -> None:
    """Put a module into the mode asked for, by its own `train`, which may leave parts of it in another."""
    if any(child.training is not training for _, child in modules):
        try:
            module.train(training)
        except NotImplementedError:  # an exported module has one mode for good
            return


def _random_states() -> tuple[Any, Any, Any]:
    numpy = sys.modules.get("numpy")
    return torch.get_rng_state(), random.getstate(), numpy and numpy.random.get_state()


def _set_random_states(of_torch: Any, of_python: Any, of_numpy: Any) -> None:
    torch.set_rng_state(of_torch)
    random.setstate(of_python)
    if of_numpy:
        sys.modules["numpy"].random.set_state(of_numpy)
