"""Every column there is: its key, title and unit, its value in a row, how rows fold into one, whether it adds up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from math import prod
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from archcalc.values.document import Heading
from archcalc.values.errors import unknown

if TYPE_CHECKING:
    from archcalc.values.report import Report, Row

Fold = Callable[[Sequence[Any]], Any]


def add(values: Iterable[Any]) -> Any:
    """The sum of the values; None where one of them is unknown."""
    listed = list(values)
    return None if any(value is None for value in listed) else sum(listed)


def last(values: Sequence[Any]) -> Any:
    """The value of the last row, whose output is the module's."""
    return values[-1]


@dataclass(frozen=True, slots=True)
class Column:
    """One column, the same in every format, comparison and claim.

    `unit` says how a value is written: "text", "count", "shape", "window", "step", "slide" or "number" (see
    formats/units.py). `value` takes it from a row, None where unknown or where the row has no such thing.
    `rank` orders a narrow table: the highest is dropped first, 0 never.
    `fold` makes one value of those of a module's calls; None where a module has no such thing, or where the value
    follows from other columns. `total` is whether the values add up over a network. `known` is what is known of a
    value that is None, a lower bound. `network` takes the value of a whole network from its report where it is neither
    a sum nor a fold. `share` is the rank of the bars that show a value's share of the total, None for no bars.
    `usual` is the default value; a column that holds no other is left out.
    """

    key: str
    title: str
    unit: str
    value: Callable[[Row], Any]
    rank: int
    meaning: str
    fold: Fold | None = None
    total: bool = False
    known: Callable[[Row], int] | None = None
    network: Callable[[Report], Any] | None = None
    share: int | None = None
    usual: Any = None

    def heading(self, **changes: Any) -> Heading:
        """The head of this column in a table; `changes` are to fields of Heading, such as its rank."""
        return replace(Heading(self.key, self.title, self.unit, self.rank, self.share, usual=self.usual), **changes)

    def least(self, row: Row) -> int:
        """The value in a row, or what is known of it: a lower bound."""
        value: int | None = self.value(row)
        if value is not None:
            return value
        return self.known(row) if self.known else 0

    def sum(self, rows: Iterable[Row]) -> int:
        """The sum over rows; unknown ones add what is known of them."""
        return sum(map(self.least, rows))

    def is_lower_bound(self, report: Report) -> bool:
        """Whether the value of a whole network is only a lower bound: it failed, or that of a row is unknown."""
        return report.failure is not None or any(self.value(row) is None for row in report.rows)

    def of_network(self, report: Report) -> Any:
        """The value of a whole network: for a column that adds up the sum over its rows, known or lower bound."""
        return self.network(report) if self.network else self.sum(report.rows)


def _column(key: str, title: str, unit: str, rank: int, meaning: str, **more: Any) -> Column:
    return Column(key, title, unit, more.pop("value", attrgetter(key)), rank, meaning, **more)


def _sum(key: str, title: str, rank: int, meaning: str, **more: Any) -> Column:
    """A column that adds up."""
    return _column(key, title, "count", rank, meaning, total=True, **more)


def _first(shapes: str) -> Callable[[Report], Any]:
    return lambda report: next(iter(getattr(report, shapes)), None)


def _field_with_positions(report: Report) -> Any:
    """The receptive field of the last row whose units have positions: behind it, classifiers see the whole input."""
    rows = [row for row in report.rows if prod((row.output_shape or ())[2:]) > 1] or report.rows[-1:]
    return rows[-1].receptive_field if rows else None


def _known_flops(row: Row) -> int:
    return 2 * row.least_macs


def _note(row: Row) -> str:
    notes = ["unknown: " + ", ".join(row.unknown)] if row.unknown else [row.free]
    return "; ".join(filter(None, [*notes, "misaligned paths" if row.misaligned else ""]))


