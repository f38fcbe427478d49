"""Networks side by side: a metric a row for people, a network a record for csv."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from archcalc.count.compare import forward_timings, with_latency
from archcalc.formats.units import compact, significant
from archcalc.render.bench import conditions, speed
from archcalc.render.table import NETWORK, layers_of, mark_lower_bound, unknown_calls, without_batch
from archcalc.values.document import UNKNOWN, Document, Heading, Quantity, Remark, Table
from archcalc.values.report import COUNTING_CONVENTION

if TYPE_CHECKING:
    from archcalc.values.benchmark import Benchmark
    from archcalc.values.comparison import Comparison, Metric
    from archcalc.values.report import Report

SCHEMA = "archcalc.compare/1"

CLOSE = 1.1
"""Below this ratio a difference is given in percent: "1.03 times fewer" is hard to read."""


def comparison(
    compared: Comparison,
    *,
    with_layers: bool = False,
    keys: Sequence[str] | None = None,
    measured: Benchmark | None = None,
) -> Document:
    """The networks of a comparison side by side, each metric with its ratio to the first network.

    `with_layers` puts their layers under each other as well, with the columns `keys`; the records of the csv
    are then the layers, since one csv has one header. `measured` adds the latency that was measured of them.
    """
    if measured is not None:
        compared = with_latency(compared, measured)
    layers = layers_of(compared.reports, keys)
    tables = (_side_by_side(compared, measured), *(layers.tables if with_layers else ()))
    content = partial(_content, compared, layers if with_layers else None, measured)
    if with_layers:
        return Document(layers.schema, layers.headings, layers.rows, tables, content)
    headings = [NETWORK]
    for metric in compared.metrics:
        headings.append(Heading(metric.key, metric.title, metric.unit))
        if _has_ratios(metric):
            headings.append(Heading(f"{metric.key}_ratio", "ratio", "ratio"))
    headings.append(Heading("complete", "complete", "text"))
    rows = tuple(_record(compared, index) for index in range(len(compared.reports)))
    return Document(SCHEMA, tuple(headings), rows, tables, content)


def sentences(compared: Comparison) -> list[str]:
    """What each network saves in multiply-adds against the first, in one plain line each; none for lower bounds."""
    if not compared.reports or not compared.reports[0].complete:
        return []
    first, *others = compared.reports
    return [_sentence(first, other) for other in others if other.complete]


def _sentence(first: Report, other: Report) -> str:
    before, after = first.total("macs"), other.total("macs")
    needs = f"{other.subject} needs {compact(after) if after else 'no'} multiply-adds"
    whose = f"{first.subject}'s {compact(before)}"
    if before == after:
        return f"{needs}, as many as {first.subject}"
    if not before or not after:
        return f"{needs}, {first.subject} {compact(before) if before else 'none'}"
    times = max(before, after) / min(before, after)
    if times < CLOSE:
        change = significant(100 * abs(after - before) / before, 2)
        return f"{needs}, {change}% {'fewer' if after < before else 'more'} than {whose}"
    return f"{needs}, {significant(times)} times {'fewer than' if after < before else 'as many as'} {whose}"


def _side_by_side(compared: Comparison, measured: Benchmark | None) -> Table:
    headings, first = [Heading("metric", "", "text")], compared.reports[0].subject if compared.reports else ""
    for index, report in enumerate(compared.reports):
        headings.append(Heading(f"network{index}", report.subject, "count", block=index))
        if index:
            headings.append(Heading(f"ratio{index}", "ratio", "ratio", block=index))
    rows = []
    for metric in compared.metrics:
        row: list[Any] = [metric.title]
        for index, report in enumerate(compared.reports):
            row.append(_quantity(report, metric, index))
            if index:
                row.append(_ratio(compared, metric, index))
        rows.append(tuple(row))
    title = " and ".join(report.subject for report in compared.reports)
    return Table(
        title=title if len(compared.reports) == 2 else f"{len(compared.reports)} networks",
        facts=(*((f"ratios to {first}",) if len(compared.reports) > 1 else ()), *_common(compared)),
        headings=tuple(headings),
        rows=tuple(rows),
        remarks=_remarks(compared, measured),
    )


def _quantity(report: Report, metric: Metric, index: int) -> Quantity:
    """A metric's value for people, in the metric's unit, or marked as a lower bound."""
    value = metric.values[index]
    if value is None:
        return Quantity(UNKNOWN, metric.unit)
    marked = mark_lower_bound(report, metric.key, value) if metric.unit == "count" and isinstance(value, int) else value
    return marked if isinstance(marked, Quantity) else Quantity(without_batch(report, value, metric.unit), metric.unit)


def _ratio(compared: Comparison, metric: Metric, index: int) -> float | None:
    """A metric's ratio to the first network; None as well where one of the two is only a lower bound."""
    sides = (_quantity(compared.reports[number], metric, number) for number in (0, index))
    return None if any(side.unit == "least" for side in sides) else metric.ratios[index]


def _record(compared: Comparison, index: int) -> tuple[Any, ...]:
    report = compared.reports[index]
    record: list[Any] = [report.subject]
    for metric in compared.metrics:
        record.append(without_batch(report, metric.values[index], metric.unit))
        if _has_ratios(metric):
            record.append(_ratio(compared, metric, index))
    return (*record, report.complete)


def _common(compared: Comparison) -> tuple[str, ...]:
    """What was the same in every run: batch and mode."""
    batches = {report.batch_size for report in compared.reports}
    modes = {"training" if report.training else "eval" for report in compared.reports}
    batch = tuple(f"batch {size}" for size in batches if size is not None and len(batches) == 1)
    return (*batch, *(modes if len(modes) == 1 else ()))


def _has_ratios(metric: Metric) -> bool:
    return metric.unit not in ("shape", "text")


def _remarks(compared: Comparison, measured: Benchmark | None) -> tuple[Remark, ...]:
    remarks = [Remark("", sentence) for sentence in sentences(compared)]
    if measured is not None:
        remarks += [Remark("", sentence) for sentence in _speeds(compared, measured)]
    for report in compared.reports:
        if report.failure is not None:
            remarks.append(Remark("STOPPED", f"{report.subject} failed: {report.failure}", "failure"))
        elif report.unknown:
            remarks.append(Remark("LOWER BOUND", f"{report.subject}: {unknown_calls(report)}", "warning"))
    if measured is not None:
        remarks += conditions(measured)
    return (*remarks, Remark("convention", COUNTING_CONVENTION, "quiet"))


def _speeds(compared: Comparison, measured: Benchmark) -> list[str]:
    """How fast each network is against the first, in one line each."""
    first, *others = forward_timings(compared, measured)
    return [speed(first, other) for other in others if first is not None and other is not None]


def _content(compared: Comparison, layers: Document | None, measured: Benchmark | None) -> dict[str, Any]:
    content = compared.to_dict()
    if layers is not None:
        content["reports"] = layers.content()["reports"]
    return content if measured is None else {**content, "benchmark": measured.to_dict()}
