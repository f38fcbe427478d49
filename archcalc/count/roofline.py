"""The roofline: how long a call takes at least on a device, and whether arithmetic or memory is what bounds it."""

from __future__ import annotations

from dataclasses import replace
from math import inf

from archcalc.count.devices import device
from archcalc.count.work import with_floats_of, work
from archcalc.values.device import Device
from archcalc.values.errors import UsageError
from archcalc.values.report import Report, Row


def roofline(name: str | None, peak: float | None, bandwidth: float | None) -> Device | None:
    """The device of that name, or one of that peak and bandwidth, or None; UsageError where it is neither."""
    if name is not None and (peak is not None or bandwidth is not None):
        raise UsageError("give the name of a device, or its peak and bandwidth, not both")
    if name is not None:
        return device(name)
    if peak is None and bandwidth is None:
        return None
    if peak is None or bandwidth is None or not (0 < peak < inf and 0 < bandwidth < inf):
        raise UsageError("a roofline needs --peak in FLOP/s and --bandwidth in bytes/s, such as 989e12 and 3.35e12")
    return Device("device", peak, bandwidth)


def with_roofline(report: Report, device: Device, phase: str = "forward") -> Report:
    """The report with each row's least time on the device, and what bounds more of it, arithmetic or memory.

    Floating-point tensors are taken to be in the device's dtype: the bytes moved and the intensity are those of it.
    `phase` is "forward", or "step" for a step of training, for which the backward pass must have been followed:
    forward, backward, and an update of the weights with momentum, in the dtype that they have.
    """
    return replace(report, rows=tuple(_row_with_roofline(row, device, phase) for row in report.rows))


def _row_with_roofline(row: Row, device: Device, phase: str) -> Row:
    if device.element_bytes is not None:
        row = with_floats_of(row, device.element_bytes)
    seconds = {"arithmetic": 0.0, "memory": 0.0}
    for macs, moved in work(row, phase):
        compute, transfer = 2 * macs / device.flops_per_second, moved / device.bytes_per_second
        seconds["arithmetic" if compute > transfer else "memory"] += max(compute, transfer)
    least = sum(seconds.values())
    bound = max(seconds, key=lambda name: seconds[name]) if least and not row.unknown else None
    return replace(row, least_seconds=least, bound=bound)