_COLUMNS = (
    _column("path", "layer", "text", 0, "the module's path, with the kind where it makes several calls"),
    _column("kind", "kind", "text", 2, "what was called, or the class of a folded module"),
    _column("window", "window", "slide", 3, "kernel size and stride, as papers write it: 7x7/2"),
    _column("kernel", "kernel", "window", 3, "kernel size, an axis each"),
    _column("stride", "stride", "step", 4, "stride, an axis each"),
    _column("padding", "pad", "step", 5, "padding, an axis each"),
    _column("dilation", "dilation", "step", 9, "dilation, an axis each"),
    _column("groups", "groups", "count", 7, "groups of channels that do not see each other", usual=1),
    _column("input_shape", "input", "shape", 6, "shape of the first input", network=_first("input_shapes")),
    _column("output_shape", "output", "shape", 1, "shape of the first output", network=_first("output_shapes")),
    _sum("params", "params", 0, "elements of the parameters first used here", fold=add, share=9),
    _sum("weights", "weights", 11, "params without biases and normalisation"),
    _sum(
        "macs",
        "mult-adds",
        0,
        "multiply-adds of convolutions and matrix products",
        fold=add,
        known=attrgetter("least_macs"),
        share=8,
    ),
    _sum("flops", "FLOPs", 10, "2 x mult-adds", known=_known_flops),
    _sum("activations", "activations", 10, "elements put out by what does mult-adds", fold=add),
    _column(
        "receptive_field",
        "receptive field",
        "window",
        10,
        "input pixels that a unit sees, or all",
        fold=last,
        network=_field_with_positions,
    ),
    _column("jump", "jump", "step", 11, "input pixels from one unit to the next, an axis each", fold=last),
    _column("rf_offset", "offset", "step", 11, "first input pixel that the first unit sees, an axis each", fold=last),
    _column("depth", "depth", "count", 11, "weight layers up to here", fold=max, network=attrgetter("depth")),
    _sum("output_elements", "elements", 11, "elements of the outputs"),
    _sum("read_bytes", "bytes read", 11, "bytes of what goes in, weights included", fold=add),
    _sum("written_bytes", "bytes written", 11, "bytes of what comes out", fold=add),
    _sum("bytes_moved", "bytes moved", 11, "bytes read and written"),
    _column("intensity", "FLOPs/byte", "number", 11, "FLOPs a byte read or written"),
    _column("least_ms", "least ms", "number", 1, "least time on the device given, by its roofline", fold=add),
    _column("bound", "bound by", "text", 1, "what bounds that time: arithmetic or memory"),
    _sum("backward_macs", "backward mult-adds", 1, "multiply-adds of the backward pass", fold=add),
    _sum("saved_bytes", "saved bytes", 1, "bytes first kept here for the backward pass", fold=add),
    _column("dtype", "dtype", "text", 12, "dtype of the first output", fold=last),
    _column("module", "module", "text", 12, "the named_modules() path"),
    _column("call", "call", "count", 12, "which run of that module this is, from 0"),
    _column("note", "note", "text", 12, "why nothing is counted, or which op is unknown", value=_note),
)

COLUMNS: dict[str, Column] = {column.key: column for column in _COLUMNS}
"""By key, in the order in which `--columns all` shows them."""

DEFAULT = tuple("path kind kernel stride padding groups input_shape output_shape params macs flops note".split())
"""The columns of csv and json."""

FOR_PEOPLE = tuple("path kind window padding groups input_shape output_shape params macs flops note".split())
"""The columns of a table to read; a terminal shows as many of them as fit, in the order of their rank."""

COMPARED = ("input_shape", "output_shape", "depth", "params", "macs", "flops", "activations")
"""What networks are compared by; BACKWARD as well where the backward pass was followed."""

BACKWARD = ("backward_macs", "saved_bytes")
ROOFLINE = ("intensity", "least_ms", "bound")


def with_more(more: tuple[str, ...], *, raw: bool) -> tuple[str, ...]:
    """The usual columns with some more before the note: those of csv and json if `raw`, or of a table to read."""
    usual = DEFAULT if raw else FOR_PEOPLE
    return (*usual[:-1], *more, usual[-1])


def selection(wish: str) -> tuple[str, ...]:
    """The keys of the columns in "path,mult-adds", given by key or title in any case; "all" is every column.

    Raises UsageError, with the closest names, for one that does not exist, and for none at all.
    """
    if wish.strip() == "all":
        return tuple(COLUMNS)
    keys = {plain(name): column.key for column in COLUMNS.values() for name in (column.title, column.key)}
    names = list(dict.fromkeys(name.strip() for name in wish.split(",") if name.strip()))
    for name in names or [""]:
        if plain(name) not in keys:
            known = dict.fromkeys([*COLUMNS, *(column.title for column in COLUMNS.values())])
            raise unknown("column", name, known, f"there are: {', '.join(COLUMNS)}")
    return tuple(dict.fromkeys(keys[plain(name)] for name in names))


def plain(name: str) -> str:
    """A name as it is compared, without regard to capitals, and to "-", "_" or blanks between words."""
    return name.lower().replace("_", "-").replace(" ", "-")


def total(report: Report, key: str) -> int:
    """The sum over a report's rows of a column that adds up; KeyError for any other."""
    column = COLUMNS.get(key)
    if column is None or not column.total:
        raise KeyError(
            f"no total of '{key}'; there are {', '.join(key for key, column in COLUMNS.items() if column.total)}"
        )
    return column.sum(report.rows)
