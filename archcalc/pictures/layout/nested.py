"""The whole layout, from the inside out: each open module is laid out by itself and is a box in the one around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archcalc.pictures.choices import Direction
from archcalc.pictures.graph import OUTSIDE, Box, Place
from archcalc.pictures.layout import sizes
from archcalc.pictures.layout.level import Node, level
from archcalc.pictures.layout.routes import Line, Point, lay_out
from archcalc.pictures.text import width

INSET = 13.0
"""Between a module's frame and what is in it."""

BESIDE_LINE = 6.0
"""Between a line and the text beside it."""

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
    """A box where it is drawn, within the module whose id is `parent`.

    `text` is where the text beside it begins, or has its middle where the picture runs to the right: an open module's
    name, or the shape at a box's output.
    """

    box: Box
    rectangle: Rectangle
    parent: str
    text: Point


@dataclass(frozen=True, slots=True)
class Route:
    """The line of an edge on the page, from border to border.

    `source` and `target` are ids of boxes within the module `around`, or its own; `tensor` is the source's output.
    """

    around: str
    source: str
    target: str
    tensor: Place
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
    laid = _Composer(direction, picture).module(picture, is_root=True)
    page = _Page(direction)
    page.module(laid, -laid.left, 0.0)
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
    def __init__(self, direction: Direction, picture: Box) -> None:
        self.down = direction == Direction.down
        self.has_details = any(box.detail and not sizes.is_pill(box) for box in picture.walk())
        calls = [box for box in picture.walk() if box.kind != "module"]
        self.usual = min(sizes.common_width(calls), sizes.USUAL) if self.down else 0.0

    def module(self, box: Box, *, is_root: bool = False, main: int = 0) -> _Laid:
        """An open module and all in it; `main` is the input that continues the main line around it."""
        common = max(self.usual, sizes.common_width(box.children)) if self.down else 0.0
        mains = _main_inputs(box)
        inner = [
            self.module(child, main=mains.get(number, 0)) if child.is_open else None
            for number, child in enumerate(box.children)
        ]
        nodes = [
            self._leaf(child, number, common) if within is None else self._frame(child, number, within)
            for number, (child, within) in enumerate(zip(box.children, inner, strict=True))
        ]
        placed = level(nodes, box.edges, main)
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
        wide = common if common and sizes.shares_width(box) else sizes.needed_width(box)
        high = sizes.height(box, self.has_details)
        caption = width(box.shape, sizes.DETAIL) if box.shape else 0.0
        if self.down:
            half, length, before, after = wide / 2, high, wide / 2, wide / 2
        else:
            half, length = high / 2, max(wide, caption)
            before, after = half + (sizes.CAPTION if caption else 0.0), half
        step = min(12.0, max(0.0, 2 * half - 16) / max(1, box.outputs - 1))
        outs = tuple((at - (box.outputs - 1) / 2) * step for at in range(box.outputs))
        if self.down and caption:
            after = max(after, outs[-1] + BESIDE_LINE + caption + 3)
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


def _main_inputs(around: Box) -> dict[int, int]:
    """For each box in a module, by its number, the input that comes from the last of the boxes before it."""
    mains: dict[int, int] = {}
    latest: dict[int, int] = {}
    for edge in around.edges:
        target, taken = edge.target
        if edge.source[0] > latest.get(target, OUTSIDE - 1):
            latest[target], mains[target] = edge.source[0], taken
    return mains


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
        return _rounded((across, along) if self.down else (along, across))

    def _rectangle(self, across: float, along: float, thickness: float, length: float) -> Rectangle:
        x, y = self.point(across, along)
        wide, high = self.point(thickness, length)
        return Rectangle(x, y, wide, high)

    def module(self, laid: _Laid, across: float, along: float) -> None:
        """All in a module whose axis is at `across` and which begins at `along`."""
        around = laid.box
        for node, box, inner in zip(laid.nodes, around.children, laid.inner, strict=True):
            axis, start = across + node.across, along + node.along
            if inner is None:
                place = self._leaf(box, node, axis, start)
                beside = (axis + node.outs[-1] + BESIDE_LINE, place.y + place.height + 12)
                above = (place.x + place.width / 2, place.y - 4.5)
                self.boxes.append(Placed(box, place, around.id, _rounded(beside if self.down else above)))
                continue
            place = self._rectangle(axis + inner.left, start, inner.right - inner.left, inner.length)
            title = (axis + inner.title, place.y + 16) if self.down else (place.x + 9, place.y + 16)
            self.boxes.append(Placed(box, place, around.id, _rounded(title)))
            self.module(inner, axis, start)
        for edge, line in zip(around.edges, laid.lines, strict=True):
            points = tuple(self.point(across + each[0], along + each[1]) for each in line.points)
            source, target = _end(around, edge.source[0]), _end(around, edge.target[0])
            self.routes.append(Route(around.id, source, target, edge.source, points, line.has_arrow))

    def _leaf(self, box: Box, node: Node, axis: float, start: float) -> Rectangle:
        return self._rectangle(axis - node.half, start, 2 * node.half, node.length)


def _rounded(place: Point) -> Point:
    return round(place[0], 2), round(place[1], 2)


def _end(around: Box, number: int) -> str:
    return around.id if number == OUTSIDE else around.children[number].id
