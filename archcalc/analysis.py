"""The whole way from a network to its report: build, trace, count."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from archcalc.count.report import Report
from archcalc.count.rows import count
from archcalc.errors import ModelError, UsageError
from archcalc.trace.inputs import tensors
from archcalc.trace.run import trace
from archcalc.trace.sizes import with_batch
from archcalc.zoo.load import Subject, load


def analyze(
    model: str | nn.Module,
    inputs: Any = None,
    *,
    batch_size: int | None = None,
    training: bool = False,
    **settings: Any,
) -> Report:
    """See `archcalc.analyze`."""
    if isinstance(model, nn.Module):
        if settings:
            raise UsageError(f"settings such as {next(iter(settings))} are for networks that are built here by name")
        subject = Subject(type(model).__name__, "", None, model)
    elif isinstance(model, str):
        subject = load(model, settings)
    else:
        raise UsageError(f"a model is a name or a torch module, not {model!r}")
    given = tensors(subject.module, _shapes(subject, inputs, batch_size))
    args, kwargs = ((), given) if isinstance(given, dict) else (tuple(_listed(given)), {})
    first = next((tensor for tensor in (*args, *kwargs.values()) if isinstance(tensor, Tensor) and tensor.ndim), None)
    found = trace(
        subject.module,
        args,
        kwargs,
        subject=subject.name,
        training=training,
        batch_size=None if first is None else first.shape[0],
    )
    report = count(found, subject.source)
    if report.failure is not None:
        raise ModelError(f"{subject.name} failed at {report.failure}", report)
    return report


def _shapes(subject: Subject, inputs: Any, batch_size: int | None) -> Any:
    """The inputs as given, or the network's own; shapes of one sample get their batch."""
    if batch_size is not None and batch_size < 1:
        raise UsageError(f"a batch has at least one sample, not {batch_size}")
    if inputs is None:
        if subject.input_shape is None:
            raise UsageError(f"{subject.name} needs an input size, such as -i 3x224x224 or inputs=(1, 3, 224, 224)")
        inputs = subject.input_shape
    if not _is_shape(inputs):
        return inputs
    is_sample = batch_size is not None or (subject.input_shape is not None and len(inputs) == len(subject.input_shape))
    return with_batch(tuple(inputs), batch_size) if is_sample else inputs


def _is_shape(inputs: Any) -> bool:
    return isinstance(inputs, (tuple, list)) and bool(inputs) and all(isinstance(size, int) for size in inputs)


def _listed(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [given]
