"""The errors that were published for a network of the zoo, where it is built and run as it was then."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from archcalc.sources.named import named
from archcalc.values.listing import Architecture, PublishedError
from archcalc.values.report import Report
from archcalc.zoo import registry


def published_errors(model: object, settings: Mapping[str, Any], report: Report) -> tuple[PublishedError, ...]:
    """The errors published for the network that `model` names, as these settings build it and the report's input is.

    A protocol "..., shortcut A" is of a network built with shortcut="A", and comes back without those words. None for
    what is no network of the zoo, for other settings than the builder's own, and for another input size.
    """
    if not isinstance(model, str):
        return ()
    asked = named(model)
    entry = registry.find(asked.target) if asked.kind == "zoo" else None
    if entry is None or not entry.errors or [shape[1:] for shape in report.input_shapes] != [entry.input_shape]:
        return ()
    usual = _defaults(entry)
    built = {**usual, **settings, **asked.settings}
    errors = []
    for protocol, top1, top5 in entry.errors:
        parts = [part.split() for part in protocol.split(", ")]
        tested = {part[0]: part[1] for part in parts if len(part) == 2 and part[0] in entry.settings}
        if all(str(built[key]) == tested.get(key, str(usual[key])) for key in built):
            rest = (" ".join(part) for part in parts if part[0] not in tested)
            errors.append((", ".join(rest), top1, top5))
    return tuple(errors)


def _defaults(entry: Architecture) -> dict[str, Any]:
    """The settings that the builder has by itself."""
    builder = getattr(import_module(f"archcalc.zoo.{entry.family}"), entry.builder)
    return {name: parameter.default for name, parameter in inspect.signature(builder).parameters.items()}
