"""Two or more reports side by side, and latencies that were measured of the same networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from archcalc.values.benchmark import Benchmark, Timing
from archcalc.values.columns import BACKWARD, COLUMNS, COMPARED
from archcalc.values.comparison import Comparison, Metric
from archcalc.values.report import Report


def compare(*reports: Report) -> Comparison:
    """Input, output, depth, params, macs, FLOPs and activations of each report, with the ratio to the first.

    Where the backward pass was followed in all of them, its mult-adds and the bytes saved for it as well.
    """
    followed = all(row.backward_macs is not None or row.macs is None for report in reports for row in report.rows)
    columns = [COLUMNS[key] for key in COMPARED + BACKWARD * followed]
    metrics = [
        _metric(column.key, column.title, column.unit, [column.of_network(report) for report in reports])
        for column in columns
    ]
    return Comparison(reports, tuple(metrics))


def with_latency(comparison: Comparison, measured: Benchmark) -> Comparison:
    """The comparison with the median time of a forward pass, in seconds, as its last metric."""
    timings = forward_timings(comparison, measured)
    seconds = [timing.samples.median_seconds if timing else None for timing in timings]
    latency = _metric("latency_seconds", "latency", "seconds", seconds)
    return replace(comparison, metrics=(*comparison.metrics, latency))


def forward_timings(comparison: Comparison, measured: Benchmark) -> list[Timing | None]:
    """For each network of the comparison the timing of its forward pass, None where it could not be measured."""
    timings: dict[str, list[Timing]] = {}
    for timing in measured.timings:
        if timing.phase in ("inference", "forward"):
            timings.setdefault(timing.network, []).append(timing)
    left = [timings.get(report.subject, []) for report in comparison.reports]
    return [of_network.pop(0) if of_network else None for of_network in left]


def _metric(key: str, title: str, unit: str, values: Sequence[Any]) -> Metric:
    first = values[0]
    ratios = [
        value / first if unit in ("count", "seconds") and first and value is not None else None for value in values
    ]
    return Metric(key, title, unit, tuple(values), tuple(ratios))
