"""The devices whose peaks are known, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from archcalc.formats.units import plural
from archcalc.values.device import Device
from archcalc.values.document import Document, Heading, Remark, Table

SCHEMA = "archcalc.devices/1"

HEADINGS = (
    Heading("name", "device", "text"),
    Heading("dtype", "dtype", "text", rank=4),
    Heading("flops_per_second", "GFLOP/s", "gflops_per_second"),
    Heading("bytes_per_second", "GB/s", "gflops_per_second"),
    Heading("ridge", "FLOPs/byte", "number", rank=3),
    Heading("memory", "memory", "bytes", rank=2),
    Heading("title", "is", "text", rank=1),
    Heading("source", "source", "prose", rank=5),
)

RIDGE = "FLOPs/byte: calls of a lower arithmetic intensity are bound by memory"
DENSE = "peaks on dense data; --device NAME gives each row's least time"


def devices_table(devices: Sequence[Device]) -> Document:
    """One row a device and dtype."""
    rows = tuple(tuple(getattr(device, heading.key) for heading in HEADINGS) for device in devices)
    remarks = (Remark("ridge", RIDGE, "quiet"), Remark("peaks", DENSE, "quiet"))
    table = Table(plural(len(devices), "device"), HEADINGS, rows, remarks=remarks)

    def content() -> dict[str, Any]:
        return {"schema": SCHEMA, "devices": [asdict(device) | {"ridge": device.ridge} for device in devices]}

    return Document(SCHEMA, HEADINGS, rows, (table,), content)
