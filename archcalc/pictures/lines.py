"""Lines of a picture as SVG paths: rounded corners, and the heads of arrows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from archcalc.pictures.layout.nested import Route
from archcalc.pictures.layout.routes import Point

RADIUS = 7.0
HEAD = 7.0
"""The length of an arrow's head; it is as wide as that."""


def number(value: float) -> str:
    """A coordinate with no more digits than it needs."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def point(place: Point) -> str:
    """Both coordinates of a point."""
    return f"{number(place[0])} {number(place[1])}"


def path(routes: Iterable[Route]) -> str:
    """One path for several lines, so that where they lie on each other no line gets darker."""
    return "".join(dict.fromkeys(_rounded(_before_head(route)) for route in routes))


def heads(routes: Iterable[Route]) -> str:
    """The heads of all arrows, each once."""
    return "".join(dict.fromkeys(_head(route.points) for route in routes if route.has_arrow))


def _unit(start: Point, end: Point) -> tuple[Point, float]:
    length = abs(end[0] - start[0]) + abs(end[1] - start[1])
    return ((end[0] - start[0]) / length, (end[1] - start[1]) / length) if length else (0.0, 0.0), length


def _before_head(route: Route) -> Sequence[Point]:
    """The points, the last one moved back into the arrow's head, where there is one."""
    if not route.has_arrow:
        return route.points
    (dx, dy), _ = _unit(*route.points[-2:])
    x, y = route.points[-1]
    return (*route.points[:-1], (x - dx * HEAD / 2, y - dy * HEAD / 2))


def _rounded(points: Sequence[Point]) -> str:
    parts = [f"M{point(points[0])}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        (dx, dy), length = _unit(before, corner)
        (ex, ey), following = _unit(corner, after)
        radius = min(RADIUS, length / 2, following / 2)
        start = (corner[0] - dx * radius, corner[1] - dy * radius)
        end = (corner[0] + ex * radius, corner[1] + ey * radius)
        parts.append(f"L{point(start)}Q{point(corner)} {point(end)}")
    parts.append(f"L{point(points[-1])}")
    return "".join(parts)


def _head(points: Sequence[Point]) -> str:
    (dx, dy), _ = _unit(*points[-2:])
    x, y = points[-1]
    back, side = (x - dx * HEAD, y - dy * HEAD), (dy * HEAD / 2, dx * HEAD / 2)
    left, right = (back[0] + side[0], back[1] + side[1]), (back[0] - side[0], back[1] - side[1])
    return f"M{point((x, y))}L{point(left)}L{point(right)}Z"
