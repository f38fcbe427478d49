"""csv: one record a line, raw integers, no total row, so that a reader's sum of a column is the total."""

from __future__ import annotations

import csv
from io import StringIO

from archcalc.formats.options import Options
from archcalc.formats.safe import spreadsheet_text
from archcalc.formats.units import ascii_only, raw
from archcalc.values.document import Document


def written(document: Document, options: Options) -> str:
    """The document's records with a header line, LF line ends and the schema in the last column."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*(heading.key for heading in document.headings), "schema"])
    for row in document.rows:
        cells = (_cell(value, heading.unit, options) for value, heading in zip(row, document.headings, strict=True))
        writer.writerow([*cells, document.schema])
    return out.getvalue()


def _cell(value: object, unit: str, options: Options) -> str:
    """Text that a spreadsheet cannot take for a formula; other values, negative numbers too, as they are."""
    text = raw(value, unit)
    if options.ascii_only:  # before it is quoted: a plain quotation mark may stand for a typographic one
        text = ascii_only(text)
    return spreadsheet_text(text) if isinstance(value, str) else text
