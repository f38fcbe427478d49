"""A report turned into characters: columns, units, and one writer a format. Nothing here needs torch."""

from __future__ import annotations

from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING

from archcalc.formats.options import Options
from archcalc.values.errors import unknown

if TYPE_CHECKING:
    from archcalc.values.document import Document

Format = StrEnum("Format", ["table", "csv", "json", "markdown", "latex", "html"])
"""Each is written by `written` of the module of that name in this folder, which is imported when it is wanted."""

FORMATS = tuple(Format)

RAW = (Format.csv, Format.json)
"""Formats for programs: raw numbers, and every row unless a depth is asked for."""


def render(document: Document, form: str, *, width: int = 80, colour: bool = False, ascii_only: bool = False) -> str:
    """A document in the characters of one of FORMATS, its last line ended.

    `width`, `colour` and `ascii_only` describe the terminal. Raises UsageError for a format that does not exist.
    """
    if form not in FORMATS:
        raise unknown("format", form, FORMATS)
    options = Options(width, colour, ascii_only)
    text: str = import_module(f"archcalc.formats.{form}").written(document.without_repeated_remarks(), options)
    return text
