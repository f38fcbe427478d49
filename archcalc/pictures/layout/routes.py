"""Where ranks stand along the way from input to output, and the line of each edge through them."""

from __future__ import annotations

from dataclasses import dataclass

from archcalc.pictures.layout.channels import SAME, tracks
from archcalc.pictures.layout.columns import place
from archcalc.pictures.layout.level import Level, Link

Point = tuple[float, float]

GAP = 26.0
"""Between two ranks with nothing but straight lines between them."""

TRACK = 9.0
ARROW = 17.0
"""Between the last track and the boxes: room for a rounded corner and the head of an arrow."""


LEAVING = 10.0
"""Between the last boxes or track and the frame of a module, where no arrow ends."""


@dataclass(frozen=True, slots=True)
class Line:
    """The way of an edge, across and along, from box to box; one into a box of its own level ends in an arrow."""

    points: tuple[Point, ...]
    has_arrow: bool


def lay_out(level: Level, caption: float, title: float = 0.0, least: float = 0.0) -> tuple[list[Line], float]:
    """Place the nodes of a level; the line of each edge, and the length of the whole.

    `caption` is the room that a text at an output takes along, `title` what the module's own name takes before its
    first rank, `least` the least length of the whole.
    """
    place(level)
    thickness = [max((node.length for node in rank), default=0.0) for rank in level.ranks]
    leaf = max((node.length for node in level.nodes if node.is_box and not node.is_frame), default=0.0)
    along = title + LEAVING if title and not level.entries else 0.0
    starts: list[tuple[float, float]] = []
    for number, rank in enumerate(level.ranks):
        for node in rank:
            room = min(thickness[number], leaf) if not node.is_frame else node.length
            node.along = along + max(0.0, room - node.length) / 2
            if node.tensor is not None or not node.is_box:
                node.along, node.length = along, thickness[number]
        along += thickness[number]
        if number == len(level.ranks) - 1:
            break
        count = tracks(level.channels[number], level.ranks[number + 1])
        lead = caption if any(node.caption for node in rank) else 0.0
        if number == 0 and level.entries:
            lead = max(lead, title)
        is_last = number == len(level.ranks) - 2 and level.exits
        head, gap = (LEAVING, LEAVING) if is_last else (ARROW, GAP)
        room = max(gap, lead + head, lead + 8 + TRACK * (count - 1) + head if count else 0.0)
        if number == len(level.ranks) - 2 and along + room + thickness[-1] < least:
            room = least - along - thickness[-1]
        starts.append((along + lead + 8, along + room))
        along += room
    for number, links in enumerate(level.channels[:-1]):
        for link in links:
            if link.bend is not None:
                link.bend = starts[number][0] + TRACK * link.bend
    if not level.exits and title:
        along += LEAVING
    return [_line(way) for way in level.ways], max(along, least)


def _line(way: list[Link]) -> Line:
    first, last = way[0], way[-1]
    points: list[Point] = [(first.start, first.source.along + first.source.length)]
    for link in way:
        if link.bend is not None:
            points += [(link.start, link.bend), (link.end, link.bend)]
    target = last.target
    if last.from_side:
        middle = target.along + target.length / 2
        edge = target.across + (target.half if last.start > target.across else -target.half)
        points += [(last.start, middle), (edge, middle)]
    else:
        points.append((last.end, target.along))
    return Line(tuple(_straightened(points)), target.is_box and not target.is_frame)


def _straightened(points: list[Point]) -> list[Point]:
    """Without the points at which the line does not turn."""
    kept: list[Point] = []
    for x, y in points:
        point = (kept[-1][0] if kept and abs(x - kept[-1][0]) < SAME else x, y)
        if kept and abs(point[0] - kept[-1][0]) < SAME and abs(point[1] - kept[-1][1]) < SAME:
            continue
        if len(kept) > 1 and any(
            abs(kept[-2][axis] - kept[-1][axis]) < SAME and abs(kept[-1][axis] - point[axis]) < SAME for axis in (0, 1)
        ):
            kept[-1] = point
        else:
            kept.append(point)
    return kept
