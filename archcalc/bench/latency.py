"""Latency as one more metric of a static comparison. No torch here."""

from __future__ import annotations

from dataclasses import replace

from archcalc.values.benchmark import Benchmark, Timing
from archcalc.values.comparison import Comparison, Metric


def latencies(found: Comparison, measured: Benchmark) -> list[Timing | None]:
    """For each network of the comparison the timing of its forward pass, None where it could not be measured."""
    timings: dict[str, list[Timing]] = {}
    for timing in measured.timings:
        if timing.phase in ("inference", "forward"):
            timings.setdefault(timing.network, []).append(timing)
    left = [timings.get(report.subject, []) for report in found.reports]
    return [each.pop(0) if each else None for each in left]


def with_latency(found: Comparison, measured: Benchmark) -> Comparison:
    """The comparison with the median time of a forward pass, in seconds, as its last metric."""
    values = [timing.samples.median_seconds if timing else None for timing in latencies(found, measured)]
    first = values[0]
    ratios = tuple(None if first is None or value is None else value / first for value in values)
    latency = Metric("latency_seconds", "latency", "seconds", tuple(values), ratios)
    return replace(found, metrics=(*found.metrics, latency))
