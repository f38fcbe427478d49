"""What calls must at least compute and move, and how long that takes at a machine's peak. Nothing here needs torch."""

from __future__ import annotations

from collections.abc import Iterable

from archcalc.bench.timing import Bound, Peak
from archcalc.count.report import Report, Row, elements

PHASES = ("inference", "forward", "backward", "step")
"""A pass without gradients; one that keeps what the backward pass needs; that pass; all of a training step."""

_MOVES_NOTHING = frozenset(
    """view reshape flatten unflatten squeeze unsqueeze transpose permute t expand narrow select getitem chunk split
    unbind detach contiguous dropout""".split()
)
"""Calls that may hand on what they got; dropout does so outside training."""

_OPTIMISER_TOUCHES = 5
"""Momentum reads weight, gradient and velocity, and writes velocity and weight."""


def macs_of(report: Report, phase: str) -> int | None:
    """Multiply-adds of a phase, None where an op could not be counted."""
    if not report.complete:
        return None
    forward, backward = report.total("macs"), sum(backward_macs(row) or 0 for row in report.rows)
    return {"backward": backward, "step": forward + backward}.get(phase, forward)


def backward_macs(row: Row) -> int | None:
    """Multiply-adds of a row's backward pass: one pass for the gradient of each operand that needs one.

    The first layer's input is the image, which needs none; None where the forward ones are unknown.
    """
    if row.macs is None:
        return None
    return row.macs if row.depth == 1 and row.parameters else 2 * row.macs


def bound(rows: Iterable[Row], phase: str, peak: Peak, itemsize: int) -> Bound:
    """The least seconds of a phase of these calls, each at the machine's peak and nothing kept in caches between."""
    total = memory = 0.0
    for row in rows:
        passes = ("forward", "backward") if phase == "step" else (phase,)
        for each in passes:
            macs = (backward_macs(row) if each == "backward" else row.macs) or 0
            compute = 2 * macs / peak.flops_per_second
            moving = itemsize * _moved(row, each) / peak.bytes_per_second
            total += max(compute, moving)
            memory += moving if moving > compute else 0.0
        if phase == "step":
            touched = itemsize * _OPTIMISER_TOUCHES * row.params / peak.bytes_per_second
            total += touched
            memory += touched
    return Bound(total, memory)


def _moved(row: Row, phase: str) -> int:
    """Elements that a call reads and writes at least once."""
    if row.kind in _MOVES_NOTHING:
        return 0
    inputs, outputs = elements(row.input_shapes), elements(row.output_shapes)
    if phase != "backward":
        return inputs + outputs + row.params
    if not row.parameters or not row.macs:
        return inputs + outputs  # the gradient comes in at one side and leaves at the other
    weights = inputs + outputs + row.params
    return weights if row.depth == 1 else 2 * weights
