"""Whether the parts of a trace fit together: one that was read from a file or put together by hand may not."""

from __future__ import annotations

from archcalc.values.errors import UsageError
from archcalc.values.trace import TensorSpec, Trace


def check_consistent(trace: Trace) -> None:
    """Raise UsageError, with the place, where a call refers to what is not there or does not come before it."""
    regions = len(trace.checkpoints)
    for at, op in enumerate(trace.ops):
        place = f"call {at}, {op.kind},"
        if op.index != at:
            raise _inconsistent(f"{place} has the index {op.index}")
        if not op.modules or not op.outputs:
            raise _inconsistent(f"{place} has no {'outputs' if op.modules else 'modules'}")
        for number in (*op.checkpoints, *[again[0] for again in op.saved_again]):
            if not 0 <= number < regions:
                raise _inconsistent(f"{place} is in the checkpointed region {number}, and there are {regions}")
        for spec in op.inputs:
            if spec.producer is not None:
                _check_producer(trace, spec, at, place)
    for spec in trace.outputs:
        if spec.producer is not None:
            _check_producer(trace, spec, len(trace.ops), "an output of the network")
    for number, region in enumerate(trace.checkpoints):
        if not 0 <= region.first <= region.stop <= len(trace.ops):
            raise _inconsistent(f"checkpointed region {number} goes from call {region.first} to {region.stop}")


def _check_producer(trace: Trace, spec: TensorSpec, before: int, place: str) -> None:
    producer = spec.producer
    if producer is None or not 0 <= producer < before:
        raise _inconsistent(f"{place} comes from call {producer}, which is not one before it")
    if not 0 <= spec.output < len(trace.ops[producer].outputs):
        raise _inconsistent(f"{place} is output {spec.output} of call {producer}, which has none of that number")


def _inconsistent(reason: str) -> UsageError:
    return UsageError(f"the trace is inconsistent: {reason}")
