"""The one place where a value becomes characters: `text` for people, `raw` for csv."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from math import floor, log10
from typing import Any

from archcalc.values.document import UNKNOWN
from archcalc.values.report import Window
from archcalc.values.trace import Shape

EIGHTHS = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")

ASCII = str.maketrans(
    dict.fromkeys(EIGHTHS[1:4], "")
    | dict.fromkeys((*EIGHTHS[4:], "█"), "#")
    | {"─": "-", "·": "|", "×": "x", "≥": ">=", "–": "-", "—": "-", "…": "...", "→": "->"}
    | {"⌊": "floor(", "⌋": ")", "⌈": "ceil(", "⌉": ")", "Σ": "sum", "√": "sqrt", "−": "-", "≤": "<=", "²": "^2"}
    | {"÷": "/", "○": "o"}
    | dict.fromkeys("“”„", '"')
    | dict.fromkeys("‘’", "'")
)

_TIMES = re.compile(r"(?<=\S)·(?=\S)")
"""A dot that multiplies; one that separates facts has blanks around it."""


def count(value: float) -> str:
    """Every digit, in groups of three: 60,965,224."""
    return f"{value:,}"


def least(value: int) -> str:
    """A count that misses what is unknown: ≥ 60,965,224."""
    return f"≥ {value:,}"


def about(value: int) -> str:
    """A count that may be another one: ~ 60,965,224."""
    return f"~ {value:,}"


def difference(value: float) -> str:
    """A count with its sign: +8,568."""
    return f"{value:+,}" if value else "0"


def least_difference(value: int) -> str:
    """A difference to what is a lower bound: ≥ +8,568."""
    return f"≥ {difference(value)}"


def most_difference(value: int) -> str:
    """A difference from what is a lower bound: ≤ +8,568."""
    return f"≤ {difference(value)}"


def plural(number: int, noun: str) -> str:
    """A count of things: 1 row, 1,234 rows."""
    return f"{count(number)} {noun}" + ("" if number == 1 else "s")


def listed(names: Sequence[str]) -> str:
    """Names in a sentence: a, b and c."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def size_in_bytes(value: int) -> str:
    """Bytes in the unit that a person would take, of 1024 the next: 840 B, 1.5 KiB, 279.7 MiB."""
    scaled = float(value)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if scaled < 1024 or unit == "TiB":
            break
        scaled /= 1024
    return f"{scaled:.0f} {unit}" if unit == "B" else f"{scaled:,.1f} {unit}"


def compact(value: int) -> str:
    """A count for a sentence, decimal: 840, 1.52k, 12.4M, 120.4M, 1.81G."""
    for exponent, suffix in enumerate(("", "k", "M", "G", "T", "P", "E")):
        scaled = value / 1000**exponent
        rounded = f"{scaled:.0f}" if not suffix else f"{scaled:.2f}" if abs(scaled) < 9.995 else f"{scaled:.1f}"
        if abs(float(rounded)) < 1000:
            return rounded + suffix
    return f"{value:.2e}"


def size(shape: Shape) -> str:
    """A shape or a window: 96x55x55; the shape of a single number is "scalar"."""
    return "x".join(map(str, shape)) or "scalar"


def window(value: Shape | str) -> str:
    """One number an axis, 11x11, or torch's own word, such as "same"."""
    return value if isinstance(value, str) else size(value)


def step(value: Shape | str) -> str:
    """A window's setting for people: one number where all axes agree, 4, else 2x1."""
    return str(value[0]) if not isinstance(value, str) and len(set(value)) == 1 else window(value)


def significant(value: float, digits: int = 3) -> str:
    """A measured number with so many digits that count: 0.103, 9.68, 1,016."""
    decimals = max(0, digits - 1 - floor(log10(abs(value)))) if value else 0
    return f"{value:,.{decimals}f}"


def slide(value: Window) -> str:
    """A kernel and its stride as papers write them: 7x7/2."""
    return f"{size(value.kernel)}/{step(value.stride)}"


def number(value: float) -> str:
    """Three significant digits, or all before the point: 0.25, 36.6, 1,016."""
    return ratio(value).removesuffix("x")


def ratio(value: float) -> str:
    """How many times: 0.103x, 9.68x, 1,016x."""
    return significant(value) + "x"


def power(value: float) -> str:
    """A number of any size, three digits that count: 0, 2.54, 895, 3.23e-23."""
    return f"{value:.3g}"


