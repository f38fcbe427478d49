"""html: plain tables without style or script, for a notebook, a wiki or a page of one's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from archcalc.formats.cells import is_right_aligned, texts
from archcalc.formats.options import Options
from archcalc.formats.safe import printable
from archcalc.formats.units import ascii_only
from archcalc.values.document import Document, Table


def written(document: Document, options: Options) -> str:
    """The document's tables under each other, each with a heading, its total and its remarks."""
    return "".join(f"{line}\n" for table in document.tables for line in _table(table.for_print(), options))


def _table(table: Table, options: Options) -> Iterator[str]:
    def escaped(text: str) -> str:
        return _escaped(ascii_only(text) if options.ascii_only else text)

    def row(cells: Sequence[str], tag: str) -> str:
        sides = ["right" if is_right_aligned(heading) else "left" for heading in table.headings]
        inner = (f'<{tag} align="{side}">{escaped(cell)}</{tag}>' for side, cell in zip(sides, cells, strict=True))
        return f"<tr>{''.join(inner)}</tr>"

    yield f"<h3>{escaped(table.title)}</h3>"
    above = " · ".join(filter(None, (table.source, *table.facts)))
    if above:
        yield f"<p>{escaped(above)}</p>"
    yield "<table>"
    yield f"<thead>{row([heading.title for heading in table.headings], 'th')}</thead>"
    yield "<tbody>"
    for cells in table.rows:
        yield row(texts(table, cells), "td")
    yield "</tbody>"
    if table.total is not None:
        yield f"<tfoot>{row(texts(table, table.total), 'th')}</tfoot>"
    yield "</table>"
    if table.remarks:
        yield "<ul>"
        for remark in table.remarks:
            label = f"<b>{escaped(remark.label)}</b>: " if remark.label else ""
            yield f"<li>{label}{escaped(' '.join(remark.text.split()))}</li>"
        yield "</ul>"


def _escaped(text: str) -> str:
    return escape(printable(text)).replace("\n", "<br>")
