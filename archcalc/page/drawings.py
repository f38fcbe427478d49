"""Drawings of the report: the network's own, and one for each module that a click can open."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from html import unescape

from markupsafe import Markup, escape

from archcalc.formats.safe import one_line
from archcalc.page.derivations import Lines, of_rows
from archcalc.pictures.choices import Colour
from archcalc.pictures.drawing import Drawing, drawing
from archcalc.pictures.graph import KINDS, Box
from archcalc.pictures.measures import Measure, measure, shade
from archcalc.values.benchmark import Benchmark
from archcalc.values.errors import UsageError
from archcalc.values.report import Report
from archcalc.values.trace import Trace

COLOURS = (Colour.params, Colour.macs, Colour.time, Colour.saved_bytes, Colour.receptive_field)
"""What the boxes can be coloured by, beside their kind."""

MODULE_BYTES = 180_000
"""Room for the pictures of one network's modules; those that are reached by the most clicks are left out."""


@dataclass(frozen=True, slots=True)
class Picture:
    """The drawing of the module at `path`, "" for the whole network, and how its totals come about."""

    path: str
    svg: Markup
    about: Lines


@dataclass(frozen=True, slots=True)
class Album:
    """All drawings of one network, its own first.

    `colours` are what boxes can be coloured by, as pairs of a key and what a person reads; `kinds` are those of the
    boxes, and `rows` the numbers of the report's rows that boxes stand for one by one.
    """

    pictures: tuple[Picture, ...]
    colours: tuple[tuple[str, str], ...]
    kinds: tuple[str, ...]
    rows: tuple[int, ...]


def album(report: Report, trace: Trace | None, prefix: str, benchmark: Benchmark | None = None) -> Album:
    """The network's drawing and those of its modules; a box that opens one of them has `data-module`.

    The ids in them begin with `prefix`. A benchmark that has timed the network's layers adds the colours of time.
    """
    root = drawing(report, trace)
    root = replace(root, style=replace(root.style, with_style=False, with_page=False, header=False, legend=False))
    measures = _measures(report, benchmark)
    texts: dict[str, str] = {}
    about: dict[str, Lines] = {}
    kinds: set[str] = set()
    rows: set[int] = set()
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
        text = _measured(replace(drawn, style=replace(drawn.style, prefix=f"{prefix}-{len(texts)}")), boxes, measures)
        if path:
            if len(text) > room:
                continue
            room -= len(text)
        texts[path] = text
        about[path] = of_rows(report, drawn.graph.rows)
        kinds.update(box.kind for box in boxes)
        rows.update(row for box in boxes if box.kind != "module" for row in box.rows)
        waiting.extend(box.path for box in boxes if box.kind == "module")
    names = {one_line(path) for path in texts}
    return Album(
        tuple(Picture(one_line(path), Markup(_openable(text, names)), about[path]) for path, text in texts.items()),
        (("kind", "kind"), *((_key(shown), shown.title) for shown in measures)),
        tuple(kind for kind in KINDS if kind in kinds and kind not in ("input", "output")),
        tuple(sorted(rows)),
    )


def _measures(report: Report, benchmark: Benchmark | None) -> list[Measure]:
    """The measures that are known of the network."""
    measures = []
    for colour in COLOURS:
        try:
            shown = measure(report, colour, benchmark)
        except UsageError:  # the backward pass was not followed, or its layers were not timed
            continue
        if shown is not None:
            measures.append(shown)
    return measures


def _key(shown: Measure) -> str:
    return shown.colour.replace("_", "-")


def _measured(drawn: Drawing, boxes: list[Box], measures: Iterable[Measure]) -> str:
    """The SVG with what the page's script needs in attributes.

    A box of calls has their numbers in `data-rows`; each has the shade of a measure in `data-params` and the like. The
    picture has the measure's largest value in `data-most-params`.
    """
    attributes = [""] * len(boxes)
    whole = ""
    for shown in measures:
        values = [shown.of(box) for box in boxes]
        most = max((value for value in values if value is not None), default=0.0)
        whole += f' data-most-{_key(shown)}="{escape(shown.text(most))}"'
        for number, value in enumerate(values):
            step = shade(value, most)
            attributes[number] += "" if step is None else f' data-{_key(shown)}="{step}"'
    for number, box in enumerate(boxes):
        if box.kind != "module":
            attributes[number] += f' data-rows="{" ".join(map(str, box.rows))}"'
    drawable = iter(text for box, text in zip(boxes, attributes, strict=True) if box.kind not in ("input", "output"))
    text = re.sub(r'<g class="k-[^"]*" data-path="[^"]*"', lambda match: match[0] + next(drawable), drawn.svg())
    return text.replace("<svg ", f"<svg{whole} ", 1)


def _openable(text: str, names: set[str]) -> str:
    """The SVG in which a module whose picture is not there has lost its mark."""

    def changed(match: re.Match[str]) -> str:
        return match[0] if unescape(match["path"]) in names else match["before"]

    text = re.sub(r'(?P<before><g [^>]*data-path="(?P<path>[^"]*)"[^>]*) data-module="1"', changed, text)
    return text.replace('role="img"', 'role="group"', 1)
