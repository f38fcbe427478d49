"""A mixin for values that print themselves, in a terminal and in a notebook."""

from __future__ import annotations

from typing import Any

from archcalc.values.later import later


class Shown:
    """A value whose `str()` is the table that its command prints, 100 columns wide; a notebook shows it as a table."""

    __slots__ = ()

    def __str__(self) -> str:
        text: str = later("render", self, "table")
        return text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """For notebooks: the text, and a plain table that GitHub shows as well."""
        return {"text/plain": str(self), "text/html": later("render", self, "html")}

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """For IPython, whose own printer of lists would come before the text of a value that is a list."""
        printer.text(str(self))
