"""Matches timed calls with rows of the table. Nothing here needs torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from archcalc.values.report import Row


class Key(NamedTuple):
    """What a call and its row have in common: the module's path, its run, and the kind of call."""

    module: str
    call: int
    kind: str


@dataclass(frozen=True, slots=True)
class Grouped:
    """Rows that are timed together, mostly a single one; `timed` is False where no call was seen."""

    rows: tuple[Row, ...]
    timed: bool = True

    @property
    def note(self) -> str:
        """A remark for the table, "" if there is nothing to say."""
        if not self.timed:
            return "not seen as a call, so not timed"
        if len(self.rows) == 1:
            return ""
        return f"{len(self.rows)} rows that cannot be told apart: {', '.join(row.path for row in self.rows)}"


def matched(rows: Sequence[Row], calls: Sequence[Key]) -> tuple[tuple[Grouped, ...], list[int | None]]:
    """Groups of rows in forward order, and for each call the index of its group, None for a call that is no row.

    Where a key has as many calls as rows, they are matched one by one. Otherwise some of the calls are no rows and it
    is not known which, so the rows of that key become one group.
    """
    by_key: dict[Key, list[int]] = {}
    for number, call in enumerate(calls):
        by_key.setdefault(call, []).append(number)
    rows_of: dict[Key, list[Row]] = {}
    for row in rows:
        rows_of.setdefault(_key(row), []).append(row)
    groups: list[Grouped] = []
    positions: list[int | None] = [None] * len(calls)
    done: dict[Key, int] = {}
    for row in rows:
        key = _key(row)
        numbers, alike = by_key.get(key, []), rows_of[key]
        nth = done.get(key, 0)
        done[key] = nth + 1
        if len(numbers) == len(alike):
            positions[numbers[nth]] = len(groups)
            groups.append(Grouped((row,)))
        elif not numbers:
            groups.append(Grouped((row,), timed=False))
        elif nth == 0:
            for number in numbers:
                positions[number] = len(groups)
            groups.append(Grouped(tuple(alike)))
    return tuple(groups), positions


def _key(row: Row) -> Key:
    return Key(row.module, row.call, row.kind)
