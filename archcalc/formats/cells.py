"""The cells of a table in characters, and to which side they are set."""

from __future__ import annotations

from collections.abc import Iterable

from archcalc.formats.units import RIGHT_ALIGNED, text
from archcalc.values.document import Heading, Quantity, Table


def texts(table: Table, row: Iterable[object]) -> list[str]:
    """The cells of a row for people, each in its own unit or its column's."""
    return [
        text(value.value, value.unit) if isinstance(value, Quantity) else text(value, heading.unit)
        for value, heading in zip(row, table.headings, strict=True)
    ]


def is_right_aligned(heading: Heading) -> bool:
    """Whether a column is set flush right."""
    return heading.unit in RIGHT_ALIGNED
