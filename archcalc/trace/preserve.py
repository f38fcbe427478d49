"""Leaving what a forward pass may draw on or change, outside of its module, as it was before."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
from torch import nn

from archcalc.trace.modules import Modules
from archcalc.values.errors import exits_raise


@contextmanager
def preserve_surroundings(module: nn.Module, modules: Modules, training: bool) -> Iterator[None]:
    """Within it the module is in the mode asked for; after it whatever its code may set is as before.

    That is the random states (torch, Python, numpy), the working directory, Python's path and streams, and torch's
    defaults. Scripted modules live outside of Python and have no twins: their modes and buffers are put back.
    """
    scripted = [child for _, child in modules if isinstance(child, torch.jit.ScriptModule)]
    modes = [(child, child.training) for child in scripted if hasattr(child, "training")]
    frozen = [child for child in scripted if not hasattr(child, "training")]
    buffers = [(buffer, buffer.detach().clone()) for child in scripted for buffer in child.buffers(recurse=False)]
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(2 * limit)  # following the modules takes two frames where running them takes one
    try:
        _set_mode(module, modules, training)
        with preserve_random_states(), _preserve_process(), exits_raise():
            yield
    finally:
        sys.setrecursionlimit(limit)
        with torch.no_grad():
            for buffer, value in buffers:
                buffer.copy_(value)
        for child, mode in modes:
            child.training = mode
        for child in frozen:
            child.__dict__.pop("training", None)


def _set_mode(module: nn.Module, modules: Modules, training: bool) -> None:
    """Put a module into the mode asked for, by its own `train`, which may leave parts of it in another."""
    if any(getattr(child, "training", training) is not training for _, child in modules):
        try:
            module.train(training)
        except NotImplementedError:  # an exported module has one mode for good
            return
        except RecursionError:  # a module that contains itself
            for _, child in modules:
                child.training = training


@contextmanager
def _preserve_process() -> Iterator[None]:
    """After it the working directory, Python's path and streams, torch's defaults and its threads are as before."""
    path, streams = sys.path[:], (sys.stdout, sys.stderr)
    dtype, threads, device = torch.get_default_dtype(), torch.get_num_threads(), _default_device()
    folder = None
    with suppress(OSError):  # it may be gone
        folder = Path.cwd()
    try:
        yield
    finally:
        sys.path[:] = path
        sys.stdout, sys.stderr = streams
        torch.set_default_dtype(dtype)
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        if _default_device() is not device:
            torch.set_default_device(device and device.device)
        if folder is not None:
            with suppress(OSError):
                os.chdir(folder)


def _default_device() -> Any:
    """What torch.set_default_device left in force, None where it is the CPU."""
    return getattr(torch._GLOBAL_DEVICE_CONTEXT, "device_context", None)


@contextmanager
def preserve_random_states() -> Iterator[None]:
    """After it the random states of torch on the CPU, Python and numpy are as before."""
    numpy = sys.modules.get("numpy")
    of_torch, of_python = torch.get_rng_state(), random.getstate()
    of_numpy = numpy and numpy.random.get_state()
    try:
        yield
    finally:
        torch.set_rng_state(of_torch)
        random.setstate(of_python)
        if numpy:
            numpy.random.set_state(of_numpy)
