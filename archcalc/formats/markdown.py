"""markdown: pipe tables for a README or an issue."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from archcalc.formats.cells import is_right_aligned, texts
from archcalc.formats.options import Options
from archcalc.formats.safe import printable
from archcalc.formats.units import ascii_only
from archcalc.values.document import Document, Table

SPECIAL = re.compile(r"[\\|*`<\[\]~$]|&(?=#?\w+;)|(?<![^\W_])_|_(?![^\W_])|#(?!\d)")
"""What would be markup; an underscore within a word is none."""

LINK = re.compile(r"https?:(?=//)|ftp:(?=//)|www(?=\.)|(?<!\w)@(?=\w)|#(?=\d)", re.IGNORECASE)
"""What GitHub makes a link or a mention of after the markup is read; a comment behind it keeps it text."""

BLOCK = re.compile(r"^(\d*)(?=[-+.)](?:\s|$)|>|--)")
"""Where a line begins as a list, a quotation or a rule does."""


def written(document: Document, options: Options) -> str:
    """The document's tables under each other, each with a heading, its total and its remarks."""
    return "\n".join("\n".join(_table(table.for_print(), options)) for table in document.tables)


def _table(table: Table, options: Options) -> Iterator[str]:
    def escaped(text: str) -> str:
        return _escaped(ascii_only(text) if options.ascii_only else text)

    yield f"### {escaped(table.title)}\n"
    above = " · ".join(filter(None, (table.source, *table.facts)))
    if above:
        yield _paragraph(escaped(above)) + "\n"
    yield _line([escaped(heading.title) for heading in table.headings])
    yield _line(["---:" if is_right_aligned(heading) else ":---" for heading in table.headings])
    for row in table.rows:
        yield _line([escaped(cell) for cell in texts(table, row)])
    if table.total is not None:
        yield _line([f"**{escaped(cell)}**" if cell else "" for cell in texts(table, table.total)])
    yield ""
    for remark in table.remarks:
        text = escaped(" ".join(remark.text.split()))
        yield "- " + (f"**{escaped(remark.label)}**: {text}" if remark.label else _paragraph(text))
    if table.remarks:
        yield ""


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escaped(text: str) -> str:
    lines = (SPECIAL.sub(r"\\\g<0>", line) for line in printable(text).splitlines())
    return "<br>".join(LINK.sub(r"\g<0><!-- -->", line) for line in lines)


def _paragraph(text: str) -> str:
    """An escaped text as a line of its own, whose first signs mean more than those within it."""
    return BLOCK.sub(r"\1\\", text.lstrip())
