"""Networks side by side, a measure of each and its ratio to the first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from archcalc.values.columns import COLUMNS
from archcalc.values.report import Report
from archcalc.values.shown import Shown
from archcalc.values.stored import Stored
from archcalc.values.trace import Shape


@dataclass(frozen=True, slots=True)
class Metric:
    """One measure of every network: `ratios` are to the first one's, None where there is no such thing."""

    key: str
    title: str
    unit: str
    values: tuple[int | float | Shape | None, ...]
    ratios: tuple[float | None, ...]

    def __post_init__(self) -> None:
        column = COLUMNS.get(self.key)
        if self.unit not in ("count", "shape", "seconds") or (column is None and self.unit == "count"):
            raise ValueError("should be a column in its unit, or seconds")
        if any((self.unit == "shape") != isinstance(value, tuple) for value in self.values if value is not None):
            raise ValueError("the values should have the metric's unit")


@dataclass(frozen=True, slots=True)
class Comparison(Shown, Stored):
    """Networks side by side; the first is the one that the others are measured by."""

    SCHEMA: ClassVar[str] = "archcalc.compare/1"

    reports: tuple[Report, ...]
    metrics: tuple[Metric, ...]

    def __post_init__(self) -> None:
        sizes = {len(entries) for metric in self.metrics for entries in (metric.values, metric.ratios)}
        if not sizes <= {len(self.reports)}:
            raise ValueError("every metric should have a value and a ratio for each of the reports")

    def _write(self, document: dict[str, Any]) -> dict[str, Any]:
        return {
            "networks": [report.subject for report in self.reports],
            "complete": all(report.complete for report in self.reports),
            "metrics": document["metrics"],
            "reports": document["reports"],
        }
