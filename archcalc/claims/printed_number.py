"""Compares a printed number with the computed value, by the print's precision: exact, rounds, truncates, differs.

"112.9M" is given to a tenth of a million: 112,896,000 rounds to it. "60M" truncates 60,965,224. There is no tolerance.
"""

from __future__ import annotations

import re
from fractions import Fraction
from math import floor
from typing import NamedTuple

from archcalc.values.errors import UsageError
from archcalc.values.trace import Shape

Value = int | Fraction | Shape | str | bool | None
"""The type of a metric: a count, a ratio, a shape, a text, whether something holds, or unknown."""

_SCALES: dict[str, int | Fraction] = {
    "": 1,
    "k": 10**3,
    "m": 10**6,
    "g": 10**9,
    "t": 10**12,
    "%": Fraction(1, 100),
    "x": 1,
}
_SCALES |= {"thousand": 10**3, "million": 10**6, "billion": 10**9, "b": 10**9, "ki": 2**10, "mi": 2**20}
_NUMBER = re.compile(
    r"(?:about|around|~)?\s*(?P<digits>\d[\d,]*(?:\.\d+)?)(?:e(?P<power>\d{1,2}))?\s*(?P<scale>[a-z%]*)", re.IGNORECASE
)


LONGEST = 60
"""Characters that a printed number may have."""


class PrintedNumber(NamedTuple):
    """A number as printed; `step` is one unit of its last digit."""

    value: Fraction
    step: Fraction


def number(printed: str, digits: int | None = None) -> PrintedNumber:
    """The value and precision of "60M", "112.9M", "3.8e9", "650,000", "28%" or "60 million".

    `digits` is the number of significant digits, for a print whose trailing zeros are ambiguous. Raises UsageError
    for what is no number.
    """
    text = printed.strip().replace("×", "x")
    if len(text) > LONGEST:
        raise UsageError(f"'{text[:LONGEST]}...' is too long for a number")
    match = _NUMBER.fullmatch(text)
    if match is None or match["scale"].lower() not in _SCALES:
        raise UsageError(f"'{printed}' is no number; write it as printed, such as 61706, 60M, 3.8e9, 28% or 1/10")
    plain = match["digits"].replace(",", "")
    scale = Fraction(_SCALES[match["scale"].lower()]) * 10 ** int(match["power"] or 0)
    step = scale / 10 ** len(plain.partition(".")[2])
    value = Fraction(plain) * scale
    if digits is not None:
        whole = len(plain.replace(".", "").lstrip("0"))
        step *= 10 ** max(0, whole - digits)
    return PrintedNumber(value, step)


def judge(printed: str, computed: Value, digits: int | None = None) -> str:
    """One of "exact", "rounds", "truncates", "differs"."""
    if computed is None:
        return "differs"
    if isinstance(computed, (str, bool, tuple)):
        return "exact" if _plain(printed) == _plain(text(computed)) else "differs"
    inverse = re.fullmatch(r"(?:about\s*)?1/(\d+)", printed.strip())
    if inverse is not None:  # compare "1/10" with how many times smaller
        printed, computed = inverse[1], 1 / Fraction(computed) if computed else Fraction(0)
    value, step = number(printed, digits)
    if computed == value:
        return "exact"
    steps, claimed = Fraction(computed) / step, value / step
    if abs(steps - claimed) <= Fraction(1, 2):
        return "rounds"
    return "truncates" if floor(steps) == claimed else "differs"


def budget(computed: Value, lowest: str | None, highest: str | None) -> str:
    """Whether a value is "within" its bounds, "over" or "under"; UsageError where the metric is no number."""
    if computed is None or not isinstance(computed, (int, Fraction)) or isinstance(computed, bool):
        raise UsageError("a budget needs a metric that is a number")
    if highest is not None and computed > number(highest).value:
        return "over"
    return "under" if lowest is not None and computed < number(lowest).value else "within"


def text(computed: Value) -> str:
    """A computed value as raw text: plain integers, four significant digits of a ratio, 96x55x55, yes or no."""
    if computed is None:
        return "unknown"
    if isinstance(computed, bool):
        return "yes" if computed else "no"
    if isinstance(computed, tuple):
        return "x".join(map(str, computed)) or "scalar"
    if isinstance(computed, Fraction):
        return str(computed.numerator) if computed.denominator == 1 else f"{float(computed):.4g}"
    return str(computed)


def _plain(printed: str) -> str:
    words = " ".join(printed.strip().lower().replace("×", "x").split())
    return {"true": "yes", "holds": "yes", "false": "no"}.get(words, words)
