"""A report turned into characters: columns, units, and one writer a format. Nothing here needs torch."""

from archcalc.errors import unknown
from archcalc.render import terminal, to_csv, to_json, to_latex, to_markdown
from archcalc.render.budget import memory
from archcalc.render.catalogue import Listing, Totals, catalogue
from archcalc.render.comparison import comparison
from archcalc.render.conventions import conventions
from archcalc.render.explanation import explanation
from archcalc.render.grid import Grid
from archcalc.render.layer_timings import layer_timings
from archcalc.render.layers import layers, layers_of, selection
from archcalc.render.options import Options
from archcalc.render.timings import timings
from archcalc.render.verdicts import verification

WRITERS = {
    "table": terminal.written,
    "csv": to_csv.written,
    "json": to_json.written,
    "markdown": to_markdown.written,
    "latex": to_latex.written,
}

FORMATS = tuple(WRITERS)


def render(grid: Grid, form: str, *, width: int = 80, colour: bool = False, ascii_only: bool = False) -> str:
    """A grid in the characters of one of FORMATS, its last line ended.

    `width`, `colour` and `ascii_only` describe the terminal. Raises UsageError for a format that does not exist.
    """
    if form not in WRITERS:
        raise unknown("format", form, FORMATS)
    return WRITERS[form](grid, Options(width, colour, ascii_only))


__all__ = [
    "FORMATS",
    "Grid",
    "Listing",
    "Totals",
    "catalogue",
    "comparison",
    "conventions",
    "explanation",
    "layer_timings",
    "layers",
    "layers_of",
    "memory",
    "render",
    "selection",
    "timings",
    "verification",
]
