"""Tables of the report: the documents that the commands write, as cells that the template escapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from archcalc.count.fold import fold, groups_by_path
from archcalc.formats.cells import is_right_aligned, texts
from archcalc.formats.safe import one_line
from archcalc.render.table import layers
from archcalc.values.document import Heading, Table
from archcalc.values.report import Report


@dataclass(frozen=True, slots=True)
class Cell:
    """The text of a cell, whether it is set flush right, and what a column is sorted by, where it can be.

    `tone` is the class of its style: "differs", "absent" or "verdict" in a comparison, else "".
    """

    text: str
    right: bool = False
    key: float | None = None
    tone: str = ""

    @property
    def style(self) -> str:
        """The classes of the cell."""
        return " ".join(filter(None, ("right" if self.right else "", self.tone)))


Line = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """The lines of one module, below a line for the whole of it; `head` is None for a layer that is in no module."""

    head: Line | None
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class PageTable:
    """A table: `caption` says what it is, `remarks` stand below it as pairs of a label and a text.

    `spans` are titles above the headings, each with the number of columns that it stands for.
    """

    caption: str
    headings: Line
    groups: tuple[Group, ...]
    foot: Line | None = None
    remarks: tuple[tuple[str, str], ...] = ()
    spans: tuple[tuple[str, int], ...] = ()


def page_table(table: Table, caption: str | None = None) -> PageTable:
    """A table of a document, with the columns that a page has room for."""
    shown = table.for_print()
    lines = tuple(_line(shown, row) for row in shown.rows)
    return PageTable(
        caption or one_line(shown.title),
        _headings(shown.headings),
        (Group(None, lines),),
        None if shown.total is None else _line(shown, shown.total),
        tuple((remark.label, " ".join(remark.text.split())) for remark in shown.remarks),
    )


def layer_table(report: Report) -> PageTable:
    """The layers of a network in forward order; those of a module that is called by the network stand together."""
    whole = layers(report).tables[0].for_print()
    folded = layers(fold(report, 1)).tables[0]
    plain = page_table(whole, f"layers of {one_line(report.subject)}")
    (only,) = plain.groups
    groups = []
    for number, (_, rows) in enumerate(groups_by_path([row.path for row in report.rows], 1)):
        head = None
        if len(rows) > 1:
            cells = dict(zip((heading.key for heading in folded.headings), folded.rows[number], strict=True))
            head = _line(whole, [cells.get(heading.key) for heading in whole.headings])
        groups.append(Group(head, tuple(only.lines[row] for row in rows)))
    return PageTable(plain.caption, plain.headings, tuple(groups), plain.foot, plain.remarks)


def _headings(headings: Sequence[Heading]) -> Line:
    return tuple(Cell(one_line(heading.title), is_right_aligned(heading)) for heading in headings)


def _line(table: Table, row: Sequence[Any]) -> Line:
    return tuple(
        Cell(one_line(text), is_right_aligned(heading), _key(value))
        for text, heading, value in zip(texts(table, row), table.headings, row, strict=True)
    )


def _key(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
