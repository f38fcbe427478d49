"""markdown: pipe tables for a README or an issue."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from archcalc.formats.cells import is_right_aligned, texts
from archcalc.formats.options import Options
from archcalc.formats.safe import printable
from archcalc.formats.units import ascii_only
from archcalc.values.document import Document, Table

SPECIAL = re.compile(r"[\\|*`<\[\]~]|(?<![^\W_])_|_(?![^\W_])")
"""What would be markup; an underscore within a word is none."""


def written(document: Document, options: Options) -> str:
    """The document's tables under each other, each with a heading, its total and its remarks."""
    text = "\n".join("\n".join(_table(table.for_print())) for table in document.tables)
    return ascii_only(text) if options.ascii_only else text


def _table(table: Table) -> Iterator[str]:
    yield f"### {_escaped(table.title)}\n"
    above = " · ".join(filter(None, (table.source, *table.facts)))
    if above:
        yield _escaped(above) + "\n"
    yield _line([_escaped(heading.title) for heading in table.headings])
    yield _line(["---:" if is_right_aligned(heading) else ":---" for heading in table.headings])
    for row in table.rows:
        yield _line([_escaped(cell) for cell in texts(table, row)])
    if table.total is not None:
        yield _line([f"**{_escaped(cell)}**" if cell else "" for cell in texts(table, table.total)])
    yield ""
    for remark in table.remarks:
        yield (
            "- " + (f"**{_escaped(remark.label)}**: " if remark.label else "") + _escaped(" ".join(remark.text.split()))
        )
    if table.remarks:
        yield ""


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escaped(text: str) -> str:
    return SPECIAL.sub(lambda match: "\\" + match[0], "<br>".join(printable(text).splitlines())).replace(
        "\\<br>", "<br>"
    )
