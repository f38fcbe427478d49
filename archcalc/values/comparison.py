"""Networks side by side, a measure of each and its ratio to the first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from archcalc.values.report import Report
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


@dataclass(frozen=True, slots=True)
class Comparison(Stored):
    """Networks side by side; the first is the one that the others are measured by."""

    SCHEMA: ClassVar[str] = "archcalc.compare/1"

    reports: tuple[Report, ...]
    metrics: tuple[Metric, ...]

    def __str__(self) -> str:
        """The table that `archcalc compare` prints, 100 columns wide."""
        from archcalc.formats import render
        from archcalc.render.compare import comparison

        return render(comparison(self), "table", width=100).rstrip("\n")

    def _write(self, document: dict[str, Any]) -> dict[str, Any]:
        return {
            "networks": [report.subject for report in self.reports],
            "complete": all(report.complete for report in self.reports),
            "metrics": document["metrics"],
            "reports": document["reports"],
        }
