"""What networks must at least compute, and how long that takes at a machine's peak. Nothing here needs torch."""

from __future__ import annotations

from collections.abc import Iterable

from archcalc.count.work import passes, work
from archcalc.values.benchmark import Bound, Peak
from archcalc.values.report import Report, Row


def macs_of(report: Report, phase: str) -> int | None:
    """Multiply-adds of a phase, None where an op could not be counted or the backward pass was not followed."""
    counts = [row.backward_macs if part == "backward" else row.macs for row in report.rows for part in passes(phase)]
    return None if None in counts else sum(count or 0 for count in counts)


def bound(rows: Iterable[Row], phase: str, peak: Peak) -> Bound:
    """The least seconds of a phase of these calls, each at the machine's peak and nothing kept in caches between."""
    total = memory = 0.0
    for macs, moved in (part for row in rows for part in work(row, phase)):
        compute, moving = 2 * macs / peak.flops_per_second, moved / peak.bytes_per_second
        total += max(compute, moving)
        memory += moving if moving > compute else 0.0
    return Bound(total, memory)
