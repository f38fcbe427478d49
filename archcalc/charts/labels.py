"""Where the labels of points go, so that none lies on another label or on a point."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import exp, hypot, log, pi, sqrt
from typing import NamedTuple

SIZE = 12
"""Font size of labels in pixels, and nearly the height of a line."""

GAP = 4
"""Pixels between a point and its label."""


class Point(NamedTuple):
    """A point to be labelled, in pixels from the upper left corner of the plot."""

    x: float
    y: float
    radius: float
    text: str


class Label(NamedTuple):
    """Where a label begins, ends or has its middle, by `align`, relative to its point."""

    dx: float
    dy: float
    align: str


class Box(NamedTuple):
    """A rectangle in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Box) -> bool:
        """Whether the two share any area."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )


def text_width(text: str) -> float:
    """The pixels that a label takes: a little more than it does in the usual sans-serif fonts."""
    return sum(0.35 if letter in "iljtf.,:;'|!-() " else 0.9 if letter in "mwMW" else 0.62 for letter in text) * SIZE


def radius(area: float) -> float:
    """The radius of a circle of so many square pixels, which is how Vega-Lite gives a point's size."""
    return sqrt(area / pi)


def place(
    points: Sequence[Point], width: float, height: float, *, taken: Sequence[Box] = (), margin: float = 0
) -> dict[int, Label]:
    """A place for the label of each point that has room for one, by the number of the point.

    The first points are served first. A label may leave the plot by `margin` at the right. A point whose label has no
    room, or whose text is empty, has none: its name is in the tooltip.
    """
    boxes = [*taken]
    circles = [_circle(point) for point in points]
    labels: dict[int, Label] = {}
    for number, point in enumerate(points):
        if not point.text:
            continue
        others = [circle for other, circle in enumerate(circles) if other != number]
        for label in _candidates(point):
            box = box_of(point, label)
            inside = box.left >= 0 and box.top >= 0 and box.right <= width + margin and box.bottom <= height
            if inside and not any(box.overlaps(other) for other in (*boxes, *others)):
                labels[number] = label
                boxes.append(box)
                break
    return labels


def box_of(point: Point, label: Label) -> Box:
    """The rectangle that a label takes."""
    wide = text_width(point.text)
    x, y = point.x + label.dx, point.y + label.dy
    left = x - {"left": 0.0, "center": wide / 2, "right": wide}[label.align]
    return Box(left, y - SIZE * 0.6, left + wide, y + SIZE * 0.6)


def leader(point: Point, label: Label) -> tuple[float, float] | None:
    """Where a line from the point to its label ends; None where the label stands right beside the point."""
    box = box_of(point, label)
    x, y = min(max(point.x, box.left), box.right), min(max(point.y, box.top), box.bottom)
    return None if hypot(x - point.x, y - point.y) < point.radius + GAP + 2 else (x, y)


def _circle(point: Point) -> Box:
    """The square in a circle that a label must leave free: corners of the square around it are empty anyway."""
    half = point.radius * 0.85
    return Box(point.x - half, point.y - half, point.x + half, point.y + half)


def _candidates(point: Point) -> Iterator[Label]:
    """Right, left, above, below, then between those, and the same again further off."""
    for further in (0, 6, 14, 26, 40):
        away = point.radius + GAP + further
        above, slanted = away + SIZE * 0.6, away * 0.72 + 2
        yield Label(away, 0, "left")
        yield Label(-away, 0, "right")
        yield Label(0, -above, "center")
        yield Label(0, above, "center")
        for dy in (-slanted - 3, slanted + 3):
            yield Label(slanted, dy, "left")
            yield Label(-slanted, dy, "right")


class Scale(NamedTuple):
    """Which pixel a value is at: `domain` at the two ends of `span`, along a logarithm or a straight line."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """The pixel of a value."""
        low, high = (log(self.low), log(self.high)) if self.log else (self.low, self.high)
        at = log(value) if self.log else value
        return self.start + (at - low) / (high - low) * (self.end - self.start)

    def value(self, pixel: float) -> float:
        """The value at a pixel."""
        low, high = (log(self.low), log(self.high)) if self.log else (self.low, self.high)
        at = low + (pixel - self.start) / (self.end - self.start) * (high - low)
        return exp(at) if self.log else at

    @property
    def spec(self) -> dict[str, object]:
        """The same scale for Vega-Lite, kept to this domain."""
        kind: dict[str, object] = {"type": "log"} if self.log else {"type": "linear"}
        return {**kind, "domain": [self.low, self.high], "nice": False, "zero": False}
