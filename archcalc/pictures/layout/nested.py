"""The whole layout, from the inside out: each open module is laid out by itself and is a box in the one around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archcalc.pictures.choices import Direction
from archcalc.pictures.graph import OUTSIDE, Box
from archcalc.pictures.layout import sizes
from archcalc.pictures.layout.level import Node, level
from archcalc.pictures.layout.routes import Line, Point, lay_out
from archcalc.pictures.text import width

INSET = 13.0
"""Between a module's frame and what is in it."""

TITLE = 24.0
"""The height of a module's name within its frame."""


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A box on the page, in pixels from the left upper corner."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Placed:
    """A box where it is drawn; `title` is where an open module's name begins. `depth` counts the modules around it."""

    box: Box
    rectangle: Rectangle
    depth: int
    parent: str
    title: Point = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Route:
    """The line of an edge on the page, from border to border.

    `source` and `target` are ids of boxes, of a frame where it ends at one. `tensor` is the same for all lines of one
    tensor within a module.
    """

    source: str
    target: str
    tensor: str
    points: tuple[Point, ...]
    has_arrow: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything is: boxes from the outside in, the lines between them, and the size of it all."""

    width: float
    height: float
    direction: Direction
    boxes: tuple[Placed, ...]
    routes: tuple[Route, ...]


@dataclass(slots=True)
class _Laid:
    """A module laid out by itself, in coordinates across and along of its own."""

    box: Box
    nodes: list[Node]
    inner: list[_Laid | None]
    lines: list[Line]
    left: float
    right: float
    length: float
    ins: tuple[float, ...] = ()
    outs: tuple[float, ...] = ()
    title: float = 0.0


def layout(picture: Box, direction: Direction = Direction.down) -> Layout:
    """The layout of a picture's graph (see build.graph)."""
    has_details = any(box.detail and not sizes.is_pill(box) for box in picture.walk())
    laid = _Composer(direction, has_details).module(picture, is_root=True)
    page = _Page(direction)
    page.module(laid, -laid.left, 0.0, 0)
    across, along = laid.right - laid.left, laid.length
    down = direction == Direction.down
    return Layout(
        across if down else along,
        along if down else across,
        direction,
        tuple(page.boxes),
        tuple(page.routes),
    )


class _Composer:
    def __init__(self, direction: Direction, has_details: bool) -> None:
        self.down, self.has_details = direction == Direction.down, has_details

    def module(self, box: Box, *, is_root: bool = False) -> _Laid:
        """An open module and all in it."""
        common = sizes.common_width(box.children)
        inner = [self.module(child) if child.is_open else None for child in box.children]
        nodes = [
            self._leaf(child, number, common) if within is None else self._frame(child, number, within)
            for number, (child, within) in enumerate(zip(box.children, inner, strict=True))
        ]
        placed = level(nodes, box.edges)
        name = 0.0 if is_root else width("".join(sizes.texts(box)[:1]), sizes.DETAIL + 1) + 4
        if self.down:
            lines, length = lay_out(placed, sizes.CAPTION, title=0.0 if is_root else TITLE)
        else:
            lines, length = lay_out(placed, 0.0, least=name + 2 * INSET)
        left = min((node.across - node.before for node in placed.nodes), default=0.0)
        right = max((node.across + node.after for node in placed.nodes), default=0.0)
        laid = _Laid(box, nodes, inner, lines, left, right, length)
        if not is_root:
            laid.ins = tuple(placed.entries[at].across if at in placed.entries else 0.0 for at in range(box.inputs))
            laid.outs = tuple(placed.exits[at].across if at in placed.exits else 0.0 for at in range(box.outputs))
            laid.left -= INSET if self.down else TITLE
            laid.right += INSET
            if self.down:
                _find_room_for_title(laid, name, sorted(node.across for node in placed.entries.values()))
        return laid

    def _leaf(self, box: Box, order: int, common: float) -> Node:
        wide = common if sizes.shares_width(box) else sizes.needed_width(box)
        high = sizes.height(box, self.has_details)
        caption = width(box.shape, sizes.DETAIL) if box.shape else 0.0
        if self.down:
            half, length, before, after = wide / 2, high, wide / 2, max(wide / 2, caption + 9 if caption else 0.0)
        else:
            half, length = high / 2, max(wide, caption)
            before, after = half + (sizes.CAPTION if caption else 0.0), half
        step = min(12.0, max(0.0, 2 * half - 16) / max(1, box.outputs - 1))
        outs = tuple((at - (box.outputs - 1) / 2) * step for at in range(box.outputs))
        return Node(
            order,
            before,
            after,
            half,
            length,
            outs=outs or (0.0,),
            is_box=True,
            is_input=box.kind == "input",
            elementwise=box.elementwise,
            caption=bool(caption),
        )

    def _frame(self, box: Box, order: int, laid: _Laid) -> Node:
        return Node(
            order,
            -laid.left,
            laid.right,
            length=laid.length,
            ins=laid.ins,
            outs=laid.outs or (0.0,),
            is_box=True,
            is_frame=True,
        )


def _find_room_for_title(laid: _Laid, name: float, entries: Sequence[float]) -> None:
    """Put a module's name between the lines that enter its frame; the frame grows to the right if there is no room."""
    start = laid.left + 9
    for entry in entries:
        if start + name < entry - 4:
            break
        start = entry + 9
    laid.title = start
    laid.right = max(laid.right, start + name + 4)


class _Page:
    """Collects what is laid out in coordinates of the page."""

    def __init__(self, direction: Direction) -> None:
        self.down = direction == Direction.down
        self.boxes: list[Placed] = []
        self.routes: list[Route] = []

    def point(self, across: float, along: float) -> Point:
        """A place on the page, to a hundredth of a pixel."""
        x, y = (across, along) if self.down else (along, across)
        return round(x, 2), round(y, 2)

    def _rectangle(self, across: float, along: float, thickness: float, length: float) -> Rectangle:
        x, y = self.point(across, along)
        wide, high = self.point(thickness, length)
        return Rectangle(x, y, wide, high)

    def module(self, laid: _Laid, across: float, along: float, depth: int) -> None:
        """All in a module whose axis is at `across` and which begins at `along`."""
        around = laid.box
        for node, box, inner in zip(laid.nodes, around.children, laid.inner, strict=True):
            axis, start = across + node.across, along + node.along
            if inner is None:
                place = self._leaf(box, node, axis, start)
                self.boxes.append(Placed(box, place, depth, around.id))
                continue
            place = self._rectangle(axis + inner.left, start, inner.right - inner.left, inner.length)
            title = (axis + inner.title, place.y + 16) if self.down else (place.x + 9, place.y + 16)
            self.boxes.append(Placed(box, place, depth, around.id, (round(title[0], 2), title[1])))
            self.module(inner, axis, start, depth + 1)
        for edge, line in zip(around.edges, laid.lines, strict=True):
            points = tuple(self.point(across + each[0], along + each[1]) for each in line.points)
            tensor = f"{around.id}:{edge.source[0]}:{edge.source[1]}"
            self.routes.append(
                Route(_end(around, edge.source[0]), _end(around, edge.target[0]), tensor, points, line.has_arrow)
            )

    def _leaf(self, box: Box, node: Node, axis: float, start: float) -> Rectangle:
        return self._rectangle(axis - node.half, start, 2 * node.half, node.length)


def _end(around: Box, number: int) -> str:
    return around.id if number == OUTSIDE else around.children[number].id
