"""Networks side by side: a metric a row for people, a network a record for csv."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from archcalc.count.compare import forward_timings, with_baseline, with_latency
from archcalc.formats.units import compact, plural, significant
from archcalc.render.bench import conditions, speed
from archcalc.render.compare_tables import by_metric, by_network, has_ratios, ratio
from archcalc.render.order import Order, in_order
from archcalc.render.scale import scales
from archcalc.render.table import NETWORK, layers_of, unknown_calls, without_batch
from archcalc.values.columns import plain
from archcalc.values.document import Document, Heading, Remark, Table
from archcalc.values.errors import UsageError, unknown
from archcalc.values.measures import chosen_measures
from archcalc.values.report import COUNTING_CONVENTION
from archcalc.zoo import registry

if TYPE_CHECKING:
    from archcalc.values.benchmark import Benchmark
    from archcalc.values.comparison import Comparison
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
    transpose: bool = False,
    units: str | None = None,
) -> Document:
    """The networks of a comparison side by side, each metric with its ratio to the baseline.

    A network is a row where the metrics were chosen, else a column; `transpose` exchanges the two. `units` is "M", or
    "params=M,macs=G"; csv and json have raw numbers. `with_layers` puts their layers under each other as well, with the
    columns `keys`; the records of the csv are then the layers, since one csv has one header. `measured` adds the
    latency that was measured of them.
    """
    if measured is not None:
        compared = with_latency(compared, measured)
    layers = layers_of(compared.reports, keys)
    first = _side_by_side(compared, measured, by_rows=compared.chosen != transpose, units=units)
    tables = (first, *(layers.tables if with_layers else ()))
    content = partial(_content, compared, layers if with_layers else None, measured)
    if with_layers:
        return Document(layers.schema, layers.headings, layers.rows, tables, content)
    headings = [NETWORK]
    for metric in compared.metrics:
        headings.append(Heading(metric.key, metric.title, metric.unit))
        if has_ratios(metric):
            headings.append(Heading(f"{metric.key}_ratio", "ratio", "ratio"))
    headings.append(Heading("complete", "complete", "text"))
    rows = tuple(_record(compared, index) for index in range(len(compared.reports)))
    return Document(SCHEMA, tuple(headings), rows, tables, content)


def in_order_of(compared: Comparison, order: Order) -> Comparison:
    """The comparison with its networks in the order of a metric, and the first of them.

    The ratios stay those to the baseline that was asked for, and are otherwise to the network that is now the first.
    Raises UsageError where the comparison has no such metric.
    """
    columns: dict[str, Sequence[Any]] = {"network": [report.subject for report in compared.reports]}
    columns |= {metric.key: metric.values for metric in compared.metrics}
    try:
        key = "network" if plain(order.column) == "network" else chosen_measures(order.column)[0]
    except UsageError:
        key = ""
    if key not in columns:
        raise unknown("column to sort by", order.column, columns, "it has to be one that is shown")
    values = columns[key]
    kept = in_order(values, order)[: order.top]
    metrics = (
        replace(
            metric,
            values=tuple(metric.values[index] for index in kept),
            ratios=tuple(metric.ratios[index] for index in kept),
        )
        for metric in compared.metrics
    )
    ordered = replace(compared, reports=tuple(compared.reports[index] for index in kept), metrics=tuple(metrics))
    return with_baseline(ordered, None) if compared.baseline is None else ordered


def sentences(compared: Comparison) -> list[str]:
    """What each network saves in multiply-adds against the baseline, in one plain line each; none for lower bounds."""
    base = compared.base
    if base is None or not compared.reports[base].complete or not any(m.key == "macs" for m in compared.metrics):
        return []
    first = compared.reports[base]
    others = (report for index, report in enumerate(compared.reports) if index != base)
    return [_sentence(first, other) for other in others if other.complete]


def _sentence(first: Report, other: Report) -> str:
    before, after = first.total("macs"), other.total("macs")
    needs = f"{other.subject} needs {compact(after) if after else 'no'} multiply-adds"
    whose = f"{first.subject}'{'' if first.subject.endswith('s') else 's'} {compact(before)}"
    if before == after:
        return f"{needs}, as many as {first.subject}"
    if not before or not after:
        return f"{needs}, {first.subject} {compact(before) if before else 'none'}"
    times = max(before, after) / min(before, after)
    if times < CLOSE:
        change = significant(100 * abs(after - before) / before, 2)
        return f"{needs}, {change}% {'fewer' if after < before else 'more'} than {whose}"
    return f"{needs}, {significant(times)} times {'fewer than' if after < before else 'as many as'} {whose}"


def _side_by_side(compared: Comparison, measured: Benchmark | None, *, by_rows: bool, units: str | None) -> Table:
    chosen = scales(units, compared.metrics)
    headings, rows = by_network(compared, chosen) if by_rows else by_metric(compared, chosen)
    base = compared.baseline if compared.base is None else compared.reports[compared.base].subject
    ratios = len(compared.reports) > 1 and (not by_rows or compared.baseline is not None)
    title = " and ".join(report.subject for report in compared.reports)
    return Table(
        title=title if len(compared.reports) == 2 else plural(len(compared.reports), "network"),
        facts=(*((f"ratios to {base}",) if ratios else ()), *_common(compared)),
        headings=headings,
        rows=rows,
        remarks=_remarks(compared, measured),
        chosen=by_rows,
    )


def _record(compared: Comparison, index: int) -> tuple[Any, ...]:
    report = compared.reports[index]
    record: list[Any] = [report.subject]
    for metric in compared.metrics:
        record.append(without_batch(report, metric.values[index], metric.unit))
        if has_ratios(metric):
            record.append(ratio(compared, metric, index))
    return (*record, report.complete)


def _common(compared: Comparison) -> tuple[str, ...]:
    """What was the same in every run: batch and mode."""
    batches = {report.batch_size for report in compared.reports}
    modes = {"training" if report.training else "eval" for report in compared.reports}
    batch = tuple(f"batch {size}" for size in batches if size is not None and len(batches) == 1)
    return (*batch, *(modes if len(modes) == 1 else ()))


def _remarks(compared: Comparison, measured: Benchmark | None) -> tuple[Remark, ...]:
    remarks = [Remark("", sentence) for sentence in sentences(compared)]
    remarks += [Remark("", sentence) for sentence in _papers_own(compared)]
    if measured is not None:
        remarks += [Remark("", sentence) for sentence in _speeds(compared, measured)]
    for report in compared.reports:
        if report.failure is not None:
            remarks.append(Remark("STOPPED", f"{report.subject} failed: {report.failure}", "failure"))
        elif report.unknown:
            remarks.append(Remark("LOWER BOUND", f"{report.subject}: {unknown_calls(report)}", "warning"))
    remarks += [Remark(metric.title, metric.note, "quiet") for metric in compared.metrics if metric.note]
    if measured is not None:
        remarks += conditions(measured)
    return (*remarks, Remark("convention", COUNTING_CONVENTION, "quiet"))


def _papers_own(compared: Comparison) -> list[str]:
    """For each network of a paper that stands beside its later form what sets them apart, in one line."""
    reports = compared.reports
    alike = [
        (first, other)
        for first in reports
        for other in reports
        if first.params == other.params and first.macs < other.macs and first.input_shapes == other.input_shapes
    ]
    if not alike:
        return []
    entries = registry.catalogue()
    names = {}
    for first, other in alike:
        entry = entries.get(f"resnet{first.depth}")
        if entry and entry.source == first.source and f"{entry.name}-v1.5" in entries:
            names[first.subject] = other.subject
    return [
        f"{first} is the paper's, with stride 2 in the first 1x1 of a stage; the v1.5 of most frameworks, "
        f"such as {other}, has it in the 3x3"
        for first, other in names.items()
    ]


def _speeds(compared: Comparison, measured: Benchmark) -> list[str]:
    """How fast each network is against the baseline, in one line each."""
    timings = forward_timings(compared, measured)
    first = None if compared.base is None else timings.pop(compared.base)
    return [speed(first, other) for other in timings if first is not None and other is not None]


def _content(compared: Comparison, layers: Document | None, measured: Benchmark | None) -> dict[str, Any]:
    content = compared.to_dict()
    if layers is not None:
        content["reports"] = layers.content()["reports"]
    return content if measured is None else {**content, "benchmark": measured.to_dict()}
