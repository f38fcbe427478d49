"""A long picture in several rows, or columns where it runs down, cut where one tensor alone passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from archcalc.pictures.choices import Direction
from archcalc.pictures.layout import sizes
from archcalc.pictures.layout.nested import BESIDE_LINE, Layout, Placed, Rectangle, Route
from archcalc.pictures.layout.routes import Point
from archcalc.pictures.text import width

LONGEST = 1600
"""Pixels of a row by default, in a picture that runs to the right."""

BETWEEN = 44.0
"""Between two rows; the line from one to the next runs in the middle."""

TURN = 14.0
"""From the end of a row to where the line turns back; a picture that runs down has the text at an output there, too."""

LEAD = 28.0
"""From where the line enters a row to its first box: room for a rounded corner and the head of the arrow."""


@dataclass(slots=True)
class _Piece:
    """What lies between two places where the picture may be cut: outermost boxes, from `start` to `end` along."""

    boxes: list[Placed]
    start: float
    end: float
    next: Route | None = None


def wrapped(drawn: Layout, longest: float) -> Layout:
    """The layout in as few rows of at most that many pixels as there are, as equal as can be; columns if it runs down.

    A part that no place to cut divides stays whole, however long it is; one that is more than half of the picture, such
    as a U-Net between its first and last skip, leaves the picture in one row.
    """
    pieces = _pieces(drawn)
    rows = _rows(pieces, longest)
    whole = max((piece.end - piece.start for piece in pieces), default=0.0)
    if len(rows) <= 1 or 2 * whole > max(drawn.width, drawn.height):
        return drawn
    return _Wrapper(drawn).stacked(_evened(pieces, longest, len(rows)))


def _pieces(drawn: Layout) -> list[_Piece]:
    """The outermost boxes, cut wherever only one line passes, and that one is straight."""
    root = drawn.boxes[0].parent if drawn.boxes else ""
    boxes = sorted((placed for placed in drawn.boxes if placed.parent == root), key=lambda box: _span(drawn, box)[0])
    routes = [(route, _extent(drawn, route.points)) for route in drawn.routes if route.around == root]
    pieces: list[_Piece] = []
    for box in boxes:
        start, end = _span(drawn, box)
        if pieces and start > pieces[-1].end:
            passing = [route for route, (low, high) in routes if low < start and high > pieces[-1].end]
            if len(passing) == 1 and len(passing[0].points) == 2:
                pieces[-1].next = passing[0]
                pieces.append(_Piece([box], start, end))
                continue
        if pieces:
            pieces[-1].boxes.append(box)
            pieces[-1].end = max(pieces[-1].end, end)
        else:
            pieces.append(_Piece([box], start, end))
    return pieces


def _rows(pieces: Sequence[_Piece], longest: float) -> list[list[_Piece]]:
    """The pieces in rows, each filled as far as it goes."""
    rows: list[list[_Piece]] = []
    for piece in pieces:
        if rows and piece.end - rows[-1][0].start <= longest:
            rows[-1].append(piece)
        else:
            rows.append([piece])
    return rows


def _evened(pieces: Sequence[_Piece], longest: float, count: int) -> list[list[_Piece]]:
    """As many rows with the longest of them as short as possible, to a pixel."""
    low, high = 0.0, longest
    while high - low > 1:
        middle = (low + high) / 2
        low, high = (low, middle) if len(_rows(pieces, middle)) <= count else (middle, high)
    return _rows(pieces, high)


def _span(drawn: Layout, placed: Placed) -> tuple[float, float]:
    """From where to where a box lies along."""
    place = placed.rectangle
    if drawn.direction == Direction.down:
        return place.y, place.y + place.height
    return place.x, place.x + place.width


def _extent(drawn: Layout, points: Sequence[Point]) -> tuple[float, float]:
    """From where to where a line runs along."""
    along = [point[1 if drawn.direction == Direction.down else 0] for point in points]
    return min(along), max(along)


class _Wrapper:
    """Moves what is in a row, and draws the lines from row to row."""

    def __init__(self, drawn: Layout) -> None:
        self.drawn, self.down = drawn, drawn.direction == Direction.down
        self.turn = TURN + (sizes.CAPTION if self.down else 0.0)
        self.parents = {placed.box.id: placed.parent for placed in drawn.boxes}
        self.root = drawn.boxes[0].parent

    def stacked(self, rows: Sequence[Sequence[_Piece]]) -> Layout:
        """The layout with these rows one beside the other."""
        row_of = {box.box.id: number for number, row in enumerate(rows) for piece in row for box in piece.boxes}
        cut = {id(row[-1].next): number for number, row in enumerate(rows[:-1])}
        inner = [route for route in self.drawn.routes if id(route) not in cut]
        bounds = [self._bounds(number, row_of, inner) for number in range(len(rows))]
        shifts: list[Point] = []
        ends: list[float] = []
        edge = 0.0
        for number, (row, (low, high)) in enumerate(zip(rows, bounds, strict=True)):
            along = (LEAD if number else 0.0) - row[0].start
            shifts.append((edge - low, along))
            ends.append(row[-1].end + along)
            edge += high - low + BETWEEN
        middles = [high + shift[0] + BETWEEN / 2 for (_, high), shift in zip(bounds, shifts, strict=True)]
        boxes = tuple(self._box(placed, shifts[row_of[self._outermost(placed.box.id)]]) for placed in self.drawn.boxes)
        routes = []
        for route in self.drawn.routes:
            at = row_of[self._outermost(route.source if route.around == self.root else route.around)]
            if id(route) in cut:
                routes.append(self._turning(route, shifts[at], shifts[at + 1], ends[at], middles[at]))
            else:
                routes.append(replace(route, points=tuple(self._moved(point, shifts[at]) for point in route.points)))
        size = self._point(edge - BETWEEN, max(*(end + self.turn for end in ends[:-1]), ends[-1]))
        return Layout(*size, self.drawn.direction, boxes, tuple(routes))

    def _outermost(self, ident: str) -> str:
        """The box of the outermost level that holds a box, or the box itself."""
        while self.parents[ident] != self.root:
            ident = self.parents[ident]
        return ident

    def _bounds(self, number: int, row_of: dict[str, int], routes: Sequence[Route]) -> tuple[float, float]:
        """From where to where a row lies across, with its lines and the texts beside its boxes."""
        across: list[float] = []
        for placed in self.drawn.boxes:
            if row_of[self._outermost(placed.box.id)] != number:
                continue
            place, shape = placed.rectangle, placed.box.shape
            low, _ = self._turned((place.x, place.y))
            high, _ = self._turned((place.x + place.width, place.y + place.height))
            across += [low, high]
            if shape and not placed.box.is_open:
                beside = placed.text[0] + width(shape, sizes.DETAIL) + BESIDE_LINE
                across.append(beside if self.down else low - sizes.CAPTION)
        for route in routes:
            if route.around == self.root and row_of[route.source] == number:
                across += [self._turned(point)[0] for point in route.points]
        return min(across), max(across)

    def _turning(self, route: Route, shift: Point, next_shift: Point, end: float, middle: float) -> Route:
        """A line from the end of a row, back between the two, to the beginning of the next."""
        start, target = self._turned(route.points[0]), self._turned(route.points[1])
        leaves, enters = start[0] + shift[0], target[0] + next_shift[0]
        first, last = start[1] + shift[1], target[1] + next_shift[1]
        turn, back = end + self.turn, last - LEAD
        points = [(leaves, first), (leaves, turn), (middle, turn), (middle, back), (enters, back), (enters, last)]
        return replace(route, points=tuple(self._point(*point) for point in points))

    def _box(self, placed: Placed, shift: Point) -> Placed:
        place = placed.rectangle
        x, y = self._moved((place.x, place.y), shift)
        moved = Rectangle(x, y, place.width, place.height)
        return replace(placed, rectangle=moved, text=self._moved(placed.text, shift))

    def _moved(self, point: Point, shift: Point) -> Point:
        across, along = self._turned(point)
        return self._point(across + shift[0], along + shift[1])

    def _turned(self, point: Point) -> Point:
        """A place on the page as a place across and along, or the other way round."""
        return point if self.down else (point[1], point[0])

    def _point(self, across: float, along: float) -> Point:
        x, y = self._turned((across, along))
        return round(x, 2), round(y, 2)
