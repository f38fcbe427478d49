"""Drawings of the report: the network's own, and one for each module that a click can open."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, replace
from html import escape, unescape

from markupsafe import Markup

from archcalc.formats.safe import one_line
from archcalc.pictures.choices import Colour
from archcalc.pictures.drawing import Drawing, drawing
from archcalc.pictures.graph import Box
from archcalc.pictures.measures import Measure, measure, shade
from archcalc.values.columns import COLUMNS
from archcalc.values.errors import UsageError
from archcalc.values.report import Report
from archcalc.values.trace import Trace

COLOURS = (Colour.params, Colour.macs, Colour.receptive_field)
"""What the boxes can be coloured by, beside their kind."""

MODULE_BYTES = 180_000
"""Room for the pictures of one network's modules; those that are reached by the most clicks are left out."""


@dataclass(frozen=True, slots=True)
class Picture:
    """The drawing of the module at `path`, "" for the whole network."""

    path: str
    svg: Markup


def pictures(report: Report, trace: Trace | None, prefix: str) -> list[Picture]:
    """The network's drawing and then those of its modules; a box that opens one of them has its path in `data-open`.

    The ids in them begin with `prefix`.
    """
    root = drawing(report, trace)
    root = replace(root, style=replace(root.style, with_style=False, with_page=False, header=False))
    measures = {colour: shown for colour in COLOURS if (shown := measure(report, colour)) is not None}
    texts: dict[str, str] = {}
    waiting: deque[str] = deque([""])
    room = MODULE_BYTES
    while waiting:
        path = waiting.popleft()
        if path in texts:
            continue
        drawn = root.of_module(path)
        try:
            boxes = [placed.box for placed in drawn.layout.boxes if not placed.box.is_open]
        except UsageError:  # what runs there are the calls of a module without modules of its own
            continue
        text = _coloured(replace(drawn, style=replace(drawn.style, prefix=f"{prefix}-{len(texts)}")), boxes, measures)
        if path:
            if len(text) > room:
                continue
            room -= len(text)
        texts[path] = text
        waiting.extend(box.path for box in boxes if box.kind == "module")
    names = {one_line(path) for path in texts}
    return [Picture(one_line(path), Markup(_openable(text, names))) for path, text in texts.items()]


def _coloured(drawn: Drawing, boxes: list[Box], measures: dict[Colour, Measure]) -> str:
    """The SVG, each box with the shade of each measure in `data-params` and the like."""
    attributes = [""] * len(boxes)
    for colour, shown in measures.items():
        values = [shown.of(box) for box in boxes]
        most = max((value for value in values if value is not None), default=0.0)
        for number, value in enumerate(values):
            step = shade(value, most)
            attributes[number] += "" if step is None else f' data-{colour.replace("_", "-")}="{step}"'
    drawable = iter(text for box, text in zip(boxes, attributes, strict=True) if box.kind not in ("input", "output"))
    return re.sub(r'<g class="k-[^"]*" data-path="[^"]*"', lambda match: match[0] + next(drawable), drawn.svg())


def _openable(text: str, names: set[str]) -> str:
    """The SVG in which a module whose picture is there can be reached by the keyboard; others lose their mark."""

    def changed(match: re.Match[str]) -> str:
        path = unescape(match["path"])
        if path not in names:
            return match["before"]
        label = escape(f"open {path}")
        return f'{match["before"]} data-module="1" tabindex="0" role="button" aria-label="{label}"'

    text = re.sub(r'(?P<before><g [^>]*data-path="(?P<path>[^"]*)"[^>]*) data-module="1"', changed, text)
    return text.replace('role="img"', 'role="group"', 1)


def picture_options() -> list[tuple[str, str]]:
    """The choices of colour, as pairs of a key and what a person reads."""
    return [("kind", "kind"), *((colour.replace("_", "-"), COLUMNS[colour].title) for colour in COLOURS)]
