"""Networks side by side, a measure of each and its ratio to one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from archcalc.values.columns import COLUMNS
from archcalc.values.later import later
from archcalc.values.report import Report
from archcalc.values.shown import Shown
from archcalc.values.stored import Stored
from archcalc.values.trace import Shape

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, slots=True)
class Metric:
    """One measure of every network: `ratios` are to the baseline's, None where there is no such thing.

    `note` says how it was measured, such as the protocol of published errors.
    """

    key: str
    title: str
    unit: str
    values: tuple[int | float | Shape | str | None, ...]
    ratios: tuple[float | None, ...]
    note: str = ""

    def __post_init__(self) -> None:
        column = COLUMNS.get(self.key)
        units = ("count", "shape", "seconds", "memory", "percent", "window")
        if self.unit not in units or (column is None and self.unit == "count"):
            raise ValueError("should be a column in its unit, or a measure of networks")
        types = {"shape": (tuple,), "window": (tuple, str)}.get(self.unit, (int, float))
        if not all(isinstance(value, types) for value in self.values if value is not None):
            raise ValueError("the values should have the metric's unit")


@dataclass(frozen=True, slots=True)
class Comparison(Shown, Stored):
    """Networks side by side.

    `baseline` is the name of the network that the others are measured by, None for the first. `chosen` is whether
    somebody chose the metrics: such a comparison is written with a network a row, and any other with a metric a row.
    """

    SCHEMA: ClassVar[str] = "archcalc.compare/1"

    reports: tuple[Report, ...]
    metrics: tuple[Metric, ...]
    baseline: str | None = None
    chosen: bool = False

    def __post_init__(self) -> None:
        sizes = {len(entries) for metric in self.metrics for entries in (metric.values, metric.ratios)}
        if not sizes <= {len(self.reports)}:
            raise ValueError("every metric should have a value and a ratio for each of the reports")

    @property
    def base(self) -> int | None:
        """Where the network stands that the ratios are to; None where it is not among those that are left."""
        if self.baseline is None:
            return 0 if self.reports else None
        subjects = [report.subject for report in self.reports]
        return subjects.index(self.baseline) if self.baseline in subjects else None

    def to_latex(self, *, transpose: bool = False, units: str | None = None) -> str:
        """A booktabs table for a paper, laid out as the command does, or with rows and columns exchanged.

        `units` is "K", "M", "G" or "raw" for all columns that add up, or "params=M,macs=G". Raises UsageError for
        other units.
        """
        text: str = later("render", self, "latex", transpose=transpose, units=units)
        return text

    def to_markdown(self, *, transpose: bool = False, units: str | None = None) -> str:
        """The same as a Markdown table."""
        text: str = later("render", self, "markdown", transpose=transpose, units=units)
        return text

    def to_pandas(self) -> pandas.DataFrame:
        """A row a network, by name, and a column a metric: raw values, missing where unknown."""
        import pandas

        names = pandas.Index([report.subject for report in self.reports], name="network")
        return pandas.DataFrame({metric.key: list(metric.values) for metric in self.metrics}, index=names)

    @classmethod
    def _read(cls, document: dict[str, Any]) -> dict[str, Any]:
        """Fields that documents of archcalc 0.1.0 did not have hold what they mean there."""
        metrics = document.get("metrics")
        if isinstance(metrics, list):
            metrics = [{"note": "", **metric} if isinstance(metric, dict) else metric for metric in metrics]
        return {"baseline": None, "chosen": False, **document, "metrics": metrics}

    def _write(self, document: dict[str, Any]) -> dict[str, Any]:
        return {
            "networks": [report.subject for report in self.reports],
            "complete": all(report.complete for report in self.reports),
            "baseline": document["baseline"],
            "chosen": document["chosen"],
            "metrics": document["metrics"],
            "reports": document["reports"],
        }
