"""The rows at which the receptive field grows: what a chart of it shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.count.fold import fold, folded_until
from archcalc.values.report import Report, Row
from archcalc.values.trace import Shape


def growth(rows: Sequence[Row]) -> list[Row]:
    """The rows whose field is larger than all before or whose jump is new, and the first that see all or are unknown.

    Rows of a narrower branch, and those that keep field and jump (activations, 1×1 convolutions), are left out.
    """
    growing: list[Row] = []
    largest: Shape = ()
    jumps: set[Any] = {None}
    for row in rows:
        size = row.receptive_field
        if isinstance(size, tuple):
            grows = not largest or any(new > old for new, old in zip(size, largest, strict=True))
            if grows or row.jump not in jumps:
                growing.append(row)
            largest = tuple(map(max, size, largest)) if largest else size
            jumps.add(row.jump)
        elif size not in [other.receptive_field for other in growing]:
            growing.append(row)
    return growing


def growth_within(report: Report, limit: int) -> list[Row]:
    """The rows at which the field grows, of the report folded no further than needed for about `limit` of them."""
    folded = folded_until(report, lambda folded: len(growth(folded.rows)) <= limit, fold)
    return growth(folded.rows)
