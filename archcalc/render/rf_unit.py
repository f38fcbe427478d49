"""rf: which pixels of the input one unit sees, in numbers and as a sketch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import pairwise
from math import prod
from typing import Any

from archcalc.formats.units import count, percent, size
from archcalc.render.rf import CENTRE, JUMP, KIND, OFFSET, PATH, SIZE
from archcalc.render.table import NETWORK
from archcalc.values.document import UNKNOWN, Document, Heading, Remark, Table
from archcalc.values.layer_field import LayerField, UnitField

SCHEMA = "archcalc.rf-unit/1"
LAYER_SCHEMA = "archcalc.rf-layer/1"

SKETCH = (48, 16)
"""Characters across and down that the sketch of an input may take; one is about twice as high as it is wide."""


def layer_field(field: LayerField, sketch: bool = True) -> Document:
    """The field of a layer or, where a unit was asked for, the pixels that it sees, with a sketch of them."""
    return _unit(field, sketch) if field.unit else _layer(field)


def _layer(field: LayerField) -> Document:
    shown: Any = UNKNOWN if field.size is None else field.size
    headings, values = (PATH, KIND, SIZE, JUMP, OFFSET), (field.path, field.kind)
    table = Table(
        title=f"receptive field of {field.subject} {field.path}",
        headings=headings,
        rows=((*values, shown, field.jump, field.offset),),
        remarks=(
            *_misaligned(field),
            Remark("padding", "counts as pixels", "quiet"),
            Remark("centre", CENTRE, "quiet"),
        ),
        chosen=True,
    )
    record = (field.subject, *values, field.size, field.jump, field.offset)
    return Document(LAYER_SCHEMA, (NETWORK, *headings), (record,), (table,), lambda: _layer_content(field))


def _unit(field: LayerField, sketch: bool) -> Document:
    units = {"first": "first", "last": "last", "size": SIZE.title, "inside": "of the input", "padding": "padding"}
    headings = (
        *(Heading("axis", "axis", "text"), Heading("unit", "unit", "count")),
        *(Heading(key, title, "count") for key, title in units.items()),
        Heading("centre", "centre", "text"),
    )
    rows = tuple(
        (axis.name, axis.position, *(getattr(axis, key) for key in units), f"{axis.centre:g}") for axis in field.unit
    )
    pixels = ", ".join(f"{axis.name} {axis.first}..{axis.last}" for axis in field.unit)
    table = Table(
        title=f"{field.subject} {field.path}, unit {','.join(str(axis.position) for axis in field.unit)}",
        source=field.kind,
        facts=(f"{pixels} of {size(tuple(axis.length for axis in field.unit))}",),
        headings=headings,
        rows=rows,
        remarks=(_seen(field.unit), *_misaligned(field)),
        chosen=True,
    )
    tables = (table, _sketch(field.unit)) if sketch and len(field.unit) <= 2 else (table,)
    records = tuple((field.subject, field.path, *values) for values in rows)
    return Document(SCHEMA, (NETWORK, PATH, *headings), records, tables, lambda: _unit_content(field))


def _seen(unit: Sequence[UnitField]) -> Remark:
    every, inside = prod(axis.size for axis in unit), prod(axis.inside for axis in unit)
    padding = percent(every - inside, every) or "none"
    return Remark("sees", f"{count(every)} positions, {count(inside)} of them in the input; padding {padding}")


def _misaligned(field: LayerField) -> tuple[Remark, ...]:
    text = "paths of different jumps met: this is what the one that sees most sees"
    return (Remark("misaligned", text, "warning"),) if field.misaligned else ()


def _sketch(unit: Sequence[UnitField]) -> Table:
    """The input as dashes, what is seen of it as #, and what is seen of the padding as +."""
    across, down = unit[-1], unit[0] if len(unit) > 1 else None
    columns = _marks(across, SKETCH[0])
    rows = [(True, True)] if down is None else _marks(down, SKETCH[1])
    lines = ["".join(_mark(row, column) for column in columns) for row in rows]
    axes = ", ".join(f"{axis.name} {min(0, axis.first)}..{max(axis.length - 1, axis.last)}" for axis in unit)
    return Table(
        title="# seen   + seen padding   - not seen",
        headings=(Heading("sketch", axes, "window"),),
        rows=tuple((line,) for line in lines),
        chosen=True,
    )


def _marks(axis: UnitField, limit: int) -> list[tuple[bool, bool]]:
    """For each character along an axis: whether it stands for pixels of the input, and whether for ones seen."""
    low = min(0, axis.first)
    span = max(axis.length - 1, axis.last) - low + 1
    cells = min(limit, span)
    starts = [low + cell * span // cells for cell in range(cells + 1)]
    return [
        (start < axis.length and end > 0, start <= axis.last and end > axis.first) for start, end in pairwise(starts)
    ]


def _mark(row: tuple[bool, bool], column: tuple[bool, bool]) -> str:
    inside, seen = row[0] and column[0], row[1] and column[1]
    return ("#" if inside else "+") if seen else ("-" if inside else " ")


def _layer_content(field: LayerField) -> dict[str, Any]:
    content = {"schema": LAYER_SCHEMA, **asdict(field)}
    del content["unit"]
    return content


def _unit_content(field: LayerField) -> dict[str, Any]:
    derived = ("size", "inside", "padding", "centre")
    return {
        "schema": SCHEMA,
        "network": field.subject,
        "path": field.path,
        "unit": [axis.position for axis in field.unit],
        "misaligned": field.misaligned,
        "axes": [asdict(axis) | {key: getattr(axis, key) for key in derived} for axis in field.unit],
    }
