"""table: for a person at a terminal; as many columns as the width has room for, and no name is ever cut short."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest

from archcalc.formats import layout
from archcalc.formats.cells import is_right_aligned, texts
from archcalc.formats.layout import GAP, ColumnLayout, width_of
from archcalc.formats.options import Options
from archcalc.formats.safe import printable, without_commands
from archcalc.formats.units import ascii_only, bar, percent
from archcalc.values.document import Document, Heading, Quantity, Remark, Table

CODES = {"strong": "1", "quiet": "2", "warning": "1;33", "failure": "1;31", "share": "36"}

BAR = 10
"""Characters that a bar takes for all of a total."""

PROSE = 38
"""Columns that a sentence needs before it is worth showing."""

NARROW = 60
"""Below so many columns a table whose words do not fit is written as a record a row."""

KIND = 19
"""Columns that other text needs: most kinds fit, and the longer ones fold at their underscore."""


def written(document: Document, options: Options) -> str:
    """The document's tables under each other."""
    tables = ("\n".join(_table(table.without_empty_columns(), options)) for table in document.tables)
    return without_commands("\n\n".join(tables)) + "\n"


def _table(table: Table, options: Options) -> Iterator[str]:
    yield from _header(table, options)
    columns = _columns(table, options)
    hidden: list[str] = []
    if any(column.block for column in columns):
        pages = layout.blocks(columns, options.width)
    else:
        pages = [layout.chosen(columns, options.width)]
        shown = {column.key for column in pages[0]}
        hidden = [column.title for column in columns if column.key not in shown and column.title != "share"]
    if options.width < NARROW and any(layout.breaks_a_word(page, layout.widths(page, options.width)) for page in pages):
        hidden = []
        yield from _records([column for column in columns if column.title != "share"], options)
    else:
        for page in pages:
            yield ""
            yield from _page(page, table.total is not None, options)
    remarks = list(table.remarks)
    if hidden:
        remarks.append(
            Remark(
                "hidden",
                f"{', '.join(hidden)}: no room at this width" + "; -f csv has them" * (not table.chosen),
                "quiet",
            )
        )
    yield from _remarks(remarks, options)


def _header(table: Table, options: Options) -> Iterator[str]:
    """Name and source, then the facts."""
    title = _clean(table.title, options)
    for part, line in enumerate(_wrapped(_joined((table.title, table.source), options), options.width)):
        name = title if part == 0 and line.startswith(title) else ""
        yield _styled(name, "strong", options) + line.removeprefix(name)
    if table.facts:
        for line in _wrapped(_joined(table.facts, options), options.width):
            yield _styled(line, "quiet", options)


def _columns(table: Table, options: Options) -> list[ColumnLayout]:
    """The table's columns in characters, with bars beside those that ask for them."""
    body = [*table.rows, table.total] if table.total is not None else list(table.rows)
    lines = [texts(table, row) for row in body]
    columns = []
    in_blocks = any(heading.block for heading in table.headings)
    for at, heading in enumerate(table.headings):
        cells = tuple(_clean(line[at], options) for line in lines)
        columns.append(_column(heading, cells, in_blocks, options))
        if heading.share is not None and table.rows and table.total is not None:
            values = [row[at] for row in (*table.rows, *table.left_out)]
            columns += _share(heading, heading.share, values, len(table.rows), options)
    return columns


