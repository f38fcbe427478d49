"""A report turned into characters: columns, units, and one writer a format. Nothing here needs torch."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from archcalc.formats.options import Options
from archcalc.values.errors import unknown

if TYPE_CHECKING:
    from archcalc.values.document import Document

WRITERS = {"table": "terminal", "csv": "csv", "json": "json", "markdown": "markdown", "latex": "latex"}
"""By format: the module whose `written` writes it, imported when it is wanted."""

FORMATS = tuple(WRITERS)


def render(document: Document, form: str, *, width: int = 80, colour: bool = False, ascii_only: bool = False) -> str:
    """A document in the characters of one of FORMATS, its last line ended.

    `width`, `colour` and `ascii_only` describe the terminal. Raises UsageError for a format that does not exist.
    """
    if form not in WRITERS:
        raise unknown("format", form, FORMATS)
    text: str = import_module(f"archcalc.formats.{WRITERS[form]}").written(document, Options(width, colour, ascii_only))
    return text
