"""A network that can be looked at, and the ways in which modules are built."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import torch
from torch import nn

from archcalc.sources.meta import weights_on_meta
from archcalc.values.errors import ModelError, UsageError, error_text, exits_raise, model_errors
from archcalc.values.trace import Shape

OwnInputs = Callable[[int | None], Any]
"""From a batch size, None where none was asked for, to the inputs of one forward pass, as `archcalc.analyze` takes."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A network to look at: its name, where it comes from, its own input if it has one, and itself.

    `input_shape` is that of one sample where a single tensor is the input, and otherwise `own_inputs` makes the inputs.
    `with_weights` makes the same network with real weights; it is the very same where it was handed in. `in_zoo` is
    whether it is a network of the zoo under its own name, which documents may have claims about.
    """

    name: str
    source: str
    input_shape: Shape | None
    module: nn.Module
    with_weights: Callable[[], nn.Module] = field(compare=False, repr=False)
    in_zoo: bool = False
    own_inputs: OwnInputs | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Built:
    """What a source makes of a name: the module, where it comes from, and the input that it brings."""

    module: nn.Module
    source: str
    input_shape: Shape | None = None
    own_inputs: OwnInputs | None = None


def build(target: str, builder: Callable[[], Any], real: bool) -> nn.Module:
    """The module that `builder` makes, its weights on the meta device unless they are to be `real`.

    Raises ModelError for whatever the builder raises, UsageError where it makes no module.
    """
    try:
        with nullcontext() if real else weights_on_meta(), exits_raise():
            module = builder()
    except (KeyboardInterrupt, UsageError):
        raise
    except BaseException as first:
        try:
            # a constructor may read the values of its weights; one that is too large for memory must not have any
            with torch.device("meta") if "allocate" in error_text(first) else nullcontext(), exits_raise():
                module = builder()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise ModelError(f"{target} cannot be built: {error_text(error)}") from error
    if not isinstance(module, nn.Module):
        raise UsageError(f"{target} gives an object of type {type(module).__name__}, not a torch module")
    check_initialised(target, module)
    return module


def build_with(target: str, builder: Callable[..., Any], settings: dict[str, Any], real: bool) -> nn.Module:
    """The module that `builder` makes of the settings, like `build`; UsageError where it does not take one of them."""
    try:
        return build(target, lambda: builder(**settings), real)
    except ModelError as error:
        if isinstance(error.__cause__, TypeError) and "unexpected keyword argument" in str(error.__cause__):
            raise UsageError(f"{target}: {error.__cause__}") from error
        raise


def check_initialised(target: str, module: nn.Module) -> None:
    """Raise ModelError for a module whose class never ran torch's own constructor, which nothing can be done with."""
    with model_errors(target):
        if not hasattr(module, "_modules"):
            raise ModelError(f"{target} is no module yet: its __init__ has to call super().__init__()")


def check_settings(target: str, builder: Callable[..., Any], settings: dict[str, Any]) -> None:
    """Raise UsageError where a setting is unknown or a needed one is missing."""
    try:
        signature = inspect.signature(builder)
    except (TypeError, ValueError):
        return  # a builder without a readable signature checks its arguments itself
    try:
        signature.bind(**settings)
    except TypeError as error:
        raise UsageError(f"{target}: {error}; give each as --set name=value") from error


def imported(package: str, target: str) -> Any:
    """An installed library; ModelError where it is broken."""
    try:
        return import_module(package)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise ModelError(f"{target}: {package} cannot be imported: {error_text(error)}") from error


def no_weights(settings: dict[str, Any], keys: Sequence[str]) -> None:
    """Raise UsageError for a setting that loads weights, which no count depends on."""
    for key in keys:
        if settings.get(key):
            raise UsageError(f"no weights are loaded: leave out {key}, what a network costs does not depend on it")
        settings.pop(key, None)
