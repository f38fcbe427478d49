"""A report turned into characters: columns, units, and one writer a format. Nothing here needs torch."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from archcalc.errors import unknown
from archcalc.render.options import Options

if TYPE_CHECKING:
    from archcalc.render.grid import Grid

WRITERS = {"table": "terminal", "csv": "to_csv", "json": "to_json", "markdown": "to_markdown", "latex": "to_latex"}
"""By format: the module whose `written` writes it, imported when it is wanted."""

FORMATS = tuple(WRITERS)


def render(grid: Grid, form: str, *, width: int = 80, colour: bool = False, ascii_only: bool = False) -> str:
    """A grid in the characters of one of FORMATS, its last line ended.

    `width`, `colour` and `ascii_only` describe the terminal. Raises UsageError for a format that does not exist.
    """
    if form not in WRITERS:
        raise unknown("format", form, FORMATS)
    text: str = import_module(f"archcalc.render.{WRITERS[form]}").written(grid, Options(width, colour, ascii_only))
    return text
