"""What renderers hand to the writers of formats: tables for people, records for csv, a document for json."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

PRINTED_RANK = 8
"""Columns of a higher rank are left out on a page: they can be derived from the others."""


class Missing(Enum):
    """A value that should be there and is not known; it is never written as zero."""

    UNKNOWN = "?"


UNKNOWN = Missing.UNKNOWN


@dataclass(frozen=True, slots=True)
class Heading:
    """The head of a column, with the unit that its values have (see `formats.units.FOR_PEOPLE`).

    `rank` orders what a narrow table drops: the highest first, rank 0 never. `share` is the rank of the bars beside
    the figures, None for a column without bars. `block` numbers columns that stay together where a table is too wide
    and is set as several: block 0 stands in each of them. `usual` is the default value: a column
    that holds no other is left out.
    """

    key: str
    title: str
    unit: str
    rank: int = 0
    share: int | None = None
    block: int = 0
    usual: Any = None


@dataclass(frozen=True, slots=True)
class Quantity:
    """A cell with a unit of its own, where it is not its column's."""

    value: Any
    unit: str


@dataclass(frozen=True, slots=True)
class Remark:
    """One statement below a table; `tone` is "", "quiet", "warning" or "failure"."""

    label: str
    text: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """One table for people: title, source and facts above, raw values within, remarks below.

    `chosen` is whether a person asked for these very columns, so that none may be left out for being empty. `left_out`
    are rows that are not shown; shares are still those of all rows.
    """

    title: str
    headings: tuple[Heading, ...]
    rows: tuple[tuple[Any, ...], ...]
    total: tuple[Any, ...] | None = None
    source: str = ""
    facts: tuple[str, ...] = ()
    remarks: tuple[Remark, ...] = ()
    chosen: bool = False
    left_out: tuple[tuple[Any, ...], ...] = ()

    def only(self, keep: Iterable[int]) -> Table:
        """The same table with these columns, by their index."""
        indices = tuple(keep)
        return replace(
            self,
            headings=tuple(self.headings[i] for i in indices),
            rows=tuple(tuple(row[i] for i in indices) for row in self.rows),
            total=self.total and tuple(self.total[i] for i in indices),
            left_out=tuple(tuple(row[i] for i in indices) for row in self.left_out),
        )

    def without_empty_columns(self) -> Table:
        """The same table without columns that hold nothing but their usual value, unless they were asked for."""
        if self.chosen or not self.rows:
            return self
        return self.only(
            index
            for index, heading in enumerate(self.headings)
            if any(row[index] not in (None, "", heading.usual) for row in self.rows)
        )

    def for_print(self) -> Table:
        """The columns that a page has room for, unless they were chosen."""
        table = self.without_empty_columns()
        if table.chosen:
            return table
        return table.only(index for index, heading in enumerate(table.headings) if heading.rank <= PRINTED_RANK)


@dataclass(frozen=True, slots=True)
class Document:
    """Everything a writer needs: `tables` are for people, `headings` and `rows` are the records of the csv.

    `content` makes the JSON-ready dict; it is a function because only one writer wants it.
    """

    schema: str
    headings: tuple[Heading, ...]
    rows: tuple[tuple[Any, ...], ...]
    tables: tuple[Table, ...]
    content: Callable[[], dict[str, Any]]

    def without_repeated_remarks(self) -> Document:
        """The same document; a quiet remark of several tables, such as the convention, stands below the last alone."""
        later: set[Remark] = set()
        tables = []
        for table in reversed(self.tables):
            remarks = tuple(remark for remark in table.remarks if remark not in later)
            later.update(remark for remark in remarks if remark.tone == "quiet")
            tables.append(replace(table, remarks=remarks))
        return replace(self, tables=tuple(reversed(tables)))