def milliseconds(value: float) -> str:
    """Seconds in thousandths, three digits that count: 0.0456, 12.3, 1,016."""
    return significant(1000 * value)


def noisy_milliseconds(value: float) -> str:
    """The same with a mark: this one is not to be relied on."""
    return f"{milliseconds(value)} !"


def gigas(value: float) -> str:
    """A rate in thousands of millions, such as FLOP/s as GFLOP/s: 67.9."""
    return significant(value / 10**9)


def share(value: float) -> str:
    """A part of one in percent: 31.5%; it may be more than all of it."""
    return percent(value, 1) or "0%"


def percent(part: float, whole: float) -> str:
    """A share of a total: 61.9%; "<0.1%" where there is something that would round to nothing, "" for nothing."""
    if not part or not whole:
        return ""
    share = 100 * part / whole
    return "100%" if part == whole else f"{share:.1f}%" if share >= 0.05 else "<0.1%"


def bar(part: float, whole: float, cells: int) -> str:
    """A share of a total as a row of blocks, `cells` of them for all of it, to an eighth of a block."""
    full, eighths = divmod(round(8 * cells * part / whole), 8) if whole else (0, 0)
    return "█" * full + EIGHTHS[eighths]


PREFIXES = {"K": 3, "M": 6, "G": 9, "T": 12}
"""Units in which a person may want counts, and the power of ten that each stands for."""


def scaled(prefix: str) -> Callable[[float], str]:
    """Writes counts in thousands, millions and so on, three digits that count: 25.6."""
    return lambda value: significant(value / 10 ** PREFIXES[prefix])


def scaled_least(prefix: str) -> Callable[[float], str]:
    """The same for a count that misses what is unknown: ≥ 25.6."""
    return lambda value: f"≥ {scaled(prefix)(value)}"


FOR_PEOPLE: dict[str, Callable[[Any], str]] = {
    "text": lambda value: str(value).replace("\n", " "),
    "prose": str,
    "count": count,
    "least": least,
    "about": about,
    "difference": difference,
    "least_difference": least_difference,
    "most_difference": most_difference,
    "shape": size,
    "window": window,
    "step": step,
    "slide": slide,
    "number": number,
    "memory": size_in_bytes,
    "ratio": ratio,
    "power": power,
    "seconds": lambda value: f"{milliseconds(value)} ms",
    "milliseconds": milliseconds,
    "noisy_milliseconds": noisy_milliseconds,
    "gflops_per_second": gigas,
    "rate": significant,
    "share": share,
    "bytes": lambda value: compact(value) + "B",
    "percent": str,
    **{prefix: scaled(prefix) for prefix in PREFIXES},
    **{f"least {prefix}": scaled_least(prefix) for prefix in PREFIXES},
}

RIGHT_ALIGNED = frozenset(
    "count least difference ratio power step number bytes milliseconds gflops_per_second rate share memory "
    "percent".split()
) | {*PREFIXES}
"""Units whose values are set flush right."""

FOR_PROGRAMS: dict[str, Callable[[Any], str]] = {
    "power": lambda value: f"{value:.6g}",
    "seconds": lambda value: f"{value:.6g}",
    "milliseconds": lambda value: f"{1000 * value:.6g}",
    "gflops_per_second": lambda value: f"{value / 10**9:.6g}",
    "rate": lambda value: f"{value:.6g}",
    "share": lambda value: f"{value:.4g}",
}
"""Measured values: no more digits than a measurement has."""


def text(value: Any, unit: str) -> str:
    """A value for people: "?" where unknown, nothing where there is no such thing."""
    if value is None:
        return ""
    return str(UNKNOWN.value) if value is UNKNOWN else FOR_PEOPLE[unit](value)


def raw(value: Any, unit: str) -> str:
    """A value for programs: plain integers, one number an axis, nothing where unknown."""
    if value is None or value is UNKNOWN:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Window):
        return slide(value)
    if unit in FOR_PROGRAMS:
        return FOR_PROGRAMS[unit](value)
    return size(value) if isinstance(value, tuple) else str(value)


def ascii_only(written: str) -> str:
    """The same for a stream that has no other characters; what has no plain twin is written as its escape."""
    if written.isascii():
        return written
    return _TIMES.sub("*", written).translate(ASCII).encode("ascii", "backslashreplace").decode()
