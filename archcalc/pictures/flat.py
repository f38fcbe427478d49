"""A picture's graph without its nesting, for formats that name boxes and have the edges between them in one list."""

from __future__ import annotations

from dataclasses import dataclass

from archcalc.pictures.graph import OUTSIDE, Box


@dataclass(frozen=True, slots=True)
class Flat:
    """The edges between boxes that are not open, by id and in forward order, and a plain name for each box."""

    edges: tuple[tuple[str, str], ...]
    names: dict[str, str]

    def name(self, ident: str) -> str:
        """A name of letters and digits, such as n0."""
        return self.names[ident]


def flat(picture: Box) -> Flat:
    """The same boxes and edges; an edge into or out of an open module ends at the boxes in it that it leads to."""
    names = {box.id: f"n{at}" for at, box in enumerate(picture.walk())}
    makers: dict[tuple[str, int], str] = {}
    readers: dict[tuple[str, int], list[str]] = {}

    def visit(around: Box) -> None:
        for child in around.children:
            visit(child)
            if not child.is_open:
                makers.update(((child.id, at), child.id) for at in range(child.outputs))
                readers.update(((child.id, at), [child.id]) for at in range(child.inputs))
        for edge in around.edges:
            if edge.source[0] == OUTSIDE and edge.target[0] != OUTSIDE:
                child = around.children[edge.target[0]]
                readers.setdefault((around.id, edge.source[1]), []).extend(readers.get((child.id, edge.target[1]), []))
            elif edge.target[0] == OUTSIDE and edge.source[0] != OUTSIDE:
                child = around.children[edge.source[0]]
                makers[around.id, edge.target[1]] = makers[child.id, edge.source[1]]

    visit(picture)
    edges: list[tuple[str, str]] = []
    for around in picture.walk():
        for edge in around.edges:
            if OUTSIDE in (edge.source[0], edge.target[0]):
                continue
            source, target = around.children[edge.source[0]], around.children[edge.target[0]]
            start = makers[source.id, edge.source[1]]
            edges += [(start, end) for end in readers.get((target.id, edge.target[1]), [])]
    return Flat(tuple(dict.fromkeys(edges)), names)
