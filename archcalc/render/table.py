"""Reports as tables: one row a layer, with what must be said around it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from archcalc.formats.units import UNKNOWN, compact, count, size
from archcalc.values.columns import COLUMNS, DEFAULT, FOR_PEOPLE, Column
from archcalc.values.document import Grid, Heading, Quantity, Remark, Table
from archcalc.values.errors import unknown
from archcalc.values.report import CONVENTION, Report, Row

SCHEMA = "archcalc.table/1"
SEVERAL = "archcalc.reports/1"

NETWORK = Heading("network", "network", "text")
NAMED = 8
"""How many names a remark lists before it says how many more there are."""


def selection(wish: str) -> tuple[str, ...]:
    """The column keys in "path,macs"; "all" is every column.

    Raises UsageError, with the closest keys, for one that does not exist, and for none at all.
    """
    if wish.strip() == "all":
        return tuple(COLUMNS)
    keys = tuple(dict.fromkeys(key.strip() for key in wish.split(",") if key.strip()))
    for key in keys or ("",):
        if key not in COLUMNS:
            raise unknown("column", key, COLUMNS, f"there are: {', '.join(COLUMNS)}")
    return keys


def layers(report: Report, keys: Sequence[str] | None = None) -> Grid:
    """One row a layer of one network; `keys` are the columns asked for, None for the usual ones."""
    return _grid((report,), keys, partial(_document, report, keys))


def layers_of(reports: Sequence[Report], keys: Sequence[str] | None = None) -> Grid:
    """The layers of several networks under each other."""
    return _grid(reports, keys, lambda: {"schema": SEVERAL, "reports": [_document(each, keys) for each in reports]})


def facts(report: Report) -> tuple[str, ...]:
    """How a network was run: input, output, batch and mode."""
    shapes = ("input", report.input_shapes), ("output", report.output_shapes)
    found = [
        f"{name} {', '.join(size(without_batch(report, shape, 'shape')) for shape in each)}"
        for name, each in shapes
        if each
    ]
    if report.batch_size is not None:
        found.append(f"batch {report.batch_size}")
    return (*found, "training" if report.training else "eval")


def remarks(report: Report) -> tuple[Remark, ...]:
    """What stands below a table: totals, whether they are complete, what did not run, notes, convention."""
    found = []
    if report.failure is not None:
        found.append(Remark("STOPPED", f"the table ends where the model failed: {report.failure}", "failure"))
    found += [
        Remark(title, ("" if _known(report, key) else "at least ") + _counted(total))
        for key, title in (("params", "params"), ("macs", "mult-adds"), ("flops", "FLOPs"))
        for total in (report.total(key),)
    ]
    if report.depth:
        found.append(Remark("depth", f"{_plural(report.depth, 'weight layer')} on the longest path"))
    calls = sum(row.calls for row in report.rows)
    if report.complete:
        all_calls = f"all {calls} calls" if calls > 1 else _plural(calls, "call")
        found.append(Remark("complete", f"{all_calls} counted"))
    elif report.unknown:
        found.append(Remark("LOWER BOUND", unknown_calls(report), "warning"))
    if report.uncalled:
        found.append(Remark("not run", _uncalled(report)))
    found += [Remark("note", note) for note in report.notes]
    if report.folded is not None:
        rows = _plural(len(report.rows), "row")
        stands = "stands" if len(report.rows) == 1 else "stand"
        told = f"to depth {report.folded}: {rows} {stands} for {_plural(calls, 'call')}; --depth and --all show more"
        found.append(Remark("folded", told))
    found.append(Remark("convention", CONVENTION, "quiet"))
    return tuple(found)


def _counted(total: int) -> str:
    return count(total) if total < 1000 else f"{count(total)} ({compact(total)})"


def bounded(report: Report, key: str, value: Any) -> Any:
    """A sum over a report's rows, marked where it is only a lower bound."""
    return value if value is None or _known(report, key) else Quantity(value, "least")


def without_batch(report: Report, value: Any, unit: str) -> Any:
    """A shape without the batch where every shape of the report begins with it; any other value as it is."""
    return value[1:] if unit == "shape" and value is not None and report.batch_size is not None else value


def _grid(reports: Sequence[Report], keys: Sequence[str] | None, document: Any) -> Grid:
    columns, recorded = ([COLUMNS[key] for key in keys or usual] for usual in (FOR_PEOPLE, DEFAULT))
    headings = _headings(columns)
    tables = tuple(
        Table(
            title=report.subject,
            source=report.source,
            facts=facts(report),
            headings=headings,
            rows=tuple(tuple(_value(report, row, column) for column in columns) for row in report.rows),
            total=_total(report, columns),
            remarks=remarks(report),
            chosen=keys is not None,
        )
        for report in reports
    )
    records = tuple(
        (report.subject, *(without_batch(report, column.value(row), column.unit) for column in recorded))
        for report in reports
        for row in report.rows
    )
    return Grid(SCHEMA, (NETWORK, *_headings(recorded)), records, tables, document)


def _headings(columns: Sequence[Column]) -> tuple[Heading, ...]:
    return tuple(
        Heading(each.key, each.title, each.unit, each.rank, share=each.key in ("params", "macs")) for each in columns
    )


def _document(report: Report, keys: Sequence[str] | None) -> dict[str, Any]:
    document = report.to_dict()
    if keys is not None:
        document["rows"] = [{key: COLUMNS[key].value(row) for key in keys} for row in report.rows]
    return document


def _value(report: Report, row: Row, column: Column) -> Any:
    value = column.value(row)
    if value is None and column.total:  # in a column that adds up, None is not "no such thing" but "not known"
        least = {"macs": row.least_macs, "flops": 2 * row.least_macs}.get(column.key)
        return Quantity(least, "least") if least else UNKNOWN
    return without_batch(report, value, column.unit)


def _total(report: Report, columns: Sequence[Column]) -> tuple[Any, ...]:
    cells: list[Any] = [bounded(report, each.key, report.total(each.key)) if each.total else None for each in columns]
    if columns and not columns[0].total:
        cells[0] = Quantity("total", "text")
    return tuple(cells)


def _known(report: Report, key: str) -> bool:
    """Whether a total is exact: parameters are known even where an op has no formula."""
    if key == "backward_macs" and any(row.backward_macs is None for row in report.rows):
        return False
    return report.complete or (report.failure is None and key in ("params", "depth"))


def unknown_calls(report: Report) -> str:
    """Which ops have no formula, and where they are."""
    where: dict[str, list[str]] = {}
    for row in report.rows:
        for op in row.unknown:
            where.setdefault(op, []).append(row.path)
    calls = len(report.unknown)
    ops = "; ".join(f"{op} in {_listed(paths)}" for op, paths in where.items())
    return f"{_plural(calls, 'call')} {'has' if calls == 1 else 'have'} no formula: {ops}"


def _uncalled(report: Report) -> str:
    modules: dict[str, int] = {}
    for name, elements in report.uncalled.items():
        top = name.partition(".")[0]
        modules[top] = modules.get(top, 0) + elements
    total = sum(modules.values())
    why = "not reached" if report.failure is not None else "registered but not run"
    return f"{_listed([f'{name} {count(n)}' for name, n in modules.items()])}: {count(total)} params {why}, not counted"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _plural(number: int, noun: str) -> str:
    return f"{count(number)} {noun}" + ("" if number == 1 else "s")
