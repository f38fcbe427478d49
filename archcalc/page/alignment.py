"""The table of two networks' layers side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from markupsafe import Markup

from archcalc.count.align import align, operation
from archcalc.formats.safe import one_line
from archcalc.formats.units import text
from archcalc.page.tables import Cell, Group, Line, PageTable
from archcalc.render.table import without_batch
from archcalc.values.columns import COLUMNS, Column
from archcalc.values.document import UNKNOWN
from archcalc.values.report import Report, Row

TITLES = ("layer", "operation", "output", "params", "mult-adds")
ABSENT = (Cell("", tone="absent"),) * len(TITLES)


def alignment_table(first: Report, second: Report, names: Sequence[str]) -> PageTable:
    """The layers of two networks that cost something or slide a window, each beside the one that corresponds.

    `names` are those of the two on the page.
    """
    lines: list[Line] = []
    verdicts: Counter[str] = Counter()
    for left, right in align(_shown(first), _shown(second)):
        one, other = _cells(first, left), _cells(second, right)
        if left is None or right is None:
            verdict = f"only {names[0] if right is None else names[1]}"
        else:
            verdict = _verdict(left, right)
            one, other = _marked(one, other), _marked(other, one)
        verdicts[verdict] += 1
        lines.append((*one, *other, Cell(verdict, tone="" if verdict == "same" else "verdict")))
    titles = [Cell(title, right=number > 2) for number, title in enumerate(TITLES)]
    caption = f"layers side by side: {', '.join(f'{number} {verdict}' for verdict, number in verdicts.items())}"
    headings = (*titles, *titles, Cell("layer is"))
    spans = ((names[0], len(TITLES)), (names[1], len(TITLES)), ("", 1))
    return PageTable(caption, headings, (Group(None, tuple(lines)),), spans=spans)


def _verdict(left: Row, right: Row) -> str:
    """Whether two layers do the same; not known where only a lower bound of their cost is."""
    if operation(left) != operation(right):
        return "differs"
    return "same" if left.macs is not None else "not known"


def _shown(report: Report) -> list[Row]:
    return [row for row in report.rows if row.params or row.macs != 0 or row.window]


def _cells(report: Report, row: Row | None) -> Line:
    """A layer's cells, blank ones where the network has none."""
    if row is None:
        return ABSENT
    columns = [COLUMNS[key] for key in ("path", "kind", "window", "output_shape")]
    path, kind, window, output = (text(without_batch(report, c.value(row), c.unit), c.unit) for c in columns)
    costs = [COLUMNS["params"], COLUMNS["macs"]]
    return (
        Cell(Markup(".<wbr>").join(one_line(path).split("."))),  # a long name may be broken after a point
        *(Cell(one_line(cell)) for cell in (f"{kind} {window}", output)),
        *(Cell(_cost(column, row), right=True) for column in costs),
    )


def _cost(column: Column, row: Row) -> str:
    """A row's value, or the lower bound that is known of it."""
    value, known = column.value(row), column.least(row)
    if value is None:
        return text(known, "least") if known else text(UNKNOWN, column.unit)
    return text(value, column.unit)


def _marked(one: Line, other: Line) -> Line:
    """The cells of one side, those that differ from the other's marked; names may differ."""
    name, *cells = one
    pairs = zip(cells, other[1:], strict=True)
    return (name, *(replace(cell, tone="" if cell.text == beside.text else "differs") for cell, beside in pairs))
