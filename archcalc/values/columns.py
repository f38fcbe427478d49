"""Every column there is: its key, its title and unit, and where in a row its value stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from archcalc.values.report import Row


@dataclass(frozen=True, slots=True)
class Column:
    """One column, the same in every format.

    `unit` says how a value is written: "text", "count", "shape", "window", "step", "slide" or "ratio" (see
    render/units.py). `value` takes it from a row, None where unknown or where the row has no such thing.
    `total` is whether the values add up. `rank` orders a narrow table: the highest is dropped first, 0 never.
    """

    key: str
    title: str
    unit: str
    value: Callable[[Row], Any]
    rank: int
    meaning: str
    total: bool = False


def _column(key: str, title: str, unit: str, rank: int, meaning: str, total: bool = False) -> tuple[str, Column]:
    return key, Column(key, title, unit, attrgetter(key), rank, meaning, total)


def _note(row: Row) -> str:
    notes = ["unknown: " + ", ".join(row.unknown)] if row.unknown else [row.free]
    return "; ".join(filter(None, [*notes, "misaligned paths" if row.misaligned else ""]))


COLUMNS: dict[str, Column] = dict(
    [
        _column("path", "layer", "text", 0, "the module's path, with the kind where it makes several calls"),
        _column("kind", "kind", "text", 2, "what was called, or the class of a folded module"),
        _column("window", "window", "slide", 3, "kernel size and stride, as papers write it: 7x7/2"),
        _column("kernel", "kernel", "window", 3, "kernel size, an axis each"),
        _column("stride", "stride", "step", 4, "stride, an axis each"),
        _column("padding", "pad", "step", 5, "padding, an axis each"),
        _column("dilation", "dilation", "step", 9, "dilation, an axis each"),
        _column("groups", "groups", "count", 7, "groups of channels that do not see each other"),
        _column("input_shape", "input", "shape", 6, "shape of the first input"),
        _column("output_shape", "output", "shape", 1, "shape of the first output"),
        _column("params", "params", "count", 0, "elements of the parameters first used here", total=True),
        _column("macs", "mult-adds", "count", 0, "multiply-adds of convolutions and matrix products", total=True),
        _column("flops", "FLOPs", "count", 10, "2 x mult-adds", total=True),
        _column("activations", "activations", "count", 10, "elements put out by what does mult-adds", total=True),
        _column("receptive_field", "sees", "window", 10, "input pixels that a unit sees, an axis each, or all"),
        _column("jump", "jump", "step", 11, "input pixels from one unit to the next, an axis each"),
        _column("rf_offset", "offset", "step", 11, "first input pixel that the first unit sees, an axis each"),
        _column("depth", "depth", "count", 11, "weight layers on the longest path up to here"),
        _column("output_elements", "elements", "count", 11, "elements of the outputs", total=True),
        _column("read_bytes", "bytes read", "count", 11, "bytes of what goes in, weights included", total=True),
        _column("written_bytes", "bytes written", "count", 11, "bytes of what comes out", total=True),
        _column("intensity", "FLOPs/byte", "number", 11, "FLOPs a byte read or written"),
        _column("least_ms", "least ms", "number", 1, "least time on the device given, by its roofline"),
        _column("bound", "bound by", "text", 1, "what bounds that time: arithmetic or memory"),
        _column("backward_macs", "backward", "count", 1, "multiply-adds of the backward pass", total=True),
        _column("saved_bytes", "saved bytes", "count", 1, "bytes first kept here for the backward pass", total=True),
        _column("dtype", "dtype", "text", 12, "dtype of the first output"),
        _column("module", "module", "text", 12, "the named_modules() path"),
        _column("call", "call", "count", 12, "which run of that module this is, from 0"),
        ("note", Column("note", "note", "text", _note, 12, "why nothing is counted, or which op is unknown")),
    ]
)

DEFAULT = tuple("path kind kernel stride padding groups input_shape output_shape params macs flops note".split())
"""The columns of csv and json."""

FOR_PEOPLE = tuple("path kind window padding groups input_shape output_shape params macs flops note".split())
"""The columns of a table to read; a terminal shows as many of them as fit, in the order of their rank."""

BACKWARD = ("backward_macs", "saved_bytes")
ROOFLINE = ("intensity", "least_ms", "bound")


def with_more(more: tuple[str, ...], form: str) -> tuple[str, ...]:
    """The usual columns of a format with some more before the note."""
    usual = DEFAULT if form in ("csv", "json") else FOR_PEOPLE
    return (*usual[:-1], *more, usual[-1])
