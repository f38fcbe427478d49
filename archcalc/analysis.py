"""The only way from a network to what is known of it: build, trace, count."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor, nn

from archcalc.count.report import build_report
from archcalc.sources.load import subject_of
from archcalc.sources.subject import Subject
from archcalc.trace.inputs import ids_below, is_drawn_below, tensors, with_values
from archcalc.trace.run import trace
from archcalc.trace.tensors import tensors_in
from archcalc.values.errors import ArchcalcError, ModelError, UsageError, error_message, error_text, model_errors
from archcalc.values.input_size import CallInputs, Typed, checked, with_batch
from archcalc.values.report import Report
from archcalc.values.trace import Trace


@dataclass(frozen=True, slots=True)
class Analysis:
    """A network, one forward pass of it, and what that costs; `args` and `kwargs` are what the pass was given."""

    subject: Subject
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    trace: Trace
    report: Report


def analysis_of(
    model: str | nn.Module,
    inputs: Any = None,
    batch_size: int | None = None,
    *,
    settings: dict[str, Any] | None = None,
    training: bool = False,
    backward: bool = False,
    every_op: bool = False,
) -> Analysis:
    """What is known of a network; arguments as for `archcalc.analyze`.

    `every_op` records every torch op that runs beneath a call, also where a shape rule makes running it needless.
    Raises UsageError if the request is wrong, ModelError, with the rows so far, if the network cannot be built or run.
    """
    subject = subject_of(model, settings or {})
    with model_errors(subject.name):
        args, kwargs = inputs_of(subject, inputs, batch_size)
        return analysis(subject, args, kwargs, training=training, backward=backward, every_op=every_op)


def analysis(
    subject: Subject,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    training: bool = False,
    backward: bool = False,
    every_op: bool = False,
) -> Analysis:
    """One forward pass of a network on these arguments: on tensors without data, or real ones if it reads values."""
    how = {"training": training, "autograd": backward}
    recorded = _traced(subject, subject.module, args, kwargs, skip=not every_op, **how)
    if recorded.failure is not None and not subject.in_zoo:
        recorded = _on_real_tensors(subject, args, kwargs, recorded, how)
    with _without_garbage_collection():
        report = build_report(recorded, subject.source)
    if recorded.failure is not None:
        _check_channels(subject.name, args, recorded)
        raise ModelError(f"{subject.name} failed at {recorded.failure}", report)
    return Analysis(subject, args, kwargs, recorded, report)


def _traced(subject: Subject, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], **how: Any) -> Trace:
    with _without_garbage_collection():
        return trace(module, args, kwargs, subject=subject.name, batch_size=batch_of(args, kwargs), **how)


def _on_real_tensors(
    subject: Subject, args: tuple[Any, ...], kwargs: dict[str, Any], failed: Trace, how: dict[str, bool]
) -> Trace:
    """The trace of a run on real tensors, for a model that reads values.

    If that fails as well, the one that got further, with what both failed at.
    """
    try:
        module = subject.with_weights()
        values, named_values = with_values(module, (args, kwargs))
        recorded = _traced(subject, module, values, named_values, real=True, **how)
    except Exception as error:
        text = error_message(error) or type(error).__name__
        return replace(failed, failure=f"{failed.failure}; a run on real tensors is not possible: {text}")
    if recorded.failure is not None:
        further = recorded if len(recorded.ops) > len(failed.ops) else failed
        return replace(further, failure=_both(failed.failure, recorded.failure))
    note = f"whole numbers among the inputs were drawn below {ids_below(module)}"
    drawn = any(is_drawn_below(tensor) for tensor in tensors_in((args, kwargs)))
    return replace(recorded, notes=(*recorded.notes, note)) if drawn else recorded


def _both(first: str | None, second: str | None) -> str:
    """What a run on stand-ins failed at, and the one on real tensors after it if that is somewhere else."""
    place = f"{first}".partition(" got ")[0]
    return f"{first}" if f"{second}".startswith(place) else f"{first}; on real tensors it failed at {second}"


def _check_channels(name: str, args: tuple[Any, ...], failed: Trace) -> None:
    """Raise UsageError where an image that seems to have its channels last made the first call fail."""
    shape = tuple(args[0].shape) if len(args) == 1 and isinstance(args[0], Tensor) else ()
    if len(shape) < 3 or shape[-1] not in (1, 3, 4) or min(shape[-3:-1]) < 8:
        return
    if not failed.ops or f"to have {shape[-1]} channels" in f"{failed.failure}":
        size, right = ("x".join(map(str, sizes)) for sizes in (shape[-3:], (shape[-1], *shape[-3:-1])))
        raise UsageError(f"{name} failed at {failed.failure}: the input is {size}; channels first? write -i {right}")


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """A trace makes many small objects, all of them to be kept: looking for garbage among them is time lost."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def inputs_of(subject: Subject, inputs: Any, batch_size: int | None) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of one forward pass, by position and by name, with a tensor without data for every shape."""
    asked = _batched(subject, inputs, batch_size)
    if isinstance(asked, CallInputs):
        return tuple(tensors(subject.module, list(asked.args))), tensors(subject.module, asked.kwargs)
    given = tensors(subject.module, asked)
    return ((), given) if isinstance(given, dict) else (tuple(_listed(given)), {})


def _batched(subject: Subject, inputs: Any, batch_size: int | None) -> Any:
    """The inputs as given, or the network's own; the shape of one sample gets its batch."""
    if batch_size is not None and (not isinstance(batch_size, int) or batch_size < 1):
        raise UsageError(f"a batch has at least one sample, not {batch_size}")
    own = subject.input_shape
    if inputs is None:
        if subject.own_inputs is not None:
            return _own_inputs(subject, batch_size)
        if own is None:
            raise UsageError(f"{subject.name} needs an input size, such as -i 3x224x224 or inputs=(1, 3, 224, 224)")
        inputs = own
    if _is_shape(inputs):
        if own is not None and len(inputs) == len(own) > 3:  # a video has four sizes without its batch
            return checked((batch_size or 1, *inputs))
        is_sample = batch_size is not None or (own is not None and len(inputs) == len(own))
        return with_batch(tuple(inputs), batch_size) if is_sample else inputs
    if isinstance(inputs, Typed):
        return inputs if batch_size is None else with_batch(inputs, batch_size)
    if batch_size is not None:
        raise UsageError("batch_size goes before the shape of one sample; these inputs have their batch already")
    return inputs


def _own_inputs(subject: Subject, batch_size: int | None) -> Any:
    """The inputs that a network's source makes; UsageError where sizes in its configuration are none."""
    assert subject.own_inputs is not None
    try:
        return subject.own_inputs(batch_size)
    except ArchcalcError:
        raise
    except Exception as error:
        reason = f"no input follows from the configuration of {subject.name}: {error_text(error)}"
        raise UsageError(f"{reason}; give it by name, such as -i pixel_values=1x3x224x224") from error


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
