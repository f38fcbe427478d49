"""What boxes can be coloured by: a measure of the rows that they stand for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from archcalc.formats.units import compact, milliseconds, size_in_bytes
from archcalc.pictures.choices import Colour
from archcalc.pictures.graph import Box
from archcalc.pictures.theme import STEPS
from archcalc.values.benchmark import Benchmark
from archcalc.values.columns import COLUMNS
from archcalc.values.errors import UsageError
from archcalc.values.report import Report, Row

Values = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Measure:
    """A number for each row, None where there is none; what it is called and how the largest of a picture is written.

    `adds_up` is whether those of several rows are added; of others the last counts, as their output is the box's.
    """

    colour: Colour
    title: str
    values: Values
    adds_up: bool = True

    def of(self, box: Box) -> float | None:
        """The value of a box; None where none of its rows has one."""
        known = [value for row in box.rows if (value := self.values[row]) is not None]
        return None if not known else sum(known) if self.adds_up else known[-1]

    def text(self, value: float) -> str:
        """A value as the legend writes it."""
        if self.colour == Colour.time:
            return f"{milliseconds(value)} ms"
        if self.colour == Colour.receptive_field:
            return f"{value:.0f} px"
        return size_in_bytes(int(value)) if self.colour == Colour.saved_bytes else compact(int(value))


def measure(report: Report, colour: Colour, benchmark: Benchmark | None = None) -> Measure | None:
    """The measure that a picture is coloured by, None for the kind of box.

    Raises UsageError where the report or the benchmark does not hold it.
    """
    if colour == Colour.kind:
        return None
    if colour == Colour.time:
        return Measure(colour, "forward pass", _seconds(report, benchmark))
    if colour == Colour.receptive_field:
        return Measure(colour, COLUMNS[colour].title, [_field(report, row) for row in report.rows], adds_up=False)
    column = COLUMNS[colour]
    values = [column.value(row) for row in report.rows]
    if colour == Colour.saved_bytes and all(value is None for value in values):
        raise UsageError("saved bytes are known where the backward pass was followed: analyze with backward=True")
    return Measure(colour, column.title, [value if value else None for value in values])


def _field(report: Report, row: Row) -> float | None:
    """The larger side of what a unit sees, in pixels; the whole input where it sees all of it."""
    if row.receptive_field == "all":
        return float(max((report.input_shapes or ((0, 0, 0),))[0][2:], default=0)) or None
    return float(max(row.receptive_field)) if isinstance(row.receptive_field, tuple) else None


def _seconds(report: Report, benchmark: Benchmark | None) -> list[float | None]:
    """Each row's seconds in a forward pass, from a benchmark that was run with --layers."""
    if benchmark is None:
        raise UsageError(
            "time needs a benchmark: `archcalc bench MODEL --layers --save run.json`, then --bench run.json"
        )
    timed = next((layers for layers in benchmark.layers if layers.network == report.subject), None)
    if timed is None:
        known = ", ".join(dict.fromkeys(layers.network for layers in benchmark.layers)) or "none"
        raise UsageError(f"the benchmark has no layers of {report.subject}, but of: {known}; run it with --layers")
    by_row: Mapping[tuple[str, int], float] = {
        (row.path, row.call): row.forward.median_seconds for row in timed.rows if row.forward is not None
    }
    return [by_row.get((row.path, row.call)) for row in report.rows]


def shade(value: float | None, most: float) -> int | None:
    """Which of the STEPS shades a value has; None where there is none."""
    if value is None or most <= 0:
        return None
    return min(STEPS - 1, int(STEPS * value / most))
