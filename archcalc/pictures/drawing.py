"""A drawing of a network: what archcalc.draw returns, which shows itself in a notebook and saves itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from archcalc.pictures.build import View, graph
from archcalc.pictures.graph import Box
from archcalc.pictures.layout.nested import Direction, Layout, layout
from archcalc.pictures.outline import Outline
from archcalc.pictures.svg import Style, svg
from archcalc.pictures.theme import Theme


@dataclass(frozen=True)
class Drawing:
    """A picture of a network, or of one of its modules."""

    outline: Outline
    view: View
    style: Style
    direction: Direction = Direction.down

    @cached_property
    def graph(self) -> Box:
        """The boxes and edges that are drawn."""
        return graph(self.outline, self.view)

    @cached_property
    def layout(self) -> Layout:
        """Where they are drawn."""
        return layout(self.graph, self.direction)

    def svg(self) -> str:
        """The text of an SVG file."""
        return svg(self.layout, self.graph, self.outline.report, self.style)
