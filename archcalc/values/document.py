"""What stands between a thing and its writers: tables for people, records for csv, a document for json."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from archcalc.formats import units

RIGHT_ALIGNED = (
    "count",
    "least",
    "difference",
    "ratio",
    "step",
    "number",
    "bytes",
    "milliseconds",
    "gflops_per_second",
    "rate",
    "share",
    "memory",
)

PRINTED_RANK = 8
"""Columns of a higher rank are left out on a page: they say again what the others say."""


@dataclass(frozen=True, slots=True)
class Heading:
    """The head of a column, with the unit that its values have (see `units.FOR_PEOPLE`).

    `rank` orders what a narrow table drops: the highest first, rank 0 never. `share` asks for bars beside the
    figures where there is room. `block` numbers columns that stay together where a table is too wide and is
    set as several: block 0 stands in each of them.
    """

    key: str
    title: str
    unit: str
    rank: int = 0
    share: bool = False
    block: int = 0

    @property
    def right(self) -> bool:
        """Whether the column is set flush right."""
        return self.unit in RIGHT_ALIGNED


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

    `chosen` is whether a person asked for these very columns, so that none may go for saying little.
    """

    title: str
    headings: tuple[Heading, ...]
    rows: tuple[tuple[Any, ...], ...]
    total: tuple[Any, ...] | None = None
    source: str = ""
    facts: tuple[str, ...] = ()
    remarks: tuple[Remark, ...] = ()
    chosen: bool = False

    def texts(self, row: Iterable[Any]) -> list[str]:
        """The cells of a row in characters."""
        return [cell(value, heading) for value, heading in zip(row, self.headings, strict=True)]

    def only(self, keep: Iterable[int]) -> Table:
        """The same table with these columns, by their index."""
        at = tuple(keep)
        return replace(
            self,
            headings=tuple(self.headings[i] for i in at),
            rows=tuple(tuple(row[i] for i in at) for row in self.rows),
            total=self.total and tuple(self.total[i] for i in at),
        )

    def telling(self) -> Table:
        """The same table without columns that are empty, or all 1 for groups, unless they were asked for."""
        if self.chosen or not self.rows:
            return self
        values = {heading.key: {row[i] for row in self.rows} for i, heading in enumerate(self.headings)}
        idle = {key for key, found in values.items() if found <= ({None, "", 1} if key == "groups" else {None, ""})}
        return self.only(i for i, heading in enumerate(self.headings) if heading.key not in idle)

    def for_print(self) -> Table:
        """The columns that a page has room for, unless they were chosen."""
        table = self.telling()
        if table.chosen:
            return table
        return table.only(at for at, heading in enumerate(table.headings) if heading.rank <= PRINTED_RANK)


@dataclass(frozen=True, slots=True)
class Grid:
    """Everything a writer needs: `tables` are for people, `headings` and `rows` are the records of the csv.

    `document` makes the JSON-ready dict; it is a function because only one writer wants it.
    """

    schema: str
    headings: tuple[Heading, ...]
    rows: tuple[tuple[Any, ...], ...]
    tables: tuple[Table, ...]
    document: Callable[[], dict[str, Any]]


def cell(value: Any, heading: Heading) -> str:
    """A value in characters for people, in its own unit or its column's."""
    if isinstance(value, Quantity):
        return units.text(value.value, value.unit)
    return units.text(value, heading.unit)
