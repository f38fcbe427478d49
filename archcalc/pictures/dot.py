"""A picture in Graphviz' DOT language, for those who lay it out themselves."""

from __future__ import annotations

from collections.abc import Iterator

from archcalc.formats.safe import one_line
from archcalc.pictures.choices import Direction
from archcalc.pictures.flat import Flat, flat
from archcalc.pictures.graph import Box
from archcalc.pictures.layout import sizes
from archcalc.pictures.theme import LIGHT, LIGHT_BOXES


def dot(picture: Box, direction: Direction) -> str:
    """The text of a DOT file, with a cluster for each open module."""
    graph = flat(picture)
    font = 'fontname="Helvetica,Arial,sans-serif"'
    lines = [
        f"digraph {_quoted(picture.label)} {{",
        f"  graph [rankdir={'TB' if direction == Direction.down else 'LR'}, {font}, fontsize=11];",
        f'  node [shape=box, style="rounded,filled", {font}, fontsize=12];',
        f'  edge [color="{LIGHT["line"]}", arrowsize=0.7];',
        *_inside(picture, graph, "  "),
        *(f"  {graph.name(source)} -> {graph.name(target)};" for source, target in graph.edges),
        "}",
    ]
    return "\n".join(lines) + "\n"


def _inside(around: Box, graph: Flat, indent: str) -> Iterator[str]:
    for box in around.children:
        name, text = graph.name(box.id), sizes.badge(box) + box.label
        if box.is_open:
            yield f"{indent}subgraph cluster_{name} {{"
            yield f'{indent}  label={_quoted(text)}; style="rounded,dashed"; color="{LIGHT["frame"]}";'
            yield from _inside(box, graph, indent + "  ")
            yield f"{indent}}}"
        elif box.kind in ("input", "output"):
            yield f'{indent}{name} [label={_quoted(text)}, shape=plaintext, style=""];'
        else:
            fill, border = LIGHT_BOXES[box.kind]
            words = "\n".join(filter(None, (text, box.detail, box.shape)))
            style = ', style="rounded,filled,dashed"' if box.kind == "unknown" else ""
            yield f'{indent}{name} [label={_quoted(words)}, fillcolor="{fill}", color="{border}"{style}];'


def _quoted(text: str) -> str:
    """A string of DOT; a line end becomes its escape for a centred line."""
    lines = (one_line(line).replace("\\", "\\\\").replace('"', '\\"') for line in text.split("\n"))
    return '"' + "\\n".join(lines) + '"'
