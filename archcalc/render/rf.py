"""rf: how the receptive field grows layer by layer, as a chart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

from archcalc.formats.units import UNKNOWN, bar, percent, size
from archcalc.render.table import NETWORK, facts, without_batch
from archcalc.values.document import Grid, Heading, Remark, Table
from archcalc.values.report import Report, Row
from archcalc.values.trace import Shape

SCHEMA = "archcalc.rf/1"

CHART = (16, 60)
"""Characters that the longest bar takes, at least and at most."""

BESIDE = 31
"""Characters that a terminal needs beside the bars, the layers' names and the sizes."""

CENTRE = "that of unit i is pixel offset + i x jump + (sees - 1)/2; the first pixel it sees is offset + i x jump"

_PATH = Heading("path", "layer", "text")
_SIZE = Heading("receptive_field", "sees", "window")
_STEPS = (Heading("jump", "jump", "step", 6), Heading("rf_offset", "offset", "step", 7))
_WINDOW = Heading("window", "window", "slide", 8)
_KIND = Heading("kind", "kind", "text")
_RECORDS = (
    *(NETWORK, _PATH, _KIND, _WINDOW, Heading("output_shape", "output", "shape"), _SIZE, *_STEPS),
    *(Heading("exceeds_input", "> input", "text"), Heading("misaligned", "misaligned", "text")),
)


def growth(rows: Sequence[Row]) -> list[Row]:
    """The rows at which the field grows beyond all before, or the jump is a new one, or all is seen, or nothing known.

    What lies in a narrower branch, and what only looks at single units, is left out.
    """
    found: list[Row] = []
    largest: Shape = ()
    jumps: set[Any] = {None}
    for row in rows:
        seen = row.receptive_field
        if isinstance(seen, tuple):
            grows = not largest or any(new > old for new, old in zip(seen, largest, strict=True))
            if grows or row.jump not in jumps:
                found.append(row)
            largest = tuple(map(max, seen, largest)) if largest else seen
            jumps.add(row.jump)
        elif seen not in [each.receptive_field for each in found]:
            found.append(row)
    return found


def fields(report: Report, shown: Sequence[Row], width: int | None = None) -> Grid:
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
    headings: tuple[Heading, ...] = (_PATH, _WINDOW, _SIZE, *_STEPS, Heading("beyond", "", "text"))
    rows: list[tuple[Any, ...]] = [
        (row.path, row.window, _said(row), row.jump, row.rf_offset, _beyond(row, pixels)) for row in shown
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
    return Grid(SCHEMA, _RECORDS, records, (table,), lambda: _document(report, records))


def _document(report: Report, records: Sequence[tuple[Any, ...]]) -> dict[str, Any]:
    keys = [heading.key for heading in _RECORDS]
    return {
        "schema": SCHEMA,
        "network": report.subject,
        "input_shapes": report.input_shapes,
        "rows": [dict(list(zip(keys, record, strict=True))[1:]) for record in records],
    }


def _said(row: Row) -> Any:
    return UNKNOWN if row.receptive_field is None else row.receptive_field


def _exceeds(row: Row, pixels: Shape) -> bool:
    seen = row.receptive_field
    return isinstance(seen, tuple) and any(one > other for one, other in zip(seen, pixels, strict=True))


def _beyond(row: Row, pixels: Shape) -> str:
    return "; ".join(["> input"] * _exceeds(row, pixels) + ["misaligned"] * row.misaligned)


def _room(rows: Sequence[Row], width: int) -> int:
    """Characters for the bars, so that a usual terminal shows jump and offset too."""
    names = max((len(row.path) for row in rows), default=0)
    sizes = max((len(size(row.receptive_field)) for row in rows if isinstance(row.receptive_field, tuple)), default=0)
    least, most = CHART
    return max(least, min(most, width - min(names, width * 2 // 5) - sizes - BESIDE))


def _bars(rows: Sequence[Row], pixels: Shape, room: int) -> list[str]:
    """One bar a row, of the axis of which it sees most; the mark is where the input ends."""
    parts = [_part(row, pixels) for row in rows]
    longest = max([1.0, *(part for part in parts if part is not None)])
    mark = round(room / longest)
    found = []
    for part in parts:
        line = "?" if part is None else bar(part, longest, room)
        if part is not None and part <= 1:  # rounding must not carry a bar across the mark, or leave it before it
            line = "█" * mark if part == 1 else line[:mark]
        found.append(line[:mark].ljust(mark) + "|" + line[mark:])
    return found


def _part(row: Row, pixels: Shape) -> float | None:
    if isinstance(row.receptive_field, tuple):
        return max(one / other for one, other in zip(row.receptive_field, pixels, strict=True))
    return None if row.receptive_field is None else 1.0


def _enlarges(row: Row) -> bool:
    by_kind = row.kind.startswith(("conv_transpose", "interpolate", "upsample", "pixel_shuffle"))
    return by_kind or any(jump != int(jump) for jump in row.jump or ())


def _remarks(report: Report, shown: Sequence[Row], pixels: Shape) -> Iterator[Remark]:
    sized = [(row, row.receptive_field) for row in report.rows if isinstance(row.receptive_field, tuple)]
    if sized:
        most, seen = max(sized, key=lambda each: prod(each[1]))
        share = percent(prod(map(min, seen, pixels)), prod(pixels))
        part = "more than the input has" if _exceeds(most, pixels) else f"{share} of the input"
        yield Remark("most", f"{most.path} sees {size(seen)}, {part}")
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
        why = f"from {enlarged.path} on neighbours may share what they see: jump is the mean, sees the most; "
        yield Remark("upsampled", why + "--unit has the ends of each")
    hidden = len(report.rows) - len(shown)
    if hidden:
        rows = f"{hidden} row" + "s" * (hidden > 1)
        yield Remark("left out", f"{rows} that see no more than those above; --all shows every call")
    yield Remark("padding", "counts as pixels, so that every unit of a layer sees as much", "quiet")
    yield Remark("centre", CENTRE, "quiet")
