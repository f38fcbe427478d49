"""Two or more reports side by side."""

from __future__ import annotations

from typing import Any

from archcalc.values.comparison import Comparison, Metric
from archcalc.values.report import Report


def compare(*reports: Report) -> Comparison:
    """Input, output, depth, params, macs, FLOPs and activations of each report, with the ratio to the first.

    Where the backward pass was followed in all of them, its mult-adds and the bytes saved for it as well.
    """
    shapes = [
        _metric("input_shape", "input", "shape", [next(iter(report.input_shapes), None) for report in reports]),
        _metric(
            "output_shape",
            "output",
            "shape",
            [report.output_shapes[0] if report.output_shapes else None for report in reports],
        ),
        _metric("depth", "depth", "count", [report.depth for report in reports]),
    ]
    totals = {"params": "params", "macs": "mult-adds", "flops": "FLOPs", "activations": "activations"}
    if all(row.backward_macs is not None or row.macs is None for report in reports for row in report.rows):
        totals |= {"backward_macs": "backward mult-adds", "saved_bytes": "bytes saved"}
    sums = [_metric(key, title, "count", [report.total(key) for report in reports]) for key, title in totals.items()]
    return Comparison(reports, tuple(shapes + sums))


def _metric(key: str, title: str, unit: str, values: list[Any]) -> Metric:
    first = values[0]
    ratios = [value / first if unit == "count" and first else None for value in values]
    return Metric(key, title, unit, tuple(values), tuple(ratios))
