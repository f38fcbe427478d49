"""csv: one record a line, raw integers, no total row, so that a reader's sum of a column is the total."""

from __future__ import annotations

import csv
from io import StringIO

from archcalc.formats.options import Options
from archcalc.formats.units import ascii_only, raw
from archcalc.values.document import Grid


def written(grid: Grid, options: Options) -> str:
    """The grid's records with a header line, LF line ends and the schema in the last column."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*(heading.key for heading in grid.headings), "schema"])
    for row in grid.rows:
        cells = (raw(value, heading.unit) for value, heading in zip(row, grid.headings, strict=True))
        writer.writerow([*cells, grid.schema])
    return ascii_only(out.getvalue()) if options.ascii_only else out.getvalue()
