"""Reports as tables: one row a layer, with what must be said around it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any

from archcalc.formats.units import compact, count, plural, size
from archcalc.values.columns import COLUMNS, DEFAULT, FOR_PEOPLE, Column, add
from archcalc.values.document import UNKNOWN, Document, Heading, Quantity, Remark, Table
from archcalc.values.report import COUNTING_CONVENTION, Report, Row

SCHEMA = "archcalc.table/1"
SEVERAL = "archcalc.reports/1"

NETWORK = Heading("network", "network", "text")
TOTALS = ("params", "macs", "flops")
"""The columns whose totals stand below a table."""

NAMED = 8
"""How many names a remark lists before it says how many more there are."""


def layers(
    report: Report, keys: Sequence[str] | None = None, kept: Collection[str] = (), more: Sequence[Remark] = ()
) -> Document:
    """One row a layer of one network; `keys` are the columns asked for, None for the usual ones.

    The columns in `kept` stay in a narrow table; `more` are remarks about them.
    """
    return _layers((report,), keys, partial(_content, report, keys), kept, more)


def layers_of(reports: Sequence[Report], keys: Sequence[str] | None = None) -> Document:
    """The layers of several networks under each other."""
    return _layers(
        reports, keys, lambda: {"schema": SEVERAL, "reports": [_content(report, keys) for report in reports]}
    )


def facts(report: Report) -> tuple[str, ...]:
    """How a network was run: input, output, batch and mode."""
    shapes = (("input", report.input_shapes), ("output", report.output_shapes))
    sizes = [
        f"{name} {', '.join(size(without_batch(report, shape, 'shape')) for shape in listed)}"
        for name, listed in shapes
        if listed
    ]
    batch = () if report.batch_size is None else (f"batch {report.batch_size}",)
    return (*sizes, *batch, "training" if report.training else "eval")


def remarks(report: Report) -> tuple[Remark, ...]:
    """What stands below a table: totals, whether they are complete, what did not run, notes, convention."""
    lines = []
    if report.failure is not None:
        lines.append(Remark("STOPPED", f"the table ends where the model failed: {report.failure}", "failure"))
    for column in (COLUMNS[key] for key in TOTALS):
        sign = "at least " if column.is_lower_bound(report) else ""
        lines.append(Remark(column.title, sign + _counted(column.of_network(report))))
    if report.depth:
        lines.append(Remark("depth", f"{plural(report.depth, 'weight layer')} on the longest path"))
    calls = sum(row.calls for row in report.rows)
    if report.complete:
        all_calls = f"all {calls} calls" if calls > 1 else plural(calls, "call")
        lines.append(Remark("complete", f"{all_calls} counted"))
    elif report.unknown:
        lines.append(Remark("LOWER BOUND", unknown_calls(report), "warning"))
    if report.uncalled:
        lines.append(Remark("not run", _uncalled(report)))
    lines += [Remark("note", note) for note in report.notes]
    if report.folded is not None:
        rows = plural(len(report.rows), "row")
        stand = "stands" if len(report.rows) == 1 else "stand"
        text = f"to depth {report.folded}: {rows} {stand} for {plural(calls, 'call')}; --depth and --all show more"
        lines.append(Remark("folded", text))
    lines.append(Remark("convention", COUNTING_CONVENTION, "quiet"))
    return tuple(lines)


def _counted(total: int) -> str:
    return count(total) if total < 1000 else f"{count(total)} ({compact(total)})"


def mark_lower_bound(report: Report, key: str, value: int) -> int | Quantity:
    """The value of a column for a whole network, marked where it is only a lower bound."""
    return Quantity(value, "least") if COLUMNS[key].is_lower_bound(report) else value


def without_batch(report: Report, value: Any, unit: str) -> Any:
    """A shape without the batch where every shape of the report begins with it; any other value as it is."""
    return value[1:] if unit == "shape" and value is not None and report.batch_size is not None else value


def _layers(
    reports: Sequence[Report],
    keys: Sequence[str] | None,
    content: Callable[[], dict[str, Any]],
    kept: Collection[str] = (),
    more: Sequence[Remark] = (),
) -> Document:
    columns, recorded = ([COLUMNS[key] for key in keys or usual] for usual in (FOR_PEOPLE, DEFAULT))
    tables = tuple(
        Table(
            title=report.subject,
            source=report.source,
            facts=facts(report),
            headings=tuple(column.heading(**{"rank": 0} if column.key in kept else {}) for column in columns),
            rows=tuple(tuple(_cell(report, row, column) for column in columns) for row in report.rows),
            total=_total(report, columns),
            remarks=(*more, *remarks(report)),
            chosen=keys is not None,
        )
        for report in reports
    )
    records = tuple(
        (report.subject, *(without_batch(report, column.value(row), column.unit) for column in recorded))
        for report in reports
        for row in report.rows
    )
    return Document(SCHEMA, (NETWORK, *(column.heading() for column in recorded)), records, tables, content)


def _content(report: Report, keys: Sequence[str] | None) -> dict[str, Any]:
    content = report.to_dict()
    if keys is not None:
        content["rows"] = [{key: COLUMNS[key].value(row) for key in keys} for row in report.rows]
    return content


def _cell(report: Report, row: Row, column: Column) -> Any:
    value = column.value(row)
    if value is None and column.total:  # in a column that adds up, None is not "no such thing" but "not known"
        known = column.least(row)
        return Quantity(known, "least") if known else UNKNOWN
    return without_batch(report, value, column.unit)


def _total(report: Report, columns: Sequence[Column]) -> tuple[Any, ...]:
    cells = [_total_of(report, column) for column in columns]
    if columns and not columns[0].total:
        cells[0] = Quantity("total", "text")
    return tuple(cells)


def _total_of(report: Report, column: Column) -> Any:
    if column.total:
        return mark_lower_bound(report, column.key, column.of_network(report))
    return add(map(column.value, report.rows)) if column.fold is add and report.rows else None


def unknown_calls(report: Report) -> str:
    """Which ops have no formula, and where they are."""
    where: dict[str, list[str]] = {}
    for row in report.rows:
        for op in row.unknown:
            where.setdefault(op, []).append(row.path)
    calls = len(report.unknown)
    ops = "; ".join(f"{op} in {_first_of(paths)}" for op, paths in where.items())
    return f"{plural(calls, 'call')} {'has' if calls == 1 else 'have'} no formula: {ops}"


def _uncalled(report: Report) -> str:
    modules: dict[str, int] = {}
    for name, elements in report.uncalled.items():
        top = name.partition(".")[0]
        modules[top] = modules.get(top, 0) + elements
    total = sum(modules.values())
    why = "not reached" if report.failure is not None else "registered but not run"
    return (
        f"{_first_of([f'{name} {count(n)}' for name, n in modules.items()])}: {count(total)} params {why}, not counted"
    )


def _first_of(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
