"""How wide text is, where it may break, and which columns of a table find room."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from unicodedata import combining, east_asian_width

GAP = 2
"""Blanks between two columns."""

BREAKS = "._/,;:-"
"""Characters behind which a cell may go on in the next line, where it has no blank to break at."""

_WORDS = re.compile(r"\d[\d,.]*|[^\s._/,;:-]+[._/,;:-]?")
"""The pieces of a text that stay whole: a number, or what stands between two places to break at."""


@dataclass(frozen=True, slots=True)
class ColumnLayout:
    """One column in characters; `least` is the width that it can do with by folding its longest cells."""

    title: str
    cells: tuple[str, ...]
    right: bool
    rank: int
    least: int
    key: str = ""
    block: int = 0

    @property
    def natural(self) -> int:
        """The width at which nothing folds."""
        return max(width_of(line) for cell in (self.title, *self.cells) for line in cell.split("\n"))


def width_of(text: str) -> int:
    """Terminal columns that a text takes: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)


def folded(text: str, width: int) -> list[str]:
    """A cell in lines of at most `width`, broken at a blank or a separator if there is one; nothing is lost."""
    lines: list[str] = []
    for rest in text.split("\n"):
        while width_of(rest) > width:
            end = len(rest)
            while end > 1 and width_of(rest[:end]) > width:
                end -= 1
            blank = rest.rfind(" ", 0, end + 1)
            end = blank if blank > 0 else max(rest.rfind(char, 0, end) for char in BREAKS) + 1 or end
            lines.append(rest[:end].rstrip())
            rest = rest[end:].lstrip(" ")
        lines.append(rest)
    return lines


def chosen(columns: Sequence[ColumnLayout], width: int) -> list[ColumnLayout]:
    """The columns that find room: the highest rank goes first, the later of two equals, rank 0 never."""
    left = list(columns)
    while len(left) > 1 and _row_width([column.least for column in left]) > width:
        rank = max(column.rank for column in left)
        if rank == 0:
            break
        left.remove([column for column in left if column.rank == rank][-1])
    return left


def blocks(columns: Sequence[ColumnLayout], width: int) -> list[list[ColumnLayout]]:
    """Columns in blocks that each fit: what belongs to block 0 is repeated in all, the others stay together."""
    groups: dict[int, list[ColumnLayout]] = {}
    for column in columns:
        groups.setdefault(column.block, []).append(column)
    first = groups.pop(0, [])
    pages: list[list[ColumnLayout]] = []
    for group in groups.values():
        if pages and _row_width([column.least for column in pages[-1] + group]) <= width:
            pages[-1] += group
        else:
            pages.append(first + group)
    return pages or [first]


def widths(columns: Sequence[ColumnLayout], width: int) -> list[int]:
    """A width for each column: natural where there is room; else text folds first, then the widest column."""
    given = [min(column.least, column.natural) for column in columns]
    for at, column in enumerate(columns):
        given[at] += max(0, min(column.natural - given[at], width - _row_width(given)))
    while _row_width(given) > width and max(given) > 1:
        words = [at for at, column in enumerate(columns) if not column.right and given[at] > 5]
        at = max(words or range(len(given)), key=given.__getitem__)
        given[at] -= 1
    return given


def pieces(text: str) -> list[str]:
    """The parts of a text that stay whole where it is folded."""
    return _WORDS.findall(text)


def breaks_a_word(columns: Sequence[ColumnLayout], given: Sequence[int]) -> bool:
    """Whether at these widths a figure goes on in the next line, or a word is cut where it has no separator."""
    for column, width in zip(columns, given, strict=True):
        parts = pieces(column.title)
        for cell in column.cells:
            parts += cell.split("\n") if column.right else pieces(cell)
        if max(map(width_of, parts), default=0) > width:
            return True
    return False


def _row_width(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)
