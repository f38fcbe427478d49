"""What stands below a table whose rows have least times on a device: the total, and what bounds the largest rows."""

from __future__ import annotations

from archcalc.formats.units import gigas, milliseconds, percent, plural
from archcalc.values.device import Device
from archcalc.values.document import Remark
from archcalc.values.report import Report, Row

LARGEST = 3
"""Rows of which it is said what bounds them."""


def roofline_remarks(report: Report, device: Device) -> tuple[Remark, ...]:
    """The least time of the whole, the device's peaks, and for the largest rows what would shorten it.

    `report` has a row a call, with least times (see `count.roofline`).
    """
    whole = sum(row.least_seconds or 0 for row in report.rows)
    bounds = [row.bound for row in report.rows]
    peaks = f"{gigas(device.flops_per_second)} GFLOP/s, {gigas(device.bytes_per_second)} GB/s"
    dtype = f", tensors in {device.dtype}" if device.dtype else ""
    rows = ", ".join(f"{plural(bounds.count(name), 'row')} by {name}" for name in ("arithmetic", "memory"))
    lines = [
        Remark("least time", f"{milliseconds(whole)} ms on {device.name} ({peaks}{dtype}); bound: {rows}"),
    ]
    largest: dict[str, list[str]] = {}
    for row in sorted(report.rows, key=lambda row: -(row.least_seconds or 0))[:LARGEST]:
        if row.bound is not None:
            paths = largest.setdefault(f"by {row.bound}: {_advice(row, device)}", [])
            paths.append(f"{row.path} {percent(row.least_seconds or 0, whole)}")
    return (*lines, *(Remark("largest", f"{', '.join(paths)}, bound {why}") for why, paths in largest.items()))


def _advice(row: Row, device: Device) -> str:
    if row.bound == "arithmetic":
        return "only fewer multiply-adds, or a dtype in which the device computes faster, would shorten it"
    weights = sum(
        parameter.numel * device.element_bytes if device.element_bytes else parameter.nbytes
        for parameter in row.parameters
    )
    if 2 * weights > row.bytes_moved:
        return f"weights are {percent(weights, row.bytes_moved)} of its bytes, and a larger batch shares them"
    if not row.macs:
        return "it only moves tensors, which a kernel that joins it to the call before need not"
    return "narrower elements, or a kernel that joins it to its neighbours, would shorten it"
