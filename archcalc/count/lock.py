"""From a trace to a lock: each call with its arguments, by references that do not depend on how many calls there are.

What may differ though the network is the same is left out: the torch ops beneath a call, how the call was spelt,
whether it works in place, and whether an argument was given by position or by name, for the kinds that have a
definition.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

from archcalc.count.cost import parsed
from archcalc.values.lock import Lock, LockedLayer, LockedTensor
from archcalc.values.report import Report
from archcalc.values.trace import Op, Slice, TensorSpec, Trace

DIGITS = 16
"""Hexadecimal digits of a hash."""


def lock(trace: Trace, report: Report, model: str, settings: dict[str, Any], *, by_name: bool) -> Lock:
    """The lock of a trace and its report; `model`, `settings` and `by_name` are for building it again."""
    names = [row.path + (f"#{row.call}" if row.call else "") for row in report.rows]
    layers = tuple(
        _layer(op, path, names) for op, path in zip(trace.ops, (row.path for row in report.rows), strict=True)
    )
    inputs = tuple(LockedTensor(spec.name, spec.shape, spec.dtype) for spec in trace.inputs)
    outputs = tuple(_reference(spec, names) for spec in trace.outputs)
    parameters = tuple(LockedTensor(one.name, one.shape, one.dtype) for one in trace.params)
    tensors = [[one.name, list(one.shape), one.dtype] for one in (*inputs, *parameters)]
    whole = [trace.training, tensors, list(outputs), [[layer.path, layer.run, layer.hash] for layer in layers]]
    return Lock(model, _hash(whole), inputs, outputs, layers, parameters, trace.training, by_name, settings)


def _layer(op: Op, path: str, names: Sequence[str]) -> LockedLayer:
    arguments = _arguments(op)
    reads = tuple(
        _reference(spec, names) + (f" {'x'.join(map(str, spec.shape))}" if spec.param else "") for spec in op.inputs
    )
    outputs = tuple(_size(spec) for spec in op.outputs)
    content = [op.kind, [[name, _plain(value, names)] for name, value in arguments], list(outputs)]
    shown = {name: _text(value) for name, value in arguments if _is_shown(value)}
    return LockedLayer(path, op.call, op.kind, reads, outputs, _hash(content), shown)


def _arguments(op: Op) -> list[tuple[str, Any]]:
    """The arguments by name where the kind has a definition, else as they were given."""
    call = parsed(op)
    known = [(field.name, getattr(call, field.name)) for field in fields(call) if field.name not in ("kind", "inplace")]
    if known or not (op.args or op.kwargs):
        return known
    return [*((str(at), value) for at, value in enumerate(op.args)), *sorted(op.kwargs.items())]


def _reference(spec: TensorSpec, names: Sequence[str]) -> str:
    """Where a tensor comes from: the path of the call that made it, or the name of what it is."""
    if spec.producer is not None:
        return names[spec.producer] + (f" output {spec.output}" if spec.output else "")
    if spec.origin == "input":
        return f"input {spec.output}"
    return spec.origin if spec.origin == "constant" else spec.name  # constants are numbered as they come


def _size(spec: TensorSpec) -> str:
    return f"{'x'.join(map(str, spec.shape)) or 'scalar'} {spec.dtype}"


def _plain(value: Any, names: Sequence[str]) -> Any:
    """An argument as JSON."""
    if isinstance(value, TensorSpec):
        return {"tensor": [_reference(value, names), _size(value)]}
    if isinstance(value, Slice):
        return {"slice": [_plain(part, names) for part in (value.start, value.stop, value.step)]}
    if isinstance(value, (tuple, list)):
        return [_plain(item, names) for item in value]
    if isinstance(value, dict):
        return {"dict": sorted(([str(key), _plain(item, names)] for key, item in value.items()), key=str)}
    return value if value is None or isinstance(value, (bool, int, str)) else repr(value)


def _is_shown(value: Any) -> bool:
    """Whether an argument is worth a place in a line: no tensor, and not left out."""
    return value is not None and not _holds_tensor(value)


def _holds_tensor(value: Any) -> bool:
    items: Iterable[Any] = (
        value.values() if isinstance(value, dict) else value if isinstance(value, (tuple, list)) else ()
    )
    return isinstance(value, TensorSpec) or any(map(_holds_tensor, items))


def _text(value: Any) -> str:
    if isinstance(value, Slice):
        return ":".join("" if part is None else str(part) for part in (value.start, value.stop, value.step))
    if isinstance(value, (tuple, list)):
        return f"({', '.join(map(_text, value))})"
    return str(value)


def _hash(content: Any) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:DIGITS]
