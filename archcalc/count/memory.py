"""What a network holds in memory, from a trace that followed autograd: by part, and the peaks of a run.

Both peaks come from walks over the graph. A forward pass keeps a tensor until the last call that reads it; views and
in-place results lie in the memory that they share. A training step keeps what autograd saves until the call that saved
it first has run backward, and a gradient from the last reader's backward to its maker's. What a call allocates and
frees again while it runs (a kernel's workspace, the squares of a response normalisation, the indices of a pool), and
what an allocator rounds up, come on top and are not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

from archcalc.count.checkpoints import checkpoint_notes, closure_bytes, outputs_of, readings, run_again, saved_again
from archcalc.count.held import Gradients, Held
from archcalc.ops import definition
from archcalc.values.budget import Budget, Peak, Step, Timeline
from archcalc.values.errors import unknown
from archcalc.values.trace import Op, TensorSpec, Trace

OPTIMIZERS = {"none": 0, "sgd": 0, "momentum": 1, "adam": 2}
"""Numbers that an optimiser keeps for each trainable weight."""


def check_optimizer(name: str) -> None:
    """Raise UsageError for an optimiser that is not among OPTIMIZERS."""
    if name not in OPTIMIZERS:
        raise unknown("optimizer", name, OPTIMIZERS)


def largest_batch(limit: int, budget_of: Callable[[int], Budget], total: str) -> int:
    """The largest batch whose `total` ("inference_total" or "training_total") is within a limit of bytes, 0 for none.

    Memory grows almost linearly with the batch: two points give a guess, which bisection refines.
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


def budget(trace: Trace, optimizer: str = "sgd") -> Budget:
    """The memory of a network by part; `trace` must have followed autograd."""
    trainable = sum(parameter.nbytes for parameter in trace.params if parameter.trainable)
    given = {spec.storage: spec.nbytes for spec in trace.inputs}
    return Budget(
        subject=trace.subject,
        batch_size=trace.batch_size,
        optimizer=optimizer,
        weights=sum(parameter.nbytes for parameter in trace.params),
        buffers=trace.buffer_bytes,
        gradients=trainable,
        optimizer_state=OPTIMIZERS[optimizer] * trainable,
        input=sum(given.values()),
        saved=sum(size for op in trace.ops for _, size in op.saved),
        inference=_inference(trace),
        training=_training(trace),
        notes=checkpoint_notes(trace),
    )


def _activations(specs: Iterable[TensorSpec], constant: set[int]) -> dict[int, int]:
    """Bytes by memory of the tensors that are neither parameters nor constants."""
    sizes: dict[int, int] = {}
    for spec in specs:
        if spec.storage is not None and spec.storage not in constant:
            sizes[spec.storage] = max(sizes.get(spec.storage, 0), spec.nbytes)
    return sizes


def _constants(trace: Trace) -> set[int]:
    """Storages that no call made: parameters, buffers and constants, but not the input."""
    given = {spec.storage for spec in trace.inputs}
    return {
        spec.storage
        for op in trace.ops
        for spec in op.inputs
        if spec.producer is None and spec.storage is not None and spec.storage not in given
    }


def _lifetimes(trace: Trace) -> list[tuple[dict[int, int], list[int]]]:
    """For each call the memories that come alive for it, with their bytes, and those that it is the last to need.

    The input lives from the first call on, and like the outputs to the end.
    """
    constant = _constants(trace)
    sizes: dict[int, int] = {}
    last: dict[int, int] = {}
    for op in trace.ops:
        for storage, size in _activations((*op.inputs, *op.outputs), constant).items():
            sizes[storage] = max(sizes.get(storage, 0), size)
            last[storage] = op.index
    for spec in (*trace.inputs, *trace.outputs):
        if spec.storage is not None:
            last[spec.storage] = len(trace.ops)
            sizes.setdefault(spec.storage, spec.nbytes)
    begins = [{storage: sizes[storage] for storage in _activations(op.outputs, constant)} for op in trace.ops]
    if begins:
        given = {spec.storage: spec.nbytes for spec in trace.inputs if spec.storage is not None}
        begins[0] = given | begins[0]
    ends: list[list[int]] = [[] for _ in range(len(trace.ops) + 1)]
    for storage, index in last.items():
        ends[index].append(storage)
    return list(zip(begins, ends, strict=False))