def _column(heading: Heading, cells: tuple[str, ...], in_blocks: bool, options: Options) -> ColumnLayout:
    right = is_right_aligned(heading)
    title = _clean(heading.title, options)
    column = ColumnLayout(title, cells, right, heading.rank, 0, heading.key, heading.block)
    if heading.unit == "prose":
        room = PROSE
    elif heading.unit == "text":  # long text may fold rather than drive out other columns
        room = max(width_of(title), options.width * 2 // 5 if heading.rank == 0 else max(KIND, options.width // 6))
    else:  # figures never fold, a title of several words may
        words = layout.pieces(title) if in_blocks and right else title.split()  # of a comparison: a network's name
        room = max(map(width_of, (*cells, *words)), default=1)
    return replace(column, least=min(column.natural, room))


def _share(heading: Heading, rank: int, values: Sequence[object], shown: int, options: Options) -> list[ColumnLayout]:
    """The bars of the first `shown` of these values: the share of each in all of them."""
    known = (value.value if isinstance(value, Quantity) else value for value in values)
    counts = [value if isinstance(value, (int, float)) else 0 for value in known]
    whole = sum(counts)
    if not whole:
        return []
    counts = counts[:shown]
    numbers = [percent(part, whole) for part in counts]
    room = max(map(len, numbers))
    cells = (f"{number:>{room}} {bar(part, whole, BAR)}" for number, part in zip(numbers, counts, strict=True))
    cleaned = (*(_clean(cell.rstrip(), options) for cell in cells), "")
    least = max(map(len, ("share", *cleaned)))
    return [ColumnLayout("share", cleaned, False, rank, least, f"{heading.key} share")]


def _page(columns: Sequence[ColumnLayout], total: bool, options: Options) -> Iterator[str]:
    """Headings, rows and total of the columns that are shown together."""
    widths = layout.widths(columns, options.width)
    rule = _styled(_clean("─" * (sum(widths) + GAP * (len(widths) - 1)), options), "quiet", options)
    yield from _row([column.title for column in columns], columns, widths, "strong", options, heading=True)
    yield rule
    last = len(columns[0].cells) - 1
    for at, row in enumerate(zip(*(column.cells for column in columns), strict=True)):
        if total and at == last:
            if at:
                yield rule
            yield from _row(row, columns, widths, "strong", options)
        else:
            yield from _row(row, columns, widths, "", options)


def _records(columns: Sequence[ColumnLayout], options: Options) -> Iterator[str]:
    """A record a row: the first cell on a line of its own, then one line for each other that holds something."""
    others = columns[1:]
    indent = min(max((width_of(column.title) for column in others), default=0), options.width // 2) + GAP
    for cells in zip(*(column.cells for column in columns), strict=True):
        yield ""
        for line in layout.folded(cells[0], options.width) if cells[0] else []:
            yield _styled(line, "strong", options)
        for column, cell in zip(others, cells[1:], strict=True):
            if cell:
                titles = layout.folded(column.title, indent - GAP)
                lines = layout.folded(cell, options.width - GAP - indent)
                for title, line in zip_longest(titles, lines, fillvalue=""):
                    text = _styled(line, _tone(cell, column), options)
                    yield f"{' ' * GAP}{title}{' ' * (indent - width_of(title))}{text}".rstrip()


def _row(
    cells: Sequence[str],
    columns: Sequence[ColumnLayout],
    widths: Sequence[int],
    tone: str,
    options: Options,
    heading: bool = False,
) -> Iterator[str]:
    """One row, as many lines as its most folded cell has."""
    folds = [layout.folded(text, width) for text, width in zip(cells, widths, strict=True)]
    if heading:  # a folded title stands on the rule, not above it
        lines = max(map(len, folds))
        folds = [[""] * (lines - len(fold)) + fold for fold in folds]
    for parts in zip_longest(*folds, fillvalue=""):
        line = ""
        for text, column, width in zip(parts, columns, widths, strict=True):
            blanks = " " * (width - width_of(text))
            word = _styled(text, tone or _tone(text, column), options) if text else ""
            line += (blanks + word if column.right else word + blanks) + " " * GAP
        yield line.rstrip()


def _tone(text: str, column: ColumnLayout) -> str:
    if column.right:
        return {"0": "quiet", "?": "warning"}.get(text, "")
    return "share" if column.title == "share" else ""


def _remarks(remarks: Sequence[Remark], options: Options) -> Iterator[str]:
    """Sentences first, then what has a label, its text beside it, or below it where the terminal is very narrow."""
    sentences = [remark for remark in remarks if not remark.label]
    labelled = [remark for remark in remarks if remark.label]
    if sentences:
        yield ""
    for remark in sentences:
        yield from _wrapped(_clean(remark.text, options), options.width)
    if labelled:
        yield ""
    indent = max((len(remark.label) for remark in labelled), default=0) + GAP
    beside = options.width >= 3 * indent
    for remark in labelled:
        lines = _wrapped(_clean(remark.text, options), options.width - (indent if beside else GAP))
        lines = [_styled(line, "quiet" if remark.tone == "quiet" else "", options) for line in lines]
        name = _styled(remark.label, remark.tone or "strong", options)
        yield name + (" " * (indent - len(remark.label)) + lines.pop(0) if beside else "")
        for line in lines:
            yield " " * (indent if beside else GAP) + line


def _joined(pieces: Sequence[str], options: Options) -> str:
    return _clean(" · ".join(filter(None, pieces)), options)


def _wrapped(text: str, width: int) -> list[str]:
    return layout.folded(" ".join(text.split()), width)


def _clean(text: str, options: Options) -> str:
    """A text that cannot disturb a terminal, in the characters that it has."""
    text = printable(text)
    return ascii_only(text) if options.ascii_only else text


def _styled(text: str, tone: str, options: Options) -> str:
    """A text as the terminal's own theme shows it; the codes go around words, never around blanks."""
    return f"\x1b[{CODES[tone]}m{text}\x1b[0m" if options.colour and tone and text else text
