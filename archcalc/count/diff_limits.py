"""How much a network may grow: what `--fail-over params=2%,macs=0` says, and whether a difference keeps to it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from archcalc.count.diff import total_delta
from archcalc.formats.units import count
from archcalc.values.columns import BACKWARD, COLUMNS, selection
from archcalc.values.difference import Difference
from archcalc.values.errors import UsageError

_SUFFIXES = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_LIMIT = re.compile(r"(\d{1,18}(?:\.\d{1,9})?)([kmgt]?)(%?)", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Limit:
    """By how much a measure may grow, at most: a share of what it was before, or so many."""

    key: str
    amount: Fraction
    is_share: bool
    text: str


def limits(text: str) -> tuple[Limit, ...]:
    """The limits in "params=2%,macs=0"; UsageError for a measure that does not add up, and for what is no number."""
    parts = [part for part in text.split(",") if part.strip()]
    if not parts:
        raise UsageError("a limit is written as params=2% or macs=0, several with a comma between them")
    return tuple(map(_limit, parts))


def _limit(part: str) -> Limit:
    name, _, number = part.partition("=")
    match = _LIMIT.fullmatch(number.strip())
    if match is None or (match[2] and match[3]):
        raise UsageError(f"'{part.strip()}' is no limit; write params=2%, or macs=0, or params=1.5M")
    key = "path" if name.strip() == "all" else selection(name)[0]
    if not COLUMNS[key].total and key != "depth":
        adds_up = ", ".join(key for key, column in COLUMNS.items() if column.total)
        raise UsageError(f"'{part.strip()}' limits nothing that adds up; there are {adds_up} and depth")
    amount = Fraction(match[1]) * _SUFFIXES[match[2].lower()]
    return Limit(key, amount / 100 if match[3] else amount, bool(match[3]), part.strip())


def follows_backward(chosen: Iterable[Limit]) -> bool:
    """Whether a limit is about the backward pass."""
    return any(limit.key in BACKWARD for limit in chosen)


def exceeded(difference: Difference, chosen: Iterable[Limit]) -> list[str]:
    """The limits that do not hold, each in words; none where both reports are equal.

    A limit on what is only a lower bound does not hold: by how much it grew is not known.
    """
    if difference.before.rows == difference.after.rows and difference.equal:
        return []
    return list(filter(None, (_excess(difference, limit) for limit in chosen)))


def _excess(difference: Difference, limit: Limit) -> str:
    delta = total_delta(difference.before, difference.after, limit.key)
    title = COLUMNS[limit.key].title
    if delta.before is None or delta.after is None:
        return f"{limit.text}: the {title} are a lower bound, so that nobody knows by how much they grew"
    grown = delta.after - delta.before
    if grown <= (limit.amount * delta.before if limit.is_share else limit.amount):
        return ""
    share = f" ({100 * grown / delta.before:+.2f}%)" if delta.before else ""
    return f"{limit.text}: {title} {count(delta.before)} -> {count(delta.after)}, {grown:+,}{share}"
