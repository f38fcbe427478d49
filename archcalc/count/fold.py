"""Folding: rows gathered into the modules that hold them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, replace
from typing import Any, Protocol, TypeVar

from archcalc.values.columns import COLUMNS, add
from archcalc.values.report import Report, Row, Source


class _HasRows(Protocol):
    @property
    def rows(self) -> tuple[Any, ...]:
        """Rows with a `path`."""


Rows = TypeVar("Rows", bound=_HasRows)


def fold(report: Report, depth: int) -> Report:
    """The same report with one row for each module `depth` levels below the root; totals stay what they were.

    A module's row stands where its first call stood. Rows that lie no deeper stay as they are.
    """
    groups = groups_by_path([row.path for row in report.rows], depth)
    if len(groups) == len(report.rows):
        return report
    inputs_from, outputs_from = _edges(report, [numbers for _, numbers in groups])
    rows = tuple(
        replace(folded_row(report, path, [report.rows[number] for number in numbers]), inputs_from=sources)
        for (path, numbers), sources in zip(groups, inputs_from, strict=True)
    )
    return replace(report, rows=rows, outputs_from=outputs_from, folded=depth)


def _edges(report: Report, groups: list[list[int]]) -> tuple[list[tuple[Source, ...]], tuple[Source, ...]]:
    """`inputs_from` of each group of rows, given by their numbers, and `outputs_from`, with groups for rows.

    An edge within a group goes; a row that stays alone keeps one source an input, and the numbers of its outputs.
    """
    group_of = {number: group for group, numbers in enumerate(groups) for number in numbers}
    read = [
        [
            source
            for number in numbers
            for source in report.rows[number].inputs_from
            if source.row is None or group_of[source.row] != group
        ]
        for group, numbers in enumerate(groups)
    ]
    exported = sorted(
        {
            (source.row, source.output)
            for sources in (*read, report.outputs_from)
            for source in sources
            if source.row is not None
        }
    )
    taken: Counter[int] = Counter()
    outputs: dict[tuple[int, int], int] = {}
    for row, output in exported:
        group = group_of[row]
        outputs[row, output] = output if len(groups[group]) == 1 else taken[group]
        taken[group] += 1

    def moved(source: Source) -> Source:
        if source.row is None:
            return source
        return replace(source, row=group_of[source.row], output=outputs[source.row, source.output])

    inputs_from = [
        tuple(map(moved, sources)) if len(numbers) == 1 else tuple(dict.fromkeys(map(moved, sources)))
        for numbers, sources in zip(groups, read, strict=True)
    ]
    return inputs_from, tuple(map(moved, report.outputs_from))


def fold_to(report: Report, rows: int) -> Report:
    """The report folded no further than needed to have about that many rows; as it is if it has no more."""
    return folded_until(report, lambda folded: len(folded.rows) <= rows, fold)


def groups_by_path(paths: Sequence[str], depth: int) -> list[tuple[str, list[int]]]:
    """For each module `depth` levels below the root its path and the numbers of the paths in it, in forward order.

    A path at or above that level is a group of its own, even where it occurs again.
    """
    groups: dict[tuple[str, int | None], list[int]] = {}
    for number, path in enumerate(paths):
        parts = path.split(".")
        key = (".".join(parts[:depth]), None) if len(parts) > depth else (path, number)
        groups.setdefault(key, []).append(number)
    return [(path, numbers) for (path, _), numbers in groups.items()]


def folded_until(rows: Rows, is_short: Callable[[Rows], bool], fold: Callable[[Rows, int], Rows]) -> Rows:
    """The rows, folded level by level from the deepest until they are short enough."""
    folded = rows
    for depth in range(max((row.path.count(".") for row in rows.rows), default=0), 0, -1):
        if is_short(folded):
            break
        folded = fold(rows, depth)
    return folded


def folded_row(report: Report, path: str, rows: Sequence[Row]) -> Row:
    """One row for all of these, which lie in the module of that path; each column says how its values fold."""
    if len(rows) == 1:
        return replace(rows[0], path=path)
    module = report.modules.get(path)
    ran = module is not None and module.runs > 0
    of_module: dict[str, Any] = {
        "path": path,
        "kind": module.kind if module else "calls",
        "module": path,
        "input_shapes": module.inputs if module and ran else rows[0].input_shapes,
        "output_shapes": module.outputs if module and ran else rows[-1].output_shapes,
        "least_macs": sum(row.least_macs for row in rows),
        "recomputed_macs": sum(row.recomputed_macs for row in rows),
        "unknown": tuple(f"{row.path}: {op}" for row in rows for op in row.unknown),
        "calls": sum(row.calls for row in rows),
        "parameters": tuple(parameter for row in rows for parameter in row.parameters),
        "least_seconds": add(row.least_seconds for row in rows),
        "bound": _bound(rows),
        "misaligned": rows[-1].misaligned,
        "read_floats": _floats(row.read_floats for row in rows),
        "written_floats": _floats(row.written_floats for row in rows),
    }
    columns = {key: column.fold([column.value(row) for row in rows]) for key, column in COLUMNS.items() if column.fold}
    return Row(**of_module | {key: value for key, value in columns.items() if key in _FIELDS})


_FIELDS = frozenset(entry.name for entry in fields(Row))


def _floats(counts: Iterable[tuple[tuple[str, int], ...]]) -> tuple[tuple[str, int], ...]:
    """The floating-point elements of several rows, by dtype."""
    elements: Counter[str] = Counter()
    for counted in counts:
        elements.update(dict(counted))
    return tuple(elements.items())


def _bound(rows: Sequence[Row]) -> str | None:
    """What bounds most of the rows' least time; None where no device was given."""
    seconds: dict[str, float] = {}
    for row in rows:
        if row.bound is not None:
            seconds[row.bound] = seconds.get(row.bound, 0.0) + (row.least_seconds or 0.0)
    return max(seconds, key=seconds.__getitem__, default=None)
