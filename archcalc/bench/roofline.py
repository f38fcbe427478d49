"""What calls must at least compute and move, and how long that takes at a machine's peak. Nothing here needs torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from archcalc.ops import definition
from archcalc.values.benchmark import Bound, Peak
from archcalc.values.report import Report, Row

_OPTIMISER_TOUCHES = 5
"""Momentum reads weight, gradient and velocity, and writes velocity and weight."""


def macs_of(report: Report, phase: str) -> int | None:
    """Multiply-adds of a phase, None where an op could not be counted or the backward pass was not followed."""
    counts = [row.backward_macs if part == "backward" else row.macs for row in report.rows for part in _passes(phase)]
    return None if None in counts else sum(count or 0 for count in counts)


def bound(rows: Iterable[Row], phase: str, peak: Peak) -> Bound:
    """The least seconds of a phase of these calls, each at the machine's peak and nothing kept in caches between."""
    total = memory = 0.0
    for macs, moved in _work(rows, phase):
        compute, moving = 2 * macs / peak.flops_per_second, moved / peak.bytes_per_second
        total += max(compute, moving)
        memory += moving if moving > compute else 0.0
    return Bound(total, memory)


def _passes(phase: str) -> tuple[str, ...]:
    return ("forward", "backward") if phase == "step" else (phase,)


def _work(rows: Iterable[Row], phase: str) -> Iterator[tuple[int, int]]:
    """Multiply-adds and bytes moved of every call and pass of a phase."""
    for row in rows:
        moved = row.read_bytes + row.written_bytes
        for part in _passes(phase):
            if part != "backward":
                yield row.macs or 0, moved
            elif not definition(row.kind).passes_gradient_on:
                # each gradient is a product that reads two and writes one of input, weight and output
                yield row.backward_macs or 0, moved * _gradients(row)
        if phase == "step":
            yield 0, _OPTIMISER_TOUCHES * sum(parameter.nbytes for parameter in row.parameters)


def _gradients(row: Row) -> int:
    return (row.backward_macs or 0) // row.macs if row.macs else 1
