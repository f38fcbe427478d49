"""rf: which pixels of the input one unit sees, in numbers and as a sketch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from math import prod
from typing import Any

from archcalc.formats.units import count, percent, size
from archcalc.render.table import NETWORK
from archcalc.values.axis_field import Axis
from archcalc.values.document import Grid, Heading, Remark, Table
from archcalc.values.report import Report, Row

SCHEMA = "archcalc.rf-unit/1"

SKETCH = (48, 16)
"""Characters across and down that the sketch of an input may take; one is about twice as high as it is wide."""

NAMES = {1: ("positions",), 2: ("rows", "columns"), 3: ("planes", "rows", "columns")}

_PATH = Heading("path", "layer", "text")


@dataclass(frozen=True, slots=True)
class Sight:
    """What the unit at one position sees along one axis of `length` pixels: `first` to `last`, padding included."""

    name: str
    position: int
    first: int
    last: int
    length: int

    @property
    def size(self) -> int:
        """Pixels seen, padding included."""
        return self.last - self.first + 1

    @property
    def inside(self) -> int:
        """Pixels of the input among them."""
        return max(0, min(self.last, self.length - 1) - max(self.first, 0) + 1)

    @property
    def centre(self) -> float:
        """The middle, between two pixels where an even number is seen."""
        return (self.first + self.last) / 2


def sights(field: Sequence[Axis], unit: Sequence[int]) -> list[Sight]:
    """What a unit sees along each axis."""
    names = NAMES.get(len(field), tuple(f"axis {number}" for number in range(len(field))))
    return [
        Sight(name, position, *axis.ends(position), axis.length)
        for name, axis, position in zip(names, field, unit, strict=True)
    ]


def unit_sight(report: Report, row: Row, seen: Sequence[Sight], sketch: bool = True) -> Grid:
    """The pixels that one unit sees, an axis a row, and a sketch of them on the input."""
    units = {"first": "first", "last": "last", "size": "sees", "inside": "of the input", "padding": "padding"}
    keys = (
        *(Heading("axis", "axis", "text"), Heading("unit", "unit", "count")),
        *(Heading(key, title, "count") for key, title in units.items()),
        Heading("centre", "centre", "text"),
    )
    rows = tuple(
        (
            *(each.name, each.position, each.first, each.last, each.size, each.inside, each.size - each.inside),
            f"{each.centre:g}",
        )
        for each in seen
    )
    table = Table(
        title=f"{report.subject} {row.path}, unit {','.join(str(each.position) for each in seen)}",
        source=row.kind,
        facts=(f"{_ranges(seen)} of {size(tuple(each.length for each in seen))}",),
        headings=keys,
        rows=rows,
        remarks=tuple(_unit_remarks(row, seen)),
        chosen=True,
    )
    tables = [table, _sketch(seen)] if sketch and len(seen) <= 2 else [table]
    records = tuple((report.subject, row.path, *values) for values in rows)
    return Grid(SCHEMA, (NETWORK, _PATH, *keys), records, tuple(tables), lambda: _unit_document(report, row, seen))


def _ranges(seen: Sequence[Sight]) -> str:
    return ", ".join(f"{each.name} {each.first}..{each.last}" for each in seen)


def _unit_remarks(row: Row, seen: Sequence[Sight]) -> Iterator[Remark]:
    every, inside = prod(each.size for each in seen), prod(each.inside for each in seen)
    padding = percent(every - inside, every) or "none"
    yield Remark("sees", f"{count(every)} positions, {count(inside)} of them in the input; padding {padding}")
    if row.misaligned:
        yield Remark("misaligned", "paths of different jumps met: this is what the one that sees most sees", "warning")


def _sketch(seen: Sequence[Sight]) -> Table:
    """The input as dashes, what is seen of it as #, and what is seen of the padding as +."""
    across, down = seen[-1], seen[0] if len(seen) > 1 else None
    columns = _marks(across, SKETCH[0])
    rows = [(True, True)] if down is None else _marks(down, SKETCH[1])
    lines = ["".join(_mark(row, column) for column in columns) for row in rows]
    axes = ", ".join(f"{each.name} {min(0, each.first)}..{max(each.length - 1, each.last)}" for each in seen)
    heading = Heading("sketch", axes, "window")
    return Table(
        title="# seen   + seen padding   - not seen",
        headings=(heading,),
        rows=tuple((line,) for line in lines),
        chosen=True,
    )


def _span(sight: Sight) -> int:
    return max(sight.length - 1, sight.last) - min(0, sight.first) + 1


def _marks(sight: Sight, most: int) -> list[tuple[bool, bool]]:
    """For each character along an axis: whether it stands for pixels of the input, and whether for ones seen."""
    low, span = min(0, sight.first), _span(sight)
    cells = min(most, span)
    starts = [low + cell * span // cells for cell in range(cells + 1)]
    return [
        (start < sight.length and end > 0, start <= sight.last and end > sight.first) for start, end in pairwise(starts)
    ]


def _mark(row: tuple[bool, bool], column: tuple[bool, bool]) -> str:
    inside, seen = row[0] and column[0], row[1] and column[1]
    return ("#" if inside else "+") if seen else ("-" if inside else " ")


def _unit_document(report: Report, row: Row, seen: Sequence[Sight]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "network": report.subject,
        "path": row.path,
        "unit": [each.position for each in seen],
        "misaligned": row.misaligned,
        "axes": [
            asdict(each)
            | {"size": each.size, "inside": each.inside, "padding": each.size - each.inside, "centre": each.centre}
            for each in seen
        ],
    }
