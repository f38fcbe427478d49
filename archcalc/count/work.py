"""What the passes of a call must at least compute and move between memory and processor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from archcalc.ops import definition
from archcalc.values.report import Row
from archcalc.values.trace import item_bytes

_OPTIMISER_TOUCHES = 5
"""Momentum reads weight, gradient and velocity, and writes velocity and weight."""


def passes(phase: str) -> tuple[str, ...]:
    """The passes through a network that a phase is made of: "forward", "backward", or both in a "step" of training."""
    return ("forward", "backward") if phase == "step" else (phase,)


def work(row: Row, phase: str) -> Iterator[tuple[int, int]]:
    """Multiply-adds and bytes moved in each pass of a phase; a step updates the weights as well. Unknown macs add 0."""
    moved = row.bytes_moved
    for part in passes(phase):
        if part != "backward":
            yield row.least_macs if row.macs is None else row.macs, moved
        elif not definition(row.kind).passes_gradient_on:
            # each gradient is a product that reads two and writes one of input, weight and output
            yield row.backward_macs or 0, moved * _gradients(row)
    if phase == "step":
        yield 0, _OPTIMISER_TOUCHES * sum(parameter.nbytes for parameter in row.parameters)


def _gradients(row: Row) -> int:
    return (row.backward_macs or 0) // row.macs if row.macs else 1


def with_floats_of(row: Row, element_bytes: int) -> Row:
    """The row as it would be if every floating-point tensor had elements of that many bytes."""
    return replace(
        row,
        read_bytes=row.read_bytes + _difference(row.read_floats, element_bytes),
        written_bytes=row.written_bytes + _difference(row.written_floats, element_bytes),
    )


def _difference(floats: tuple[tuple[str, int], ...], element_bytes: int) -> int:
    return sum(elements * (element_bytes - item_bytes(dtype)) for dtype, elements in floats)
