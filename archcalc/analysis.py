"""The whole way from a network to its report: build, trace, count."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from copy import deepcopy
from functools import cache
from typing import Any

from torch import Tensor, nn

from archcalc.count.memory import OPTIMIZERS, Budget, budget
from archcalc.count.report import Report
from archcalc.count.rows import count
from archcalc.errors import ModelError, UsageError, unknown
from archcalc.trace.inputs import tensors, with_values
from archcalc.trace.run import trace
from archcalc.trace.sizes import Typed, with_batch
from archcalc.zoo.load import Subject, load


def analyze(
    model: str | nn.Module,
    inputs: Any = None,
    batch_size: int | None = None,
    training: bool = False,
    settings: dict[str, Any] | None = None,
    backward: bool = False,
) -> Report:
    """See `archcalc.analyze`."""
    settings = settings or {}
    subject = subject_of(model, settings)
    args, kwargs = inputs_of(subject, inputs, batch_size)
    report = report_of(subject, args, kwargs, training=training, backward=backward)
    if report.failure is not None and subject.input_shape is None:
        report = _with_values(model, settings, args, kwargs, report)
    if report.failure is not None:
        raise ModelError(f"{subject.name} failed at {report.failure}", report)
    return report


def report_of(
    subject: Subject,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    training: bool = False,
    backward: bool = False,
    real: bool = False,
) -> Report:
    """The report of one forward pass; it ends where the network fails, and says so."""
    with nullcontext() if real else _uncollected():
        found = trace(
            subject.module,
            args,
            kwargs,
            subject=subject.name,
            training=training,
            batch_size=batch_of(args, kwargs),
            autograd=backward,
            real=real,
        )
        return count(found, subject.source)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Within it Python does not look for garbage: a trace makes many small objects, all of them to be kept."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def memory(
    model: str | nn.Module,
    inputs: Any = None,
    batch_size: int | None = None,
    settings: dict[str, Any] | None = None,
    optimizer: str = "sgd",
) -> Budget:
    """See `archcalc.memory`."""
    if optimizer not in OPTIMIZERS:
        raise unknown("optimizer", optimizer, OPTIMIZERS)
    subject = subject_of(model, settings or {})
    args, kwargs = inputs_of(subject, inputs, batch_size)
    batch = batch_of(args, kwargs)
    found = trace(subject.module, args, kwargs, subject=subject.name, training=True, batch_size=batch, autograd=True)
    if found.failure is not None:
        raise ModelError(f"{subject.name} failed at {found.failure}", count(found, subject.source))
    return budget(found, optimizer)


def largest_batch(limit: int, budget_of: Callable[[int], Budget], total: str) -> int:
    """The largest batch whose `total` ("inference_total" or "training_total") is within a limit of bytes, 0 for none.

    Memory grows with the batch in a line, nearly: two points give a guess, and halving finds the end of it.
    """

    @cache
    def needs(batch: int) -> int:
        return int(getattr(budget_of(batch), total))

    if needs(1) > limit:
        return 0
    low, high = 1, 2
    while needs(high) <= limit:
        a_sample = max(1, (needs(high) - needs(low)) // (high - low))
        low, high = high, max(high + 1, high + (limit - needs(high)) // a_sample)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if needs(middle) <= limit else (low, middle)
    return low


def subject_of(model: str | nn.Module, settings: dict[str, Any], *, real: bool = False) -> Subject:
    """The network that is named or handed in; a named one has weights without data unless they are to be `real`."""
    if isinstance(model, nn.Module):
        if settings:
            raise UsageError(f"settings such as {next(iter(settings))} are for networks that are built here by name")
        return Subject(type(model).__name__, "", None, model)
    if isinstance(model, str):
        return load(model, settings, real=real)
    raise UsageError(f"a model is a name or a torch module, not {model!r}")


def inputs_of(subject: Subject, inputs: Any, batch_size: int | None) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of one forward pass, by position and by name, with a tensor without data for every shape."""
    given = tensors(subject.module, _batched(subject, inputs, batch_size))
    return ((), given) if isinstance(given, dict) else (tuple(_listed(given)), {})


def _with_values(
    model: str | nn.Module, settings: dict[str, Any], args: tuple[Any, ...], kwargs: dict[str, Any], failed: Report
) -> Report:
    """The report of a run on real tensors, for a model that reads values; the failed one if that gets no further."""
    try:
        subject = subject_of(model if isinstance(model, str) else deepcopy(model), settings, real=True)
        found = report_of(subject, with_values(args), with_values(kwargs), training=failed.training, real=True)
    except Exception:  # nothing is lost: the first failure is reported
        return failed
    return failed if found.failure is not None and len(found.rows) <= len(failed.rows) else found


def _batched(subject: Subject, inputs: Any, batch_size: int | None) -> Any:
    """The inputs as given, or the network's own; the shape of one sample gets its batch."""
    if batch_size is not None and (not isinstance(batch_size, int) or batch_size < 1):
        raise UsageError(f"a batch has at least one sample, not {batch_size}")
    own = subject.input_shape
    if inputs is None:
        if own is None:
            raise UsageError(f"{subject.name} needs an input size, such as -i 3x224x224 or inputs=(1, 3, 224, 224)")
        inputs = own
    if _is_shape(inputs):
        is_sample = batch_size is not None or (own is not None and len(inputs) == len(own))
        return with_batch(tuple(inputs), batch_size) if is_sample else inputs
    if isinstance(inputs, Typed):
        return inputs if batch_size is None else with_batch(inputs, batch_size)
    if batch_size is not None:
        raise UsageError("batch_size goes before the shape of one sample; these inputs have their batch already")
    return inputs


def batch_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> int | None:
    """The batch of the first tensor, if its rank is that of a batch of vectors, images or volumes.

    Three dimensions may be an image alone or a batch of sequences: there nothing is taken for the batch.
    """
    first = next((value for value in (*args, *kwargs.values()) if isinstance(value, Tensor)), None)
    return first.shape[0] if first is not None and first.ndim in (2, 4, 5) else None


def _is_shape(inputs: Any) -> bool:
    whole = isinstance(inputs, (tuple, list)) and bool(inputs)
    return whole and all(isinstance(size, int) and not isinstance(size, bool) for size in inputs)


def _listed(given: Any) -> list[Any]:
    return list(given) if isinstance(given, (list, tuple)) else [given]
