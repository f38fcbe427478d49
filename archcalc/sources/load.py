"""From what a person names to a module: a zoo name, `package.module:factory` or `path/to/net.py:Net`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import torch
from torch import nn

from archcalc.sources.meta import weights_on_meta
from archcalc.sources.saved import holds_no_network, is_saved
from archcalc.values.errors import ModelError, UsageError, error_text, exits_raise, model_errors, unknown
from archcalc.values.trace import Shape
from archcalc.zoo import registry


@dataclass(frozen=True, slots=True)
class Subject:
    """A network to look at: its name, where it comes from, its own input size if it has one, and itself.

    `with_weights` makes the same network with real weights; it is the very same where it was handed in.
    """

    name: str
    source: str
    input_shape: Shape | None
    module: nn.Module
    with_weights: Callable[[], nn.Module] = field(compare=False, repr=False)
    in_zoo: bool = False


def subject_of(model: str | nn.Module, settings: dict[str, Any], *, real: bool = False) -> Subject:
    """The network that is named or handed in; a named one has weights without data unless they are to be `real`."""
    if isinstance(model, nn.Module):
        if settings:
            raise UsageError(f"settings such as {next(iter(settings))} are for networks that are built here by name")
        _check_initialised(type(model).__name__, model)
        return Subject(type(model).__name__, "", None, model, lambda: model)
    if isinstance(model, str):
        return load(model, settings, real=real)
    raise UsageError(f"a model is a name or a torch module, not {_short(model)}")


def _short(value: object) -> str:
    """A value in one line of a message, however large it is."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"a {type(value).__name__}: {text[:60]}..."


def load(target: str, settings: dict[str, Any], *, real: bool = False) -> Subject:
    """Build what `target` names, its weights on the meta device, or `real` ones, initialised.

    Raises UsageError where there is no such thing, ModelError where it is there and cannot be built.
    """

    def with_weights() -> nn.Module:
        return load(target, settings, real=True).module

    if is_saved(target):
        raise holds_no_network(target)
    if target.endswith(".py"):
        raise UsageError(f"{target} holds more than one thing; name the class or function in it: {target}:Net")
    if ":" in target:
        module = _built(target, attribute_of(target), settings, real)
        return Subject(target, target, None, module, with_weights)
    entry = registry.architecture(target)
    try:
        with nullcontext() if real else weights_on_meta():
            module = registry.build(entry.name, **settings)
    except (RuntimeError, UsageError) as error:  # a weight that even the address space has no room for
        if real or "allocate" not in str(error):
            raise
        with torch.device("meta"):
            module = registry.build(entry.name, **settings)
    channels = settings.get("in_channels", settings.get("channels", entry.input_shape[0]))
    return Subject(entry.name, entry.source, (channels, *entry.input_shape[1:]), module, with_weights, in_zoo=True)


def attribute_of(target: str) -> Any:
    """What stands at a target such as `path/to/net.py:Net`; UsageError where there is nothing of that name."""
    place, _, name = target.rpartition(":")
    module = _import(target, place)
    named: Any = module
    with model_errors(target):
        for part in name.split("."):
            try:
                named = getattr(named, part)
            except AttributeError as error:
                public = [each for each in dir(named) if not each.startswith("_")]
                raise unknown(f"name in {place}", part, public) from error
            except (Exception, SystemExit) as error:  # what it imports only when it is asked for
                raise ModelError(f"{target} cannot be imported: {error_text(error)}") from error
    return named


def _import(target: str, place: str) -> Any:
    """The Python module at a path or of a dotted name, found from the working directory too."""
    file = Path(place)
    is_file = file.suffix == ".py"
    if not place:
        raise UsageError(f"{target} names no module; write package.module:factory or path/to/net.py:Net")
    if is_file and not file.is_file():
        raise UsageError(f"there is no file {place}; write path/to/net.py:Net")
    folder = str(file.resolve().parent if is_file else Path.cwd())
    sys.path.insert(0, folder)
    try:
        if not is_file:
            with exits_raise():
                return import_module(place)
        spec = spec_from_file_location(file.stem, file)
        if spec is None or spec.loader is None:
            raise UsageError(f"{place} is not a Python file")
        module = module_from_spec(spec)
        with _siblings_forgotten(file.resolve().parent), exits_raise():
            sys.modules[file.stem] = module  # dataclasses look their module up there
            spec.loader.exec_module(module)
        return module
    except UsageError:
        raise
    except ModuleNotFoundError as error:
        if not is_file and error.name is not None and (place == error.name or place.startswith(f"{error.name}.")):
            raise UsageError(
                f"there is no module {place}; write package.module:factory or path/to/net.py:Net"
            ) from error
        raise ModelError(f"{target} cannot be imported: {error_text(error)}") from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise ModelError(f"{target} cannot be imported: {error_text(error)}") from error
    finally:
        with suppress(ValueError):
            sys.path.remove(folder)


@contextmanager
def _siblings_forgotten(folder: Path) -> Iterator[None]:
    """After it no module of that folder is left in sys.modules, so that another folder's of the same name is found."""
    before = dict(sys.modules)
    try:
        yield
    finally:
        for name, module in list(sys.modules.items()):
            place = Path(getattr(module, "__file__", None) or ".")
            if before.get(name) is not module and folder in place.parents and "site-packages" not in place.parts:
                del sys.modules[name]
                if name in before:
                    sys.modules[name] = before[name]


def _built(target: str, named: Any, settings: dict[str, Any], real: bool) -> nn.Module:
    if isinstance(named, nn.Module):
        if settings:
            raise UsageError(f"{target} is built already and takes no settings")
        return named
    if not callable(named):
        raise UsageError(f"{target} is a {type(named).__name__}, neither a torch module nor something that builds one")
    _check(target, named, settings)
    try:
        with nullcontext() if real else weights_on_meta(), exits_raise():
            module = named(**settings)
    except KeyboardInterrupt:
        raise
    except BaseException as first:
        try:
            # a constructor may read the values of its weights; one that is too large for memory must not have any
            with torch.device("meta") if "allocate" in error_text(first) else nullcontext(), exits_raise():
                module = named(**settings)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise ModelError(f"{target} cannot be built: {error_text(error)}") from error
    if not isinstance(module, nn.Module):
        raise UsageError(f"{target} gives an object of type {type(module).__name__}, not a torch module")
    _check_initialised(target, module)
    return module


def _check_initialised(target: str, module: nn.Module) -> None:
    """Raise ModelError for a module whose class never ran torch's own constructor, which nothing can be done with."""
    with model_errors(target):
        if not hasattr(module, "_modules"):
            raise ModelError(f"{target} is no module yet: its __init__ has to call super().__init__()")


def _check(target: str, builder: Callable[..., Any], settings: dict[str, Any]) -> None:
    """Raise UsageError where a setting is unknown or a needed one is missing."""
    try:
        signature = inspect.signature(builder)
    except (TypeError, ValueError):
        return  # a builder without a readable signature checks its arguments itself
    try:
        signature.bind(**settings)
    except TypeError as error:
        raise UsageError(f"{target}: {error}; give each as --set name=value") from error
