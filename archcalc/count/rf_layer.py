"""The receptive field of one layer, and the pixels that one unit of it sees."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.count.places import rows_at
from archcalc.count.rf import receptive_fields
from archcalc.values.axis_field import AxisField
from archcalc.values.errors import UsageError
from archcalc.values.layer_field import LayerField, UnitField
from archcalc.values.report import Report, Row
from archcalc.values.trace import Trace

AXIS_NAMES = {1: ("positions",), 2: ("rows", "columns"), 3: ("planes", "rows", "columns")}


def layer_field(trace: Trace, report: Report, layer: str, unit: Sequence[int] | None = None) -> LayerField:
    """What the last call at a path, or in that module, sees; `report` has the rows of the trace, not folded.

    `unit` is the position of a unit in the layer's output, counted from 0, one number an axis. Raises UsageError for
    a layer or a unit that does not exist, and for a unit of a layer whose units cannot be told apart.
    """
    row = rows_at(report, layer, "layer of")[-1]
    pixels = () if unit is None else unit_fields(_field_of_each_unit(trace, report, row), row, unit)
    size, jump, offset = row.receptive_field, row.jump, row.rf_offset
    return LayerField(report.subject, row.path, row.kind, size, jump, offset, row.misaligned, pixels)


def middle_unit(report: Report, layer: str) -> tuple[int, ...]:
    """The position of the middle unit of a layer's output; UsageError where there is no such layer."""
    shape = rows_at(report, layer, "layer of")[-1].output_shape or ()
    return tuple(size // 2 for size in shape[2:])


def unit_fields(field: Sequence[AxisField], row: Row, unit: Sequence[int]) -> tuple[UnitField, ...]:
    """What the unit at a position of a row's output sees, an entry an axis; UsageError where there is no such unit."""
    shape = row.output_shape or ()
    sizes = [shape[axis.dim] if axis.dim else 1 for axis in field]
    output = "x".join(map(str, sizes))
    if len(unit) != len(sizes):
        raise UsageError(f"{row.path} puts out {output} units: --unit takes {len(sizes)} numbers")
    if any(not 0 <= position < size for position, size in zip(unit, sizes, strict=True)):
        last = ",".join(str(size - 1) for size in sizes)
        raise UsageError(f"{row.path} puts out {output} units: the last of them is {last}")
    names = AXIS_NAMES.get(len(field), tuple(f"axis {number}" for number in range(len(field))))
    return tuple(
        UnitField(name, position, *axis.ends(position), axis.length)
        for name, axis, position in zip(names, field, unit, strict=True)
    )


def _field_of_each_unit(trace: Trace, report: Report, row: Row) -> tuple[AxisField, ...]:
    """The field of a row in which each unit has pixels of its own; UsageError where there is none."""
    fields = receptive_fields(trace)
    field = next(field for other, field in zip(report.rows, fields, strict=True) if other is row)
    if field is None:
        lost = next(row for row, field in zip(report.rows, fields, strict=True) if field is None)
        raise UsageError(f"what {row.path} sees is not known: {lost.path} ({lost.kind}) cannot be followed")
    if not field:
        raise UsageError(f"{row.path} sees nothing of the input: it is made of constants")
    if all(axis.whole for axis in field):
        raise UsageError(f"every unit of {row.path} sees the whole input")
    if any(axis.merged for axis in field):
        raise UsageError(f"the units of {row.path} lie in one line; ask for the layer before it")
    return field
