"""diff: the totals before and after, and a line for each layer that is not the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from archcalc.count.diff_summary import summary
from archcalc.formats.units import percent, plural, slide, text
from archcalc.render.table import unknown_calls, without_batch
from archcalc.values.columns import COLUMNS
from archcalc.values.difference import Delta, Difference, LayerChange
from archcalc.values.document import UNKNOWN, Document, Heading, Quantity, Remark, Table
from archcalc.values.report import COUNTING_CONVENTION, Report, Row

SCHEMA = "archcalc.diff/1"

SIDES = ("path", "kind", "window", "input_shape", "output_shape", "receptive_field")
"""The columns that are shown before and after."""

_RANKS = {"params": 0, "macs": 0, "activations": 6, "backward_macs": 7, "saved_bytes": 5}


def difference(whole: Difference, shown: Difference | None = None, *, everything: bool = False) -> Document:
    """The totals and the layers that differ; `shown` is the same difference folded, `everything` adds the others."""
    shown = shown or whole
    lines = shown.layers if everything else shown.differing
    tables = [_totals(whole)]
    if lines:
        tables.append(_layers(shown, everything))
    headings = [Heading("status", "status", "text")]
    for key in SIDES:
        headings += [COLUMNS[key].heading(key=f"{key}_before"), COLUMNS[key].heading(key=f"{key}_after")]
    for delta in whole.totals:
        headings += [Heading(f"{delta.key}_{what}", what, "count") for what in ("before", "after", "change")]
    headings += [Heading("reason", "why", "text"), Heading("layers", "layers", "count")]
    headings += [Heading("differing", "differing", "count")]
    records = tuple(tuple(_record(shown, line).values()) for line in lines)
    return Document(SCHEMA, tuple(headings), records, tuple(tables), lambda: _content(whole, shown, lines))


def _totals(whole: Difference) -> Table:
    before, after = whole.before, whole.after
    numbers = [_total(delta) for delta in whole.totals]
    if before.depth != after.depth:
        numbers.append(_total(Delta("depth", before.depth, after.depth, before.depth, after.depth)))
    remarks = [Remark("", summary(whole)), *(Remark("differs", note) for note in whole.notes)]
    for report in (before, after):
        if not report.complete:
            remarks.append(Remark("LOWER BOUND", f"{report.subject}: {unknown_calls(report)}", "warning"))
    remarks.append(Remark("convention", COUNTING_CONVENTION, "quiet"))
    batch = () if before.batch_size is None else (f"batch {before.batch_size}",)
    return Table(
        title=f"{before.subject} -> {after.subject}",
        facts=(*batch, "training" if before.training else "eval"),
        headings=(
            Heading("metric", "", "text"),
            Heading("before", "before", "count"),
            Heading("after", "after", "count"),
            Heading("change", "change", "difference"),
            Heading("percent", "", "text", rank=1),
        ),
        rows=tuple(numbers),
        remarks=tuple(remarks),
    )


def _total(delta: Delta) -> tuple[Any, ...]:
    sides = [
        Quantity(least, "least") if exact is None else exact
        for exact, least in ((delta.before, delta.least_before), (delta.after, delta.least_after))
    ]
    share = ""
    if delta.change and delta.before:
        share = ("-" if delta.change < 0 else "+") + percent(abs(delta.change), delta.before)
    return (COLUMNS[delta.key].title, *sides, _change(delta), share)


def _change(delta: Delta) -> Any:
    """The change, or a bound of it where one of the two is a lower bound."""
    if delta.change is not None:
        return delta.change
    if delta.before is None and delta.after is None:
        return UNKNOWN
    return Quantity(delta.known_change, "least_difference" if delta.after is None else "most_difference")


def _layers(shown: Difference, everything: bool) -> Table:
    headings = [Heading("status", "", "text")]
    headings += [COLUMNS["path"].heading(), COLUMNS["kind"].heading(rank=4), COLUMNS["window"].heading(unit="text")]
    headings += [COLUMNS["output_shape"].heading(unit="text", rank=2)]
    headings += [
        COLUMNS[delta.key].heading(unit="difference", rank=_RANKS[delta.key], share=None) for delta in shown.totals
    ]
    headings += [COLUMNS["receptive_field"].heading(unit="text", rank=8), Heading("reason", "why", "text", rank=1)]
    rows: list[tuple[Any, ...]] = []
    for is_same, group in groupby(shown.layers, lambda layer: layer.status == "same" and not everything):
        lines = list(group)
        if is_same:
            same = f"({plural(sum(line.layers for line in lines), 'layer')} the same)"
            rows.append(("", same, *[None] * (len(headings) - 2)))
        else:
            rows += [tuple(_line(shown, line)) for line in lines]
    total = (None, Quantity("total", "text"), None, None, None, *map(_change, shown.totals), None, None)
    remarks = []
    if shown.folded is not None:
        remarks.append(Remark("folded", f"to depth {shown.folded}; --depth and --all show more"))
    return Table("layers", tuple(headings), tuple(rows), total=total, remarks=tuple(remarks))


def _line(shown: Difference, line: LayerChange) -> Iterator[Any]:
    yield line.status
    yield _sides(shown, line, "path")
    yield _sides(shown, line, "kind")
    yield _sides(shown, line, "window")
    yield _sides(shown, line, "output_shape")
    yield from map(_change, line.deltas)
    yield _sides(shown, line, "receptive_field")
    yield line.reason


def _sides(shown: Difference, line: LayerChange, key: str) -> str:
    """What a column has before and after, once where it is the same."""
    cells = [_text(report, row, key) for report, row in ((shown.before, line.before), (shown.after, line.after)) if row]
    return " -> ".join(cell or "none" for cell in dict.fromkeys(cells)) if any(cells) else ""


def _text(report: Report, row: Row, key: str) -> str:
    column = COLUMNS[key]
    value = without_batch(report, column.value(row), column.unit)
    return slide(value) if column.unit == "slide" and value is not None else text(value, column.unit)


def _record(shown: Difference, line: LayerChange, *, with_batch: bool = False) -> dict[str, Any]:
    record: dict[str, Any] = {"status": line.status}
    for key in SIDES:
        for side, report, row in (("before", shown.before, line.before), ("after", shown.after, line.after)):
            value = COLUMNS[key].value(row) if row else None
            record[f"{key}_{side}"] = value if with_batch else without_batch(report, value, COLUMNS[key].unit)
    for delta in line.deltas:
        record |= _numbers(delta, f"{delta.key}_")
    return {**record, "reason": line.reason, "layers": line.layers, "differing": line.differing}


def _numbers(delta: Delta, prefix: str = "") -> dict[str, int | None]:
    return {f"{prefix}{what}": getattr(delta, what) for what in ("before", "after", "change")}


def _known(delta: Delta) -> dict[str, int]:
    return {"least_before": delta.least_before, "least_after": delta.least_after}


def _content(whole: Difference, shown: Difference, lines: Sequence[LayerChange]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "networks": [whole.before.subject, whole.after.subject],
        "equal": whole.equal,
        "complete": whole.before.complete and whole.after.complete,
        "summary": summary(whole),
        "totals": {delta.key: {**_numbers(delta), **_known(delta)} for delta in whole.totals},
        "notes": list(whole.notes),
        "folded": shown.folded,
        "layers": [_record(shown, line, with_batch=True) for line in lines],
    }
