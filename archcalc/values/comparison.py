"""Networks side by side, a measure of each and its ratio to the first."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from archcalc.values.report import Report
from archcalc.values.shown import Shown

SCHEMA = "archcalc.compare/1"


@dataclass(frozen=True, slots=True)
class Metric:
    """One measure of every network: `ratios` are to the first one's, None where there is no such thing."""

    key: str
    title: str
    unit: str
    values: tuple[Any, ...]
    ratios: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Comparison(Shown):
    """Networks side by side; the first is the one that the others are measured by."""

    reports: tuple[Report, ...]
    metrics: tuple[Metric, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready values: the metrics, and each network's report."""
        return {
            "schema": SCHEMA,
            "networks": [report.subject for report in self.reports],
            "complete": all(report.complete for report in self.reports),
            "metrics": [asdict(metric) for metric in self.metrics],
            "reports": [report.to_dict() for report in self.reports],
        }
