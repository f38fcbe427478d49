"""rf: how the receptive field grows layer by layer, as a chart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

from archcalc.formats.units import bar, percent, plural, size
from archcalc.render.table import NETWORK, facts, without_batch
from archcalc.values.columns import COLUMNS
from archcalc.values.document import UNKNOWN, Document, Heading, Remark, Table
from archcalc.values.report import Report, Row
from archcalc.values.trace import Shape

SCHEMA = "archcalc.rf/1"

CHART = (16, 60)
"""Characters that the longest bar takes, at least and at most."""

BESIDE = 31
"""Characters that a terminal needs beside the bars, the layers' names and the sizes."""

CENTRE = "that of unit i is pixel offset + i x jump + (receptive field - 1)/2; its first pixel is offset + i x jump"

PATH, KIND, WINDOW, OUTPUT = (
    COLUMNS[key].heading(rank=rank) for key, rank in (("path", 0), ("kind", 0), ("window", 8), ("output_shape", 0))
)
SIZE, JUMP, OFFSET = (
    COLUMNS[key].heading(rank=rank) for key, rank in (("receptive_field", 0), ("jump", 6), ("rf_offset", 7))
)
_RECORDS = (
    *(NETWORK, PATH, KIND, WINDOW, OUTPUT, SIZE, JUMP, OFFSET),
    *(Heading("exceeds_input", "> input", "text"), Heading("misaligned", "misaligned", "text")),
)


def receptive_fields(report: Report, shown: Sequence[Row], width: int | None = None) -> Document:
    """A bar for each of the rows to show, the input's size marked; csv and json have all rows of the report.

    `width` is the terminal's, None where there is none and so no bars.
    """
    pixels = report.input_shapes[0][2:] if report.input_shapes else ()
    records = tuple(
        (
            *(report.subject, row.path, row.kind, row.window, without_batch(report, row.output_shape, "shape")),
            *(row.receptive_field, row.jump, row.rf_offset, _exceeds(row, pixels), row.misaligned),
        )
        for row in report.rows
    )
    headings: tuple[Heading, ...] = (PATH, WINDOW, SIZE, JUMP, OFFSET, Heading("beyond", "", "text"))
    rows: list[tuple[Any, ...]] = [
        (row.path, row.window, _size(row), row.jump, row.rf_offset, _beyond(row, pixels)) for row in shown
    ]
    if width is not None:  # the unit "window" is one word, which a narrow terminal leaves out rather than folds
        headings = (*headings[:2], Heading("chart", f"| = input {size(pixels)}", "window", 5), *headings[2:])
        bars = _bars(shown, pixels, _room(shown, width))
        rows = [(*row[:2], line, *row[2:]) for row, line in zip(rows, bars, strict=True)]
    table = Table(
        title=f"receptive fields of {report.subject}",
        source=report.source,
        facts=facts(report),
        headings=headings,
        rows=tuple(rows),
        remarks=tuple(_remarks(report, shown, pixels)),
    )
    return Document(SCHEMA, _RECORDS, records, (table,), lambda: _content(report, records))


def _content(report: Report, records: Sequence[tuple[Any, ...]]) -> dict[str, Any]:
    keys = [heading.key for heading in _RECORDS]
    return {
        "schema": SCHEMA,
        "network": report.subject,
        "input_shapes": report.input_shapes,
        "rows": [dict(list(zip(keys, record, strict=True))[1:]) for record in records],
    }


def _size(row: Row) -> Any:
    return UNKNOWN if row.receptive_field is None else row.receptive_field


def _exceeds(row: Row, pixels: Shape) -> bool:
    """Whether the row sees more than the input has, along any axis."""
    field = row.receptive_field
    return isinstance(field, tuple) and any(own > whole for own, whole in zip(field, pixels, strict=True))


def _beyond(row: Row, pixels: Shape) -> str:
    return "; ".join(["> input"] * _exceeds(row, pixels) + ["misaligned"] * row.misaligned)


def _room(rows: Sequence[Row], width: int) -> int:
    """Characters for the bars, so that a usual terminal shows jump and offset too."""
    names = max((len(row.path) for row in rows), default=0)
    sizes = max((len(size(row.receptive_field)) for row in rows if isinstance(row.receptive_field, tuple)), default=0)
    shortest, longest = CHART
    return max(shortest, min(longest, width - min(names, width * 2 // 5) - sizes - BESIDE))


def _bars(rows: Sequence[Row], pixels: Shape, room: int) -> list[str]:
    """One bar a row, of the axis of which it sees most; the mark is where the input ends."""
    parts = [_part(row, pixels) for row in rows]
    longest = max([1.0, *(part for part in parts if part is not None)])
    mark = round(room / longest)
    bars = []
    for part in parts:
        line = "?" if part is None else bar(part, longest, room)
        if part is not None and part <= 1:  # rounding must not carry a bar across the mark, or leave it before it
            line = "█" * mark if part == 1 else line[:mark]
        bars.append(line[:mark].ljust(mark) + "|" + line[mark:])
    return bars


def _part(row: Row, pixels: Shape) -> float | None:
    """The part of the input that a row sees, along the axis of which it sees most."""
    if isinstance(row.receptive_field, tuple):
        return max(own / whole for own, whole in zip(row.receptive_field, pixels, strict=True))
    return None if row.receptive_field is None else 1.0


def _enlarges(row: Row) -> bool:
    by_kind = row.kind.startswith(("conv_transpose", "interpolate", "upsample", "pixel_shuffle"))
    return by_kind or any(jump != int(jump) for jump in row.jump or ())


def _remarks(report: Report, shown: Sequence[Row], pixels: Shape) -> Iterator[Remark]:
    sized = [(row, row.receptive_field) for row in report.rows if isinstance(row.receptive_field, tuple)]
    if sized:
        row, field = max(sized, key=lambda pair: prod(pair[1]))
        share = percent(prod(map(min, field, pixels)), prod(pixels))
        part = "more than the input has" if _exceeds(row, pixels) else f"{share} of the input"
        yield Remark("most", f"{row.path} sees {size(field)}, {part}")
    outgrown = next((row for row in report.rows if _exceeds(row, pixels)), None)
    if outgrown:
        yield Remark("> input", f"from {outgrown.path} on, some of what a unit sees is padding")
    lost = next((row for row in report.rows if row.receptive_field is None), None)
    if lost:
        yield Remark("NOT KNOWN", f"at {lost.path}: positions cannot be followed through {lost.kind}", "warning")
    if any(row.misaligned for row in report.rows):
        yield Remark("misaligned", "paths of different jumps met: the row shows the one that sees most", "warning")
    enlarged = next((row for row in report.rows if _enlarges(row)), None)
    if enlarged:
        text = f"from {enlarged.path} on neighbours may share what they see: jump is the mean, the receptive field the "
        yield Remark("upsampled", text + "largest; --unit has the ends of each")
    hidden = len(report.rows) - len(shown)
    if hidden:
        see = "sees" if hidden == 1 else "see"
        yield Remark("left out", f"{plural(hidden, 'row')} that {see} no more than those above; --all shows every call")
    yield Remark("padding", "counts as pixels, so that every unit of a layer sees as much", "quiet")
    yield Remark("centre", CENTRE, "quiet")
