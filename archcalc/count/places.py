"""Rows by place: a call's path, a module's path, or "" for the whole network."""

from __future__ import annotations

from archcalc.count.fold import folded_row
from archcalc.values.errors import unknown
from archcalc.values.report import Report, Row


def row_at(report: Report, place: str) -> Row:
    """The row of that path, one row for a module's calls, or one for the whole network where `place` is "".

    Raises UsageError with the closest paths where nothing ran there.
    """
    rows = rows_at(report, place)
    return rows[0] if place and len(rows) == 1 else folded_row(report, place, rows)


def rows_at(report: Report, place: str, noun: str = "place in") -> list[Row]:
    """The calls of that path or inside that module, or all of them for ""; UsageError where nothing ran.

    `noun` is what the error calls a place.
    """
    if not place:
        return list(report.rows)
    rows = [row for row in report.rows if row.path == place or row.path.startswith(f"{place}.")]
    if not rows:
        hint = "`archcalc table --all` shows all of them"
        raise unknown(f"{noun} {report.subject}", place, paths(report), hint)
    return rows


def paths(report: Report) -> list[str]:
    """Every path that a row has or lies in, in forward order."""
    parts = [row.path.split(".") for row in report.rows]
    return list(dict.fromkeys(".".join(part[:depth]) for part in parts for depth in range(1, len(part) + 1)))
