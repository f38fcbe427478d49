"""The lines between two ranks: where they end on the boxes, and on which of several tracks they run across."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from archcalc.pictures.layout.level import Link, Node

STEP = 14.0
"""Between the ends of two lines on one box."""

CLEARANCE = 8.0
"""Between two lines on one track."""

SAME = 0.005
"""Positions that differ by no more are the same."""


@dataclass(slots=True, eq=False)
class Net:
    """Links that may lie on each other: those of one tensor, or all that lead into one box and nowhere else."""

    links: list[Link] = field(default_factory=list)
    after: set[int] = field(default_factory=set)
    must_be_after: set[int] = field(default_factory=set)
    track: int = 0

    @property
    def starts(self) -> set[float]:
        """Where its lines come from, across."""
        return {link.start for link in self.links}

    @property
    def ends(self) -> set[float]:
        """Where its lines lead, across."""
        return {link.end for link in self.links}

    @property
    def span(self) -> tuple[float, float]:
        """From where to where it runs across."""
        places = self.starts | self.ends
        return min(places), max(places)


def tracks(links: Sequence[Link], following: Sequence[Node]) -> int:
    """Set where each link between two ranks starts and ends across, and its track in `bend`; the number of tracks.

    A link into the side of a box keeps its place across and has no track, and neither has a straight one.
    """
    for link in links:
        link.start = link.source.across + link.source.outs[link.output]
        link.end = link.target.across
        if link.target.ins:
            link.end += link.target.ins[link.input]
    from_above = {link.target for link in links if abs(link.start - link.target.across) < link.target.half}
    for link in links:
        link.from_side = link.target in from_above and _may_enter_from_side(link, following)
    nets = _nets([link for link in links if not link.from_side])
    _spread_ends(nets)
    bent = [net for net in nets if any(abs(link.start - link.end) > SAME for link in net.links)]
    count = _assign_tracks(bent)
    for net in bent:
        for link in net.links:
            if abs(link.start - link.end) > SAME:
                link.bend = float(net.track)
    return count


def _may_enter_from_side(link: Link, following: Sequence[Node]) -> bool:
    """Whether a line from beside a box can run down beside it and turn into its side: nothing may stand between.

    Another line must enter the box from straight above.
    """
    target = link.target
    if not target.is_box or target.is_frame or target.merges or abs(link.start - target.across) < target.half + 6:
        return False
    low, high = sorted((link.start, target.across))
    for node in following:
        if node is target:
            continue
        if node.tensor is not None:
            if abs(node.across - link.start) < SAME and node.tensor != link.tensor:
                return False
        elif node.across - node.before < high + SAME and node.across + node.after > low - SAME:
            return False
    return True


def _nets(links: Sequence[Link]) -> list[Net]:
    """The links of one source together; those of sources that lead into one box only, together with each other."""
    by_source: dict[tuple[Node, int], list[Link]] = {}
    for link in links:
        by_source.setdefault((link.source, link.output), []).append(link)
    nets: dict[object, Net] = {}
    for (source, output), mine in by_source.items():
        target = mine[0].target
        alone = len(mine) == 1 and target.is_box and not target.is_frame
        nets.setdefault(target if alone else (source, output), Net()).links.extend(mine)
    return list(nets.values())


def _spread_ends(nets: Sequence[Net]) -> None:
    """Give each net that enters a box a place of its own on it, the one from straight above the middle."""
    starts = {net: net.starts for net in nets}
    entering: dict[Node, dict[Net, list[Link]]] = {}
    for net in nets:
        for link in net.links:
            if link.target.is_box and not link.target.is_frame:
                entering.setdefault(link.target, {}).setdefault(net, []).append(link)
    for target, links in entering.items():
        limit = max(target.half - 8, 1.0)
        nearest = {net: min((start - target.across for start in starts[net]), key=abs) for net in links}
        several = sorted(links, key=lambda net: nearest[net])
        wishes = [_wish(nearest[net], limit, alone=len(several) == 1) for net in several]
        for net, place in zip(several, _apart(wishes, limit), strict=True):
            for link in links[net]:
                link.end = target.across + place


def _wish(start: float, limit: float, *, alone: bool) -> float:
    """Where a net would end on a box, from its axis: straight below where it starts, else near or on the axis."""
    if abs(start) <= min(limit, STEP + 2):
        return start
    return 0.0 if alone else min(STEP, limit) * (1 if start > 0 else -1)


def _apart(wishes: Sequence[float], limit: float) -> list[float]:
    """Places in the order of the wishes, as near to them as the space between them and the limits allow."""
    gap = min(STEP - 2, 2 * limit / max(1, len(wishes) - 1))
    places: list[float] = []
    for wish in wishes:
        places.append(max(wish, places[-1] + gap) if places else wish)
    last = limit
    for at in range(len(places) - 1, -1, -1):
        places[at] = min(places[at], last)
        last = places[at] - gap
    return places


def _assign_tracks(nets: Sequence[Net]) -> int:
    """Number the nets' tracks from the source side, so that no two lie on each other and few cross; their number."""
    spans = [net.span for net in nets]
    for first in range(len(nets)):
        for second in range(first + 1, len(nets)):
            if spans[first][0] > spans[second][1] + CLEARANCE or spans[second][0] > spans[first][1] + CLEARANCE:
                continue
            if _lie_on_top(nets[first], nets[second]):
                nets[first].must_be_after.add(second)
            if _lie_on_top(nets[second], nets[first]):
                nets[second].must_be_after.add(first)
            if _crossings(nets[first], nets[second]) <= _crossings(nets[second], nets[first]):
                nets[second].after.add(first)
            else:
                nets[first].after.add(second)
    left = set(range(len(nets)))
    free = 0
    while left:
        # Where they go round in a circle, the one that waits for the fewest goes first.
        at = min(
            left, key=lambda number: (len(nets[number].must_be_after & left), len(nets[number].after & left), number)
        )
        left.remove(at)
        before = (nets[at].after | nets[at].must_be_after) - left
        nets[at].track = max((nets[other].track + 1 for other in before), default=0)
        for other in set(range(len(nets))) - left - {at}:
            overlaps = spans[at][0] <= spans[other][1] + CLEARANCE and spans[other][0] <= spans[at][1] + CLEARANCE
            if overlaps and nets[other].track >= nets[at].track:
                nets[at].track = nets[other].track + 1
        free = max(free, nets[at].track + 1)
    return free


def _lie_on_top(first: Net, second: Net) -> bool:
    """Whether lines of two nets would lie on each other if the first ran nearer to the sources."""
    return any(abs(start - end) < 2 for start in second.starts for end in first.ends)


def _crossings(first: Net, second: Net) -> int:
    """How often the lines of two nets cross if the first runs nearer to the sources."""
    low, high = first.span
    crossed = sum(low < place < high for place in second.starts)
    low, high = second.span
    return crossed + sum(low < place < high for place in first.ends)
