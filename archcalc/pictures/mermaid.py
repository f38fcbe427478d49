"""A picture as a Mermaid flowchart, which GitHub and many editors draw."""

from __future__ import annotations

from collections.abc import Iterator

from archcalc.formats.safe import one_line
from archcalc.pictures.choices import Direction
from archcalc.pictures.flat import Flat, flat
from archcalc.pictures.graph import Box
from archcalc.pictures.layout import sizes
from archcalc.pictures.theme import LIGHT, LIGHT_BOXES


def mermaid(picture: Box, direction: Direction) -> str:
    """The text of a flowchart, with a subgraph for each open module."""
    graph = flat(picture)
    lines = [f"flowchart {'TD' if direction == Direction.down else 'LR'}", *_inside(picture, graph, "  ")]
    lines += [f"  {graph.name(source)} --> {graph.name(target)}" for source, target in graph.edges]
    used = dict.fromkeys(box.kind for box in picture.walk() if not box.is_open and box.kind in LIGHT_BOXES)
    for kind in used:
        fill, border = LIGHT_BOXES[kind]
        dashed = ",stroke-dasharray:4 2" if kind == "unknown" else ""
        lines.append(f"  classDef {kind} fill:{fill},stroke:{border},color:{LIGHT['text']}{dashed}")
    return "\n".join(lines) + "\n"


def _inside(around: Box, graph: Flat, indent: str) -> Iterator[str]:
    for box in around.children:
        name, text = graph.name(box.id), _quoted(sizes.badge(box) + box.label)
        if box.is_open:
            yield f'{indent}subgraph {name}["{text}"]'
            yield from _inside(box, graph, indent + "  ")
            yield f"{indent}end"
        elif box.kind in ("input", "output"):
            yield f'{indent}{name}(["{text}"])'
        else:
            words = "<br/>".join(filter(None, (text, _quoted(box.detail), _quoted(box.shape))))
            opened, closed = ("([", "])") if sizes.is_pill(box) else ("(", ")") if box.kind == "module" else ("[", "]")
            yield f'{indent}{name}{opened}"{words}"{closed}:::{box.kind}'


def _quoted(text: str) -> str:
    """The text with Mermaid's codes for whatever is not a letter, a digit or plain punctuation in it."""
    plain = " .,:+·×–−÷/≥…_()?"
    return "".join(char if char.isalnum() or char in plain else f"#{ord(char)};" for char in one_line(text))
