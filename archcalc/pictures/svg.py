"""A picture as SVG: text that can be selected, a tooltip for each box, and nothing that a name could break."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from archcalc.formats.safe import one_line
from archcalc.formats.units import count, size
from archcalc.pictures import lines
from archcalc.pictures.build import cost_text
from archcalc.pictures.choices import Direction, Theme
from archcalc.pictures.graph import KINDS, Box
from archcalc.pictures.labels import shape_text
from archcalc.pictures.layout import sizes
from archcalc.pictures.layout.nested import Layout, Placed, Route
from archcalc.pictures.lines import number
from archcalc.pictures.measures import Measure, shade
from archcalc.pictures.text import width
from archcalc.pictures.theme import STEPS, style_sheet
from archcalc.values.columns import COLUMNS
from archcalc.values.report import Report, Row

MARGIN = 18.0
HEADER = 52.0
SWATCH = 11.0
LEGEND_ROW = 20.0
LEGEND_WIDTH = 200.0
"""Narrower pictures are made that wide, so that a legend does not become a column."""


@dataclass(frozen=True, slots=True)
class Style:
    """How a picture looks: its colours, whether name, totals and legend stand around it, and the layer that is marked.

    `prefix` is put before the ids of title and description, which must differ between the pictures of one page; there
    `with_style` False leaves the style sheet to the page, and `with_page` False the background.
    """

    theme: Theme = Theme.auto
    measure: Measure | None = None
    marked: str = ""
    header: bool = True
    legend: bool = True
    prefix: str = "archcalc"
    with_style: bool = True
    with_page: bool = True


def svg(layout: Layout, picture: Box, report: Report, style: Style) -> str:
    """The text of an SVG file. A box is a group with its `data-path`, and `data-module` where it can be opened."""
    return _Writer(layout, picture, report, style).text()


class _Writer:
    def __init__(self, layout: Layout, picture: Box, report: Report, style: Style) -> None:
        self.layout, self.picture, self.report, self.style = layout, picture, report, style
        self.leaves = [placed for placed in layout.boxes if not placed.box.is_open]
        values = [style.measure.of(placed.box) for placed in self.leaves] if style.measure else []
        self.most = max((value for value in values if value is not None), default=0.0)

    def text(self) -> str:
        name = one_line(self.report.subject)
        title = f"{name} · {one_line(self.picture.path)}" if self.picture.path else name
        total = cost_text(self.report, self.picture.rows) or "no params, no mult-adds"
        entries = self._legend_entries() if self.style.legend else []
        least = sum(map(_legend_width, entries)) if self.style.measure else LEGEND_WIDTH if entries else 0
        wide = max(self.layout.width, width(title, 16, bold=True), width(total, 12), least)
        legend, legend_height = _legend(entries, wide)
        top = MARGIN + (HEADER if self.style.header else 0)
        bottom = top + self.layout.height
        full = (wide + 2 * MARGIN, bottom + (legend_height + 16 if legend else 0) + MARGIN)
        prefix = escape(self.style.prefix)
        description = f"Architecture of {title}: {len(self.leaves)} boxes, {total}."
        middle = number(full[0] / 2)
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="archcalc" role="img" viewBox="0 0 {number(full[0])} '
            f'{number(full[1])}" width="{number(full[0])}" height="{number(full[1])}" '
            f'aria-labelledby="{prefix}-title {prefix}-desc">',
            f'<title id="{prefix}-title">{escape(title)}</title>',
            f'<desc id="{prefix}-desc">{escape(description)}</desc>',
        ]
        if self.style.with_style:
            parts.append(f"<style>{style_sheet(self.style.theme)}</style>")
        if self.style.with_page:
            parts.append(f'<rect class="page" width="{number(full[0])}" height="{number(full[1])}"/>')
        if self.style.header:
            parts.append(f'<text class="title middle" x="{middle}" y="{number(MARGIN + 14)}">{escape(title)}</text>')
            parts.append(
                f'<text class="total quiet middle" x="{middle}" y="{number(MARGIN + 33)}">{escape(total)}</text>'
            )
        left = (full[0] - self.layout.width) / 2
        parts.append(f'<g transform="translate({number(left)} {number(top)})">')
        parts += [self._frame(placed) for placed in self.layout.boxes if placed.box.is_open]
        parts += self._lines()
        parts += [self._leaf(placed) for placed in self.leaves]
        parts.append("</g>")
        if legend:
            parts.append(f'<g transform="translate({number(MARGIN)} {number(bottom + 16)})">{"".join(legend)}</g>')
        return "\n".join([*parts, "</svg>", ""])

    def _lines(self) -> list[str]:
        by_module: dict[str, list[Route]] = {}
        for route in self.layout.routes:
            by_module.setdefault(route.around, []).append(route)
        drawn = [lines.path(routes) for routes in by_module.values()]
        return [
            *(f'<path class="line" d="{path}"/>' for path in drawn),
            f'<path class="head" d="{lines.heads(self.layout.routes)}"/>',
        ]

    def _frame(self, placed: Placed) -> str:
        place, box = placed.rectangle, placed.box
        x, y = placed.text
        return (
            f'<g data-path="{_attribute(box.path)}" data-open="1"{self._mark(box)}><title>{self._tooltip(box)}</title>'
            f'<rect class="frame" {_rectangle(placed)} rx="8"/>'
            f'<text class="name quiet" x="{number(x)}" y="{number(y)}">{escape(sizes.texts(box)[0])}</text></g>'
            if place.width
            else ""
        )

    def _mark(self, box: Box, *classes: str) -> str:
        names = [*classes, *(["marked"] if self._is_marked(box) else [])]
        return f' class="{" ".join(names)}"' if names else ""

    def _is_marked(self, box: Box) -> bool:
        marked = self.style.marked
        if not marked or not box.rows:
            return False
        rows = [self.report.rows[row] for row in box.rows]
        if box.is_open:
            return box.path == marked
        return any(row.path == marked or row.path.startswith(f"{marked}.") for row in rows) or box.path == marked

    def _leaf(self, placed: Placed) -> str:
        box, place = placed.box, placed.rectangle
        x, middle = place.x + place.width / 2, place.y + place.height / 2
        label, detail = sizes.texts(box)
        if box.kind in ("input", "output"):
            return f'<text class="label" x="{number(x)}" y="{number(middle + 4.5)}">{escape(label)}</text>'
        classes = [f"k-{box.kind}"]
        if self.style.measure is not None:
            step = shade(self.style.measure.of(box), self.most)
            classes.append("plain" if step is None else f"m{step}")
        module = ' data-module="1"' if box.kind == "module" else ""
        radius = place.height / 2 if sizes.is_pill(box) else 8 if box.kind == "module" else 4
        return (
            f'<g{self._mark(box, *classes)} data-path="{_attribute(box.path)}"{module}>'
            f"<title>{self._tooltip(box)}</title>"
            f'<rect {_rectangle(placed)} rx="{number(radius)}"/>{_words(box, x, middle, label, detail)}'
            f"{self._caption(placed)}</g>"
        )

    def _caption(self, placed: Placed) -> str:
        box = placed.box
        if not box.shape:
            return ""
        x, y = placed.text
        middle = "" if self.layout.direction == Direction.down else " middle"
        return f'<text class="shape quiet{middle}" x="{number(x)}" y="{number(y)}">{escape(box.shape)}</text>'

    def _tooltip(self, box: Box) -> str:
        rows = [self.report.rows[row] for row in box.rows]
        names = (
            [one_line(row.path) for row in rows] if len(rows) <= 4 and box.kind != "module" else [one_line(box.path)]
        )
        said = [", ".join(names), _labelled(box)]
        if rows and not box.repeats > 1:
            shapes = (shape_text(self.report, rows[-1].output_shape) if rows[-1].output_shape else "",)
            said += [f"output {shape}" for shape in shapes if shape]
        said += [f"{column}: {value}" for column, value in _costs(rows)]
        unknown = dict.fromkeys(op for row in rows for op in row.unknown)
        if unknown:
            said.append(f"no formula for {', '.join(map(one_line, unknown))}")
        return escape("\n".join(filter(None, said)))

    def _legend_entries(self) -> list[tuple[str, str, float]]:
        if self.style.measure is None:
            kinds = dict.fromkeys(placed.box.kind for placed in self.leaves)
            return [
                (f"k-{kind}", name, SWATCH + 5)
                for kind, name in KINDS.items()
                if kind in kinds and kind not in ("input", "output")
            ]
        measure = self.style.measure
        shades = [(f"m{step}", "", SWATCH) for step in range(STEPS - 1)]
        last = (f"m{STEPS - 1}", measure.text(self.most), SWATCH + 6)
        return [("", f"{measure.title}: 0", 0.0), *shades, last]


def _words(box: Box, x: float, middle: float, label: str, detail: str) -> str:
    if not detail:
        return f'<text class="label" x="{number(x)}" y="{number(middle + 4.5)}">{escape(label)}</text>'
    if sizes.is_pill(box):
        both = width(label, sizes.LABEL) + 6 + width(detail, sizes.DETAIL)
        first = x - both / 2 + width(label, sizes.LABEL) / 2
        second = x + both / 2 - width(detail, sizes.DETAIL) / 2
        return (
            f'<text class="label" x="{number(first)}" y="{number(middle + 4.5)}">{escape(label)}</text>'
            f'<text class="detail quiet" x="{number(second)}" y="{number(middle + 4)}">{escape(detail)}</text>'
        )
    return (
        f'<text class="label" x="{number(x)}" y="{number(middle - 2)}">{escape(label)}</text>'
        f'<text class="detail quiet" x="{number(x)}" y="{number(middle + 13)}">{escape(detail)}</text>'
    )


def _labelled(box: Box) -> str:
    words = sizes.badge(box) + box.label
    return f"{words} ({box.detail})" if box.detail and box.kind != "module" else words


def _costs(rows: Sequence[Row]) -> list[tuple[str, str]]:
    costs = []
    for key in ("params", "macs", "saved_bytes"):
        column = COLUMNS[key]
        values = [column.value(row) for row in rows]
        if key == "saved_bytes" and not any(values):
            continue
        sign = "≥ " if any(value is None for value in values) else ""
        costs.append((column.title, sign + count(column.sum(rows))))
    field = rows[-1].receptive_field if rows else None
    if field is not None:
        costs.append((COLUMNS["receptive_field"].title, field if isinstance(field, str) else size(field)))
    return costs


def _rectangle(placed: Placed) -> str:
    place = placed.rectangle
    return f'x="{number(place.x)}" y="{number(place.y)}" width="{number(place.width)}" height="{number(place.height)}"'


def _attribute(text: str) -> str:
    return escape(one_line(text))


def _legend_width(entry: tuple[str, str, float]) -> float:
    classes, name, space = entry
    return space + (width(name, sizes.DETAIL) + (14 if classes else 6) if name else 0.0)


def _legend(entries: Sequence[tuple[str, str, float]], wide: float) -> tuple[list[str], float]:
    """The swatches with their names, in as many rows as they need, and the height of it all."""
    parts = []
    x, y = 0.0, 0.0
    for classes, name, space in entries:
        needed = _legend_width((classes, name, space))
        if x and x + needed > wide:
            x, y = 0.0, y + LEGEND_ROW
        if classes:
            parts.append(
                f'<g class="{classes}"><rect x="{number(x)}" y="{number(y)}" '
                f'width="{number(SWATCH)}" height="{number(SWATCH)}" rx="2"/></g>'
            )
        if name:
            parts.append(
                f'<text class="note quiet" x="{number(x + space)}" y="{number(y + 9.5)}">{escape(name)}</text>'
            )
        x += needed
    return parts, y + LEGEND_ROW
