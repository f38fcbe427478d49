"""roofline: the layers of a network under the roof of a device, by its data sheet or as they were timed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import floor, log10

from archcalc.charts.labels import Box, Point, Scale, place, radius
from archcalc.charts.spec import Spec, circle, names, of_row, tooltip, unique, values, whole
from archcalc.charts.theme import Theme
from archcalc.count.roofline import with_roofline
from archcalc.count.work import with_floats_of
from archcalc.formats.units import gigas, plural, significant
from archcalc.values.benchmark import Benchmark, Layers
from archcalc.values.columns import COLUMNS
from archcalc.values.device import ELEMENT_BYTES, Device
from archcalc.values.errors import UsageError
from archcalc.values.report import Report

WIDTH, HEIGHT = 560, 340
LARGEST = 900.0
"""Area of the circle of the layer that takes longest, in square pixels."""

LABELS = 16
"""Names of so many layers, those that take longest; the others have theirs under the pointer."""

KEYS = ("path", "kind", "macs", "flops", "bytes_moved", "intensity")
BOUNDS = ("arithmetic", "memory")
ABOVE = "above the roof: data came from caches, or the algorithm (Winograd) needs fewer operations than are counted"


def of_device(report: Report, device: Device, theme: Theme) -> Spec:
    """Each layer at the rate that the roof allows it; the area is the time that it takes at least."""
    data = []
    rows = with_roofline(report, device).rows
    for row, name in zip(rows, unique(row.path for row in rows), strict=True):
        if row.intensity and row.flops and row.least_seconds:
            seconds = row.least_seconds
            rate = row.flops / seconds / 1e9
            record = of_row(report, row, (*KEYS, "bound", "least_ms"))
            data.append({**record, "name": name, "seconds": seconds, "gflops_per_second": rate})
    subtitle = [
        f"data sheet: {gigas(device.flops_per_second)} GFLOP/s and {gigas(device.bytes_per_second)} GB/s; "
        "area: least time of a layer",
        "each layer at the rate that the roof allows it",
    ]
    return _spec(f"Roofline of {report.subject} on {device.name}", subtitle, data, device, "least_ms", theme)


def of_benchmark(report: Report, layers: Layers, benchmark: Benchmark, theme: Theme) -> Spec:
    """Each layer at the rate that was measured, under the machine's measured peak.

    `report` is of the same network at the same input. Layers that were timed together are left out.
    """
    peak = benchmark.peak
    device = Device("", peak.flops_per_second, peak.bytes_per_second)
    data = measured(report, layers, benchmark)
    machine = benchmark.machine
    left_out = sum(timed.calls > 1 for timed in layers.rows)
    subtitle = [
        f"{machine.device}, {benchmark.setting.dtype}; measured peak {gigas(peak.flops_per_second)} GFLOP/s and "
        f"{gigas(peak.bytes_per_second)} GB/s; area: time of a layer",
        ABOVE if any(record["gflops_per_second"] * 1e9 > _roof(device, record["intensity"]) for record in data) else "",
        f"{plural(left_out, 'group')} of layers that were timed together left out" if left_out else "",
    ]
    batch = "" if layers.batch_size is None else f", batch {layers.batch_size}"
    return _spec(f"Roofline of {report.subject}{batch}", subtitle, data, device, "forward_ms", theme)


def measured(report: Report, layers: Layers, benchmark: Benchmark) -> list[Spec]:
    """A record for each layer that does multiply-adds and was timed alone, with the median of its forward pass."""
    element_bytes = ELEMENT_BYTES[benchmark.setting.dtype]
    ridge = benchmark.peak.flops_per_second / benchmark.peak.bytes_per_second
    rows = {(row.module, row.call, row.kind, row.path): row for row in report.rows}
    data = []
    for timed in layers.rows:
        row = rows.get((timed.module, timed.call, timed.kind, timed.path))
        if row is None or not row.flops or not row.intensity or timed.forward is None or timed.calls > 1:
            continue
        flops = row.flops
        seconds = timed.forward.median_seconds
        row = with_floats_of(row, element_bytes)
        record = {
            **of_row(report, row, KEYS),
            "bound": "arithmetic" if flops > ridge * row.bytes_moved else "memory",
        }
        rate = {"seconds": seconds, "forward_ms": 1000 * seconds, "gflops_per_second": flops / seconds / 1e9}
        data.append({**record, **rate})
    for record, name in zip(data, unique(record["path"] for record in data), strict=True):
        record["name"] = name
    return data


def _roof(device: Device, intensity: float) -> float:
    """FLOP/s that the roof allows at so many FLOPs a byte."""
    return min(device.flops_per_second, intensity * device.bytes_per_second)


def _spec(title: str, subtitle: Sequence[str], data: list[Spec], device: Device, time: str, theme: Theme) -> Spec:
    if not data:
        raise UsageError("no layer here does multiply-adds that are counted, so none has a place under the roof")
    data = sorted(data, key=lambda record: -record["seconds"])
    ridge = device.flops_per_second / device.bytes_per_second
    intensities = [record["intensity"] for record in data]
    rates = [record["gflops_per_second"] for record in data]
    peak = device.flops_per_second / 1e9
    x = Scale(min(*intensities, ridge / 2) / 1.6, max(*intensities, ridge * 2) * 1.6, 0, WIDTH, log=True)
    y = Scale(min(rates) / 2, max(*rates, peak) * 2, HEIGHT, 0, log=True)
    left = max(x.low, y.low * 1e9 / device.bytes_per_second)
    roof = [
        {"intensity": at, "gflops_per_second": _roof(device, at) / 1e9, "order": order}
        for order, at in enumerate((left, ridge, x.high))
    ]
    slowest = data[0]["seconds"]
    position: Spec = {
        "x": {
            "field": "intensity",
            "type": "quantitative",
            "title": f"arithmetic intensity, {COLUMNS['intensity'].title} (log)",
            "scale": x.spec,
            "axis": _axis(x),
        },
        "y": {
            "field": "gflops_per_second",
            "type": "quantitative",
            "title": "GFLOP/s (log)",
            "scale": y.spec,
            "axis": _axis(y),
        },
    }
    colour: Spec = {
        "field": "bound",
        "type": "nominal",
        "title": COLUMNS["bound"].title,
        "scale": {"domain": [*BOUNDS], "range": [theme.colour(0), theme.colour(2)]},
        "legend": {"orient": "top", "symbolStrokeWidth": 0, "symbolOpacity": 1, "titleOrient": "left"},
    }
    circles: Spec = {
        "data": values(data),
        "mark": circle(theme),
        "encoding": {
            **position,
            "color": colour,
            "size": {
                "field": "seconds",
                "type": "quantitative",
                "legend": None,
                "scale": {"domain": [0, slowest], "range": [0, LARGEST]},
            },
            "tooltip": [
                *tooltip("path", "kind", "macs", "intensity", "gflops_per_second", "bound"),
                {"field": time, "title": time.replace("_", " "), "type": "quantitative", "format": ",.3~r"},
            ],
        },
    }
    circled = _circles(data, x, y)
    labels = place([point for point, _ in circled], WIDTH, HEIGHT, taken=[*_along(roof, x, y)])
    named = {number: label for number, label in labels.items() if circled[number][0].text}
    line: Spec = {
        "data": values(roof),
        "mark": {"type": "line", "color": theme.muted, "strokeWidth": 2, "clip": True},
        "encoding": {**position, "order": {"field": "order"}},
    }
    description = (
        f"{title}: GFLOP/s of {plural(len(data), 'layer')} against FLOPs a byte; the roof rises to "
        f"{gigas(device.flops_per_second)} GFLOP/s at {significant(ridge)} FLOPs a byte."
    )
    body = {"width": WIDTH, "height": HEIGHT, "layer": [line, circles, *names(circled, named, position, (x, y), theme)]}
    return whole(theme, title, subtitle, description, body)


def _axis(scale: Scale) -> Spec:
    """Ticks at 1, 2 and 5 of each power of ten, or only at the powers where those would be too many."""
    powers = range(floor(log10(scale.low)), floor(log10(scale.high)) + 1)
    steps = (1, 2, 5) if len(powers) <= 4 else (1,)
    ticks = [step * 10.0**power for power in powers for step in steps]
    return {"values": [tick for tick in ticks if scale.low <= tick <= scale.high], "format": ",~g"}


def _along(roof: list[Spec], x: Scale, y: Scale) -> Iterator[Box]:
    """Small boxes along the roof, which labels keep clear of."""
    for start, end in pairwise(roof):
        (x0, x1), (y0, y1) = (
            [scale(point[key]) for point in (start, end)] for scale, key in ((x, "intensity"), (y, "gflops_per_second"))
        )
        for part in range(81):
            at_x, at_y = x0 + (x1 - x0) * part / 80, y0 + (y1 - y0) * part / 80
            yield Box(at_x - 3, at_y - 1, at_x + 3, at_y + 1)


def _circles(data: Sequence[Spec], x: Scale, y: Scale) -> list[tuple[Point, Spec]]:
    """Each layer's circle with its record; those that take longest have names."""
    slowest = data[0]["seconds"]
    return [
        (
            Point(
                x(record["intensity"]),
                y(record["gflops_per_second"]),
                radius(LARGEST * record["seconds"] / slowest),
                record["name"] if number < LABELS else "",
            ),
            record,
        )
        for number, record in enumerate(data)
    ]