def _inference(trace: Trace) -> Peak:
    return _highest((step.activations, step.path) for step in _forward(trace, Held({}), captured=None))


def _highest(steps: Iterable[tuple[int, str]]) -> Peak:
    return max((Peak(*step) for step in steps), key=lambda peak: peak.nbytes, default=Peak(0, ""))


def timeline(trace: Trace) -> Timeline:
    """What is alive in memory at each step of a training step; `trace` must have followed autograd.

    The steps forward hold what is saved so far, those backward the gradients that are alive.
    """
    held = Held({spec.storage: spec.nbytes for spec in trace.inputs if spec.storage is not None})
    captured = closure_bytes(trace, _constants(trace))
    steps = list(_forward(trace, held, captured))
    return Timeline(trace.subject, trace.batch_size, (*steps, *_backward(trace, sum(held.saved.values()), captured)))


def _forward(trace: Trace, held: Held, captured: dict[int, dict[int, int]] | None) -> Iterable[Step]:
    """Each step forward; with `captured`, what closures hold by call, also what is saved for the backward pass."""
    for (begins, ends), op in zip(_lifetimes(trace), trace.ops, strict=True):
        if captured is not None:
            held.save(op.saved)
            held.save(captured.get(op.index, {}).items())
        held.begin(begins)
        yield Step(op.path or op.kind, "forward", held.saved_bytes, held.unsaved_bytes, 0)
        held.end(ends)


def _training(trace: Trace) -> Peak:
    return _highest((step.nbytes, step.path) for step in timeline(trace).steps)


def _backward(trace: Trace, saved: int, captured: dict[int, dict[int, int]]) -> Iterable[Step]:
    """Each step back: saved tensors, gradients of activations, gradients of weights so far.

    A checkpointed region runs forward again before its last call runs backward.
    """
    again, read = saved_again(trace), readings(trace)
    constant = _constants(trace)
    running: set[int] = set()
    until_first: dict[int, int] = {}  # by call: what stays until it has run backward
    trainable = {parameter.name: parameter.nbytes for parameter in trace.params if parameter.trainable}
    gradients = Gradients()
    for spec in trace.outputs:
        if spec.needs_grad and spec.producer is not None:
            gradients[spec.producer] = (-1 - spec.producer, spec.nbytes)
    weights = 0
    for op in reversed(trace.ops):
        own = gradients.get(op.index)
        for number in op.checkpoints:
            region = trace.checkpoints[number]
            if number in running or region.first == region.stop:
                continue
            running.add(number)
            for size, path in run_again(trace, number, again, constant):
                yield Step(path, "backward", saved, gradients.nbytes + size, weights)
            saved += sum(sum(again[one.index][number].values()) for one in trace.ops[region.first : region.stop])
            if region.reentrant:
                kept = outputs_of(trace, number, constant, again, read) + (own[1] if own else 0)
                saved += kept
                until_first[region.first] = until_first.get(region.first, 0) + kept
        if own is not None:
            weights += sum(trainable.pop(spec.param, 0) for spec in op.inputs if spec.param)
            passes_on = _passes_gradient_on(op)
            for spec in op.inputs:
                if spec.needs_grad and spec.producer is not None:
                    # additions and views pass the same buffer on; a tensor's second gradient is summed into a new one
                    passed_on = passes_on and spec.producer not in gradients
                    gradients[spec.producer] = own if passed_on else (spec.producer, spec.nbytes)
        yield Step(op.path or op.kind, "backward", saved, gradients.nbytes, weights)
        gradients.release(op.index)
        saved -= sum(size for _, size in op.saved) + sum(captured.get(op.index, {}).values())
        saved -= sum(sum(again[op.index][number].values()) for number in op.checkpoints if number in running)
        saved -= until_first.pop(op.index, 0)


def _passes_gradient_on(op: Op) -> bool:
    shapes = {spec.shape for spec in op.inputs if spec.needs_grad}
    # true for a view, and for a call that returns its input, which runs no aten op
    is_view = all("view" in aten.tags for aten in op.aten)
    return is_view or (definition(op.kind).passes_gradient_on and shapes == {op.outputs[0].shape})
