"""The roofline: how long a call takes at least on a device, and whether arithmetic or memory is what bounds it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf

from archcalc.values.errors import UsageError, unknown
from archcalc.values.report import Report, Row


@dataclass(frozen=True, slots=True)
class Device:
    """Peak floating-point operations and bytes a second, as the maker states them."""

    name: str
    flops_per_second: float
    bytes_per_second: float


DEVICES = {
    device.name: device
    for device in (
        Device("h200-bf16", 989e12, 4.8e12),
        Device("h100-bf16", 989e12, 3.35e12),
        Device("h100-fp32", 67e12, 3.35e12),
        Device("a100-bf16", 312e12, 2.039e12),
        Device("a100-fp32", 19.5e12, 2.039e12),
        Device("v100-fp16", 125e12, 0.9e12),
        Device("v100-fp32", 15.7e12, 0.9e12),
        Device("t4-fp16", 65e12, 0.32e12),
        Device("t4-fp32", 8.1e12, 0.32e12),
        Device("rtx4090-fp32", 82.6e12, 1.008e12),
        Device("gtx1080ti-fp32", 11.3e12, 0.484e12),
    )
}
"""Dense peaks of the SXM or full-size boards in the makers' data sheets, without sparsity."""


def roofline(name: str | None, peak: float | None, bandwidth: float | None) -> Device | None:
    """The device of that name, or one of that peak and bandwidth, or None; UsageError where it is neither."""
    if name is not None and (peak is not None or bandwidth is not None):
        raise UsageError("give the name of a device, or its peak and bandwidth, not both")
    if name is not None:
        if name.lower() not in DEVICES:
            raise unknown("device", name, DEVICES, "--peak and --bandwidth describe any other")
        return DEVICES[name.lower()]
    if peak is None and bandwidth is None:
        return None
    if peak is None or bandwidth is None or not (0 < peak < inf and 0 < bandwidth < inf):
        raise UsageError("a roofline needs --peak in FLOP/s and --bandwidth in bytes/s, such as 989e12 and 3.35e12")
    return Device("device", peak, bandwidth)


def with_roofline(report: Report, device: Device) -> Report:
    """The report with each row's least time on the device, and which of the two bounds it."""
    return replace(report, rows=tuple(_row_with_roofline(row, device) for row in report.rows))


def _row_with_roofline(row: Row, device: Device) -> Row:
    if row.flops is None:
        return row
    arithmetic = row.flops / device.flops_per_second
    transfer = row.bytes_moved / device.bytes_per_second
    if not arithmetic and not transfer:
        return replace(row, least_seconds=0.0)
    return replace(
        row, least_seconds=max(arithmetic, transfer), bound="arithmetic" if arithmetic > transfer else "memory"
    )
