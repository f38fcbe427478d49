"""Rows in the order of a column, and the first of them: what `--sort` and `--top` do to any table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import prod
from typing import Any

from archcalc.formats import Format
from archcalc.formats.units import count, plural
from archcalc.values.columns import plain
from archcalc.values.document import UNKNOWN, Document, Heading, Quantity, Remark, Table
from archcalc.values.errors import unknown
from archcalc.values.report import Window

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """The column that rows are sorted by, as a person names it, and how many of them are shown; None for all.

    Numbers begin with the largest and texts with the first letter, or the other way round if `ascending` is asked for.
    What is unknown or empty comes last.
    """

    column: str
    ascending: bool | None = None
    top: int | None = None


def arranged(document: Document, order: Order, form: Format) -> Document:
    """The document with its tables and records in that order.

    Raises UsageError where nothing that is shown has such a column.
    """
    headings = [document.headings] if form is Format.csv else [table.headings for table in document.tables]
    if not any(_index(own, order.column) is not None for own in headings):
        keys = dict.fromkeys(heading.key for own in headings for heading in own)
        raise unknown("column to sort by", order.column, keys, "it has to be one that is shown")
    several = sum(_index(table.headings, order.column) is not None for table in document.tables) > 1
    return replace(
        document,
        tables=tuple(_sorted_table(table, order) for table in document.tables),
        rows=_sorted_records(document, order, by_network=several),
    )


def in_order(values: Sequence[Any], order: Order) -> list[int]:
    """The indices of these values in that order, those beyond `top` included."""
    own = [_comparable(value) for value in values]
    known = [index for index, value in enumerate(own) if value is not None]
    missing = [index for index, value in enumerate(own) if value is None]
    texts = all(isinstance(own[index], str) for index in known)
    ascending = texts if order.ascending is None else order.ascending
    key: Callable[[int], Any] = (lambda index: own[index]) if texts else (lambda index: _number(own[index]))
    return sorted(known, key=key, reverse=not ascending) + missing


def _comparable(value: Any) -> Any:
    """A number or a text that stands for a cell; None where it holds nothing."""
    value = value.value if isinstance(value, Quantity) else value
    if value is None or value is UNKNOWN or value == "":
        return None
    if isinstance(value, Window):
        value = value.kernel
    return prod(value) if isinstance(value, tuple) else value.casefold() if isinstance(value, str) else value


def _number(value: Any) -> Any:
    """A number; a word among numbers, such as the receptive field "all", is more than any of them."""
    return float("inf") if isinstance(value, str) else value


def _sorted_table(table: Table, order: Order) -> Table:
    index = _index(table.headings, order.column)
    if index is None:
        return table
    numbers = in_order([row[index] for row in table.rows], order)
    shown = numbers[: order.top]
    title = table.headings[index].title or order.column
    rows = tuple(table.rows[number] for number in shown)
    cut = len(shown) < len(numbers)
    text = f"the first {count(len(shown))} of {plural(len(numbers), 'row')} by {title}" if cut else f"by {title}"
    return replace(
        table,
        rows=rows,
        left_out=tuple(table.rows[number] for number in numbers[len(shown) :]),
        remarks=(Remark("sorted", text), *table.remarks),
    )


def _sorted_records(document: Document, order: Order, *, by_network: bool) -> tuple[Row, ...]:
    """The records in that order, those of each network for themselves where each has a table of its own."""
    index = _index(document.headings, order.column)
    if index is None:
        return document.rows
    groups = [list(rows) for _, rows in groupby(document.rows, key=lambda row: row[0] if by_network else None)]
    return tuple(
        rows[number] for rows in groups for number in in_order([row[index] for row in rows], order)[: order.top]
    )


def _index(headings: Sequence[Heading], column: str) -> int | None:
    """Where the column of that key or title stands."""
    wanted = plain(column)
    return next(
        (index for index, heading in enumerate(headings) if wanted in (plain(heading.key), plain(heading.title))), None
    )
