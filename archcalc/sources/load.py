"""From what a person names to a module: a name of the zoo or of a library, a file, or an object in one."""

from __future__ import annotations

from contextlib import nullcontext
from importlib import import_module
from typing import Any

import torch
from torch import nn

from archcalc.sources.files import attribute_of, only_module_in
from archcalc.sources.meta import weights_on_meta
from archcalc.sources.named import Named, check, named, zoo_entry
from archcalc.sources.saved import holds_no_network
from archcalc.sources.subject import Built, Subject, build, check_initialised, check_settings
from archcalc.values.errors import UsageError
from archcalc.zoo import registry


def subject_of(model: str | nn.Module, settings: dict[str, Any], *, real: bool = False) -> Subject:
    """The network that is named or handed in; a named one has weights without data unless they are to be `real`."""
    if isinstance(model, nn.Module):
        if settings:
            raise UsageError(f"settings such as {next(iter(settings))} are for networks that are built here by name")
        check_initialised(type(model).__name__, model)
        return Subject(type(model).__name__, "", None, model, lambda: model)
    if isinstance(model, str):
        return load(model, settings, real=real)
    raise UsageError(f"a model is a name or a torch module, not {_short(model)}")


def _short(value: object) -> str:
    """A value in one line of a message, however large it is."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"a {type(value).__name__}: {text[:60]}..."


def load(text: str, settings: dict[str, Any], *, real: bool = False) -> Subject:
    """Build what `text` names, its weights on the meta device, or `real` ones, initialised.

    Settings in the text go before `settings`. Raises UsageError where there is no such thing, ModelError where it is
    there and cannot be built.
    """
    model = named(text)
    if model.kind == "saved":
        raise holds_no_network(model.target)
    settings = {**settings, **model.settings}
    check(model, settings)
    built = _built(model, settings, real)
    plain = model.kind == "zoo" and not model.has_label and not model.settings
    return Subject(
        name=zoo_entry(model.target).name if plain else model.name,
        source=built.source,
        input_shape=built.input_shape,
        module=built.module,
        with_weights=lambda: _built(model, settings, True).module,
        in_zoo=plain,
        own_inputs=built.own_inputs,
    )


def _built(model: Named, settings: dict[str, Any], real: bool) -> Built:
    if model.kind == "zoo":
        return _of_zoo(model.target, settings, real)
    if model.kind in ("file", "attribute"):
        target = only_module_in(model.target) if model.kind == "file" else model.target
        return Built(_of_attribute(target, attribute_of(target), settings, real), target)
    source = import_module(f"archcalc.sources.from_{model.kind}")
    built: Built = source.load(model, settings, real)
    return built


def _of_zoo(target: str, settings: dict[str, Any], real: bool) -> Built:
    entry = zoo_entry(target)
    try:
        with nullcontext() if real else weights_on_meta():
            module = registry.build(entry.name, **settings)
    except (RuntimeError, UsageError) as error:  # a weight that even the address space has no room for
        if real or "allocate" not in str(error):
            raise
        with torch.device("meta"):
            module = registry.build(entry.name, **settings)
    channels = settings.get("in_channels", settings.get("channels", entry.input_shape[0]))
    return Built(module, entry.source, (channels, *entry.input_shape[1:]))


def _of_attribute(target: str, value: Any, settings: dict[str, Any], real: bool) -> nn.Module:
    if isinstance(value, nn.Module):
        if settings:
            raise UsageError(f"{target} is built already and takes no settings")
        return value
    if not callable(value):
        raise UsageError(f"{target} is a {type(value).__name__}, neither a torch module nor something that builds one")
    check_settings(target, value, settings)
    return build(target, lambda: value(**settings), real)
