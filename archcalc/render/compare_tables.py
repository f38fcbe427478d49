"""The two layouts of a comparison: a network a row, as in papers, or a metric a row with each network's ratio."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archcalc.render.scale import suffix
from archcalc.render.table import NETWORK, mark_lower_bound, without_batch
from archcalc.values.comparison import Comparison, Metric
from archcalc.values.document import UNKNOWN, Heading, Quantity
from archcalc.values.measures import TOP1, TOP5, WITH_RATIO

Layout = tuple[tuple[Heading, ...], tuple[tuple[Any, ...], ...]]
"""The headings of a table and its rows."""


def by_network(compared: Comparison, scales: Mapping[str, str]) -> Layout:
    """A row a network; ratios only to a baseline that was asked for."""
    ratios = compared.baseline is not None
    headings = [NETWORK]
    for number, metric in enumerate(compared.metrics, 1):
        headings.append(Heading(metric.key, _title(metric, scales), _unit(metric, scales), block=number))
        if ratios and has_ratios(metric):
            headings.append(Heading(f"{metric.key}_ratio", "ratio", "ratio", block=number))
    rows = []
    for index, report in enumerate(compared.reports):
        row: list[Any] = [report.subject]
        for metric in compared.metrics:
            cell = quantity(compared, metric, index, scales)
            row.append(Quantity(cell.value, "milliseconds") if cell.unit == "seconds" else cell)
            if ratios and has_ratios(metric):
                row.append(ratio(compared, metric, index))
        rows.append(tuple(row))
    return tuple(headings), tuple(rows)


def by_metric(compared: Comparison, scales: Mapping[str, str]) -> Layout:
    """A row a metric, and beside each network but the baseline its ratio."""
    headings = [Heading("metric", "", "text")]
    for index, report in enumerate(compared.reports):
        headings.append(Heading(f"network{index}", report.subject, "count", block=index))
        if index != compared.base:
            headings.append(Heading(f"ratio{index}", "ratio", "ratio", block=index))
    rows = []
    for metric in compared.metrics:
        row: list[Any] = [metric.title + _suffix(metric, scales)]
        for index in range(len(compared.reports)):
            row.append(quantity(compared, metric, index, scales))
            if index != compared.base:
                row.append(ratio(compared, metric, index))
        rows.append(tuple(row))
    return tuple(headings), tuple(rows)


def quantity(compared: Comparison, metric: Metric, index: int, scales: Mapping[str, str]) -> Quantity:
    """A metric's value for people, in its unit or the chosen one, marked where it is a lower bound."""
    report, value = compared.reports[index], metric.values[index]
    if value is None:  # of errors there may be none; anything else is not known
        return Quantity(None if metric.key in (TOP1, TOP5) else UNKNOWN, metric.unit)
    prefix = scales.get(metric.key)
    if is_lower_bound(compared, metric, index):
        return Quantity(value, f"least {prefix}" if prefix else "least")
    return Quantity(without_batch(report, value, metric.unit), prefix or metric.unit)


def is_lower_bound(compared: Comparison, metric: Metric, index: int) -> bool:
    """Whether a value misses what could not be counted."""
    value = metric.values[index]
    return (
        metric.unit == "count"
        and isinstance(value, int)
        and isinstance(mark_lower_bound(compared.reports[index], metric.key, value), Quantity)
    )


def ratio(compared: Comparison, metric: Metric, index: int) -> float | None:
    """A metric's ratio to the baseline; None as well where one of the two is only a lower bound."""
    base = compared.base
    sides = (index,) if base is None else (index, base)
    return None if any(is_lower_bound(compared, metric, side) for side in sides) else metric.ratios[index]


def has_ratios(metric: Metric) -> bool:
    """Whether one network's value may be so many times another's."""
    return metric.unit in WITH_RATIO


def _title(metric: Metric, scales: Mapping[str, str]) -> str:
    return metric.title + (" ms" if metric.unit == "seconds" else _suffix(metric, scales))


def _suffix(metric: Metric, scales: Mapping[str, str]) -> str:
    prefix = scales.get(metric.key)
    return suffix(metric, prefix) if prefix else ""


def _unit(metric: Metric, scales: Mapping[str, str]) -> str:
    unit = "milliseconds" if metric.unit == "seconds" else metric.unit
    return scales.get(metric.key, unit)
