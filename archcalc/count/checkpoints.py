"""Checkpointed regions of a trace: what the backward pass runs again, and what that takes and keeps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from archcalc.count.held import Held
from archcalc.formats.units import plural
from archcalc.values.trace import TensorSpec, Trace

SavedAgain = dict[int, dict[int, dict[int, int]]]
"""By call and region the memories that running again makes and keeps, with their bytes."""


def checkpoint_notes(trace: Trace) -> tuple[str, ...]:
    """A note on what checkpointing costs and saves; empty without it."""
    if not trace.checkpoints:
        return ()
    macs = sum(aten.recomputations * (aten.flops or 0) for op in trace.ops for aten in op.aten) // 2
    size = sum(nbytes for op in trace.ops for _, _, nbytes in op.saved_again)
    regions = plural(len(trace.checkpoints), "checkpointed region")
    return (
        f"{regions}: the backward pass computes {macs:,} mult-adds again, which are among its own, and makes "
        f"{size:,} bytes again, which are not among the saved bytes",
    )


def saved_again(trace: Trace) -> SavedAgain:
    """What running again makes and keeps; not what is there anyway, because it was made before the region or is kept.

    The region's own results are other memories when they are made again, unless a selective policy keeps them.
    """
    producers = {spec.storage: op.index for op in reversed(trace.ops) for spec in op.outputs}
    kept = {number: op.index for op in trace.ops for number, _ in op.saved}
    again: SavedAgain = defaultdict(lambda: defaultdict(dict))
    for op in trace.ops:
        for number, storage, size in op.saved_again:
            region = trace.checkpoints[number]
            inside = producers.get(storage, op.index) >= region.first  # a mask that no call shows is made inside
            cached = number in trace.ops[kept[storage]].checkpoints if storage in kept else False
            if op.index < region.stop and inside and not cached:
                again[op.index][number][storage] = size
    return again


def closure_bytes(trace: Trace, constant: set[int]) -> dict[int, dict[int, int]]:
    """By the first call of each outermost region: tensors from outside that its function holds, but does not save."""
    kept = {number for op in trace.ops for number, _ in op.saved} | {spec.storage for spec in trace.inputs}
    captured: dict[int, dict[int, int]] = {}
    for region in trace.checkpoints:
        ops = trace.ops[region.first : region.stop]
        for op in ops:
            for spec in op.inputs:
                outside = spec.origin == "input" or (spec.producer is not None and spec.producer < region.first)
                if outside and spec.storage is not None and spec.storage not in kept and spec.storage not in constant:
                    captured.setdefault(region.first, {})[spec.storage] = spec.nbytes
                    kept.add(spec.storage)
    return captured


def run_again(trace: Trace, number: int, again: SavedAgain, constant: set[int]) -> Iterator[tuple[int, str]]:
    """Bytes at each step of running a region again: its tensors until their last reader, what is saved to the end."""
    region = trace.checkpoints[number]
    ops = trace.ops[region.first : region.stop]
    made: dict[int, int] = {}
    last: dict[int, int] = {}
    for op in ops:
        for spec in op.outputs:
            if spec.storage is not None and spec.storage not in constant:
                made[spec.storage] = max(made.get(spec.storage, 0), spec.nbytes)
        for spec in (*op.inputs, *op.outputs):
            if spec.storage is not None:
                last[spec.storage] = op.index
    ends: dict[int, list[int]] = defaultdict(list)
    for storage, index in last.items():
        ends[index].append(storage)
    held = Held({})
    for op in ops:
        held.begin({spec.storage: made[spec.storage] for spec in op.outputs if spec.storage in made})
        held.save(again[op.index][number].items())
        yield held.saved_bytes + held.unsaved_bytes, op.path or op.kind
        held.end(ends[op.index])


Readings = dict[int, list[tuple[int, TensorSpec]]]
"""By the call that made a tensor, each reading of it: the call that reads it, or their number for an output."""


def readings(trace: Trace) -> Readings:
    """Who reads what; made once, so that each region asks for its own tensors alone."""
    read: Readings = defaultdict(list)
    for op in trace.ops:
        for spec in op.inputs:
            if spec.producer is not None:
                read[spec.producer].append((op.index, spec))
    for spec in trace.outputs:
        if spec.producer is not None:
            read[spec.producer].append((len(trace.ops), spec))
    return read


def outputs_of(trace: Trace, number: int, constant: set[int], again: SavedAgain, read: Readings) -> int:
    """Bytes of a region's outputs, which calls behind it read, where the region does not keep them itself."""
    region = trace.checkpoints[number]
    inside = range(region.first, region.stop)
    saved = {storage for index in inside for storage in again[index][number]}
    behind = [(reader, spec) for index in inside for reader, spec in read[index] if reader >= region.stop]
    outputs = {
        spec.storage: spec.nbytes
        for _, spec in sorted(behind, key=lambda reading: reading[0])
        if spec.storage not in constant
    }
    return sum(size for storage, size in outputs.items() if storage not in saved)
