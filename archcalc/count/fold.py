"""Folding: rows gathered into the modules that hold them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from archcalc.values.report import Report, Row, Source


def fold(report: Report, depth: int) -> Report:
    """The same report with one row for each module `depth` levels below the root; totals stay what they were.

    A module's row stands where its first call stood. Rows that lie no deeper stay as they are.
    """
    groups: dict[str, list[int]] = {}
    for number, row in enumerate(report.rows):
        parts = row.path.split(".")
        # a row at or above the level keeps its own place, even if its module runs again
        key = ".".join(parts[:depth]) if len(parts) > depth else f"{row.path}\n{number}"
        groups.setdefault(key, []).append(number)
    if len(groups) == len(report.rows):
        return report
    inputs_from, outputs_from = _edges(report, list(groups.values()))
    rows = tuple(
        replace(gathered(report, key.partition("\n")[0], [report.rows[at] for at in numbers]), inputs_from=sources)
        for (key, numbers), sources in zip(groups.items(), inputs_from, strict=True)
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
    deepest = max((row.path.count(".") for row in report.rows), default=0)
    folded = report
    for depth in range(deepest, 0, -1):
        if len(folded.rows) <= rows:
            break
        folded = fold(report, depth)
    return folded


def gathered(report: Report, path: str, rows: list[Row]) -> Row:
    """One row for all of these, which lie in the module of that path."""
    if len(rows) == 1:
        return replace(rows[0], path=path)
    module = report.modules.get(path)
    ran = module is not None and module.runs > 0
    return Row(
        path=path,
        kind=module.kind if module else "calls",
        module=path,
        input_shapes=module.inputs if module and ran else rows[0].input_shapes,
        output_shapes=module.outputs if module and ran else rows[-1].output_shapes,
        dtype=rows[-1].dtype,
        params=sum(row.params for row in rows),
        macs=_sum([row.macs for row in rows]),
        activations=_sum([row.activations for row in rows]),
        least_macs=sum(row.least_macs for row in rows),
        depth=max(row.depth for row in rows),
        unknown=tuple(f"{row.path}: {op}" for row in rows for op in row.unknown),
        calls=sum(row.calls for row in rows),
        parameters=tuple(parameter for row in rows for parameter in row.parameters),
        read_bytes=sum(row.read_bytes for row in rows),
        written_bytes=sum(row.written_bytes for row in rows),
        backward_macs=_sum([row.backward_macs for row in rows]),
        saved_bytes=_sum([row.saved_bytes for row in rows]),
        receptive_field=rows[-1].receptive_field,
        jump=rows[-1].jump,
        rf_offset=rows[-1].rf_offset,
    )


def _sum(values: list[int | None]) -> int | None:
    return None if None in values else sum(value or 0 for value in values)
