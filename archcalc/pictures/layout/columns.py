"""Where the nodes of a module stand across: the main line straight, branches beside it, lanes outermost.

A region of the graph is split where all ways lead through one node: those nodes stand on the region's axis. Between
two of them lie branches that do not touch each other. If several do work of their own and are joined, as in an
Inception module, they stand side by side around the axis; else the longest stays on the axis and the others stand to
its right. A region that nothing splits keeps its longest way on the axis, and the rest goes to the right of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

from archcalc.pictures.layout.level import Level, Node

BRANCH_GAP = 22.0
LANE_GAP = 14.0
EVEN = 1.3
"""Branches whose distances differ by no more than this factor are spaced evenly."""

SNAP = 14.0
"""A middle branch that is no further than this from the axis is moved onto it."""

DEEPEST = 60
"""Regions within regions; beyond that they are no longer split, which would only use up Python's stack."""

Positions = dict[Node, float]


def place(level: Level) -> None:
    """Set `across` of all nodes, the axis of the main line being 0."""
    nodes = sorted(level.nodes, key=lambda node: (node.rank, node.order))
    for node, across in _region(nodes, None, 0).items():
        node.across = across


def _region(nodes: list[Node], join: Node | None, depth: int) -> Positions:
    """The positions of nodes that are given in topological order; `join` is where their ways meet behind them."""
    cuts = _cuts(nodes) if depth < DEEPEST else []
    if not cuts:
        branches = _components(nodes)
        return _side_by_side(branches, join, depth) if len(branches) > 1 else _peeled(nodes, join, depth)
    positions: Positions = {}
    start = 0
    numbers = {node: number for number, node in enumerate(nodes)}
    for cut in [*cuts, None]:
        end = len(nodes) if cut is None else numbers[cut]
        if end > start:
            positions |= _side_by_side(_components(nodes[start:end]), cut or join, depth)
        if cut is not None:
            positions[cut] = 0.0
            start = end + 1
    return positions


def _cuts(nodes: Sequence[Node]) -> list[Node]:
    """The nodes that every way through the region leads through.

    In topological order such a node is one into which all ways lead that are open before it.
    """
    inside = set(nodes)
    ends = {node: (_in_degree(node, inside), _out_degree(node, inside)) for node in nodes}
    opened = sum(1 for node in nodes if not node.preds or any(pred not in inside for pred in node.preds))
    cuts = []
    for node in nodes:
        into, out = ends[node]
        if into == opened:
            cuts.append(node)
        opened += out - into
    return cuts


def _in_degree(node: Node, inside: set[Node]) -> int:
    within = sum(pred in inside for pred in node.preds)
    return within + (within < len(node.preds) or not node.preds)


def _out_degree(node: Node, inside: set[Node]) -> int:
    within = sum(succ in inside for succ in node.succs)
    return within + (within < len(node.succs) or not node.succs)


def _components(nodes: Sequence[Node]) -> list[list[Node]]:
    """The parts of a region that no edge connects, each in topological order, sorted by their first box."""
    inside = set(nodes)
    number: dict[Node, int] = {}
    for start in nodes:
        if start in number:
            continue
        mine = len(number)
        left = [start]
        number[start] = mine
        while left:
            node = left.pop()
            for other in (*node.preds, *node.succs):
                if other in inside and other not in number:
                    number[other] = mine
                    left.append(other)
    parts: dict[int, list[Node]] = {}
    for node in nodes:
        parts.setdefault(number[node], []).append(node)
    return sorted(parts.values(), key=_order)


def _order(nodes: Sequence[Node]) -> tuple[bool, int]:
    boxes = [node.order for node in nodes if node.is_box]
    return (not boxes, min(boxes or (node.order for node in nodes)))


def _boxes_on_longest_way(nodes: Sequence[Node]) -> dict[Node, int]:
    """For each node the boxes on the longest way to it, itself included."""
    longest: dict[Node, int] = {}
    for node in nodes:
        longest[node] = node.is_box + max((longest[pred] for pred in node.preds if pred in longest), default=0)
    return longest


def _side_by_side(branches: list[list[Node]], join: Node | None, depth: int) -> Positions:
    """Branches that do not touch, around the axis or beside the longest of them."""
    if len(branches) == 1:
        return _region(branches[0], join, depth + 1)
    lengths = [max(_boxes_on_longest_way(branch).values()) for branch in branches]
    numbers = range(len(branches))
    working = [at for at in numbers if lengths[at] and any(node.from_input for node in branches[at])]
    middle = working or [max(numbers, key=lambda at: (any(node.from_input for node in branches[at]), lengths[at], -at))]
    if len(middle) > 1 and not _is_balanced(join, [lengths[at] for at in middle]):
        middle = [max(middle, key=lambda at: (lengths[at], -at))]
    placed = [_region(branches[at], join, depth + 1) for at in middle]
    positions = placed[0] if len(placed) == 1 else _centred(placed)
    if len(placed) > 1 and join is not None:
        join.merges = True
    beside = sorted(set(numbers).difference(middle))
    return _with_sides(positions, [branches[at] for at in beside], join, depth)


def _is_balanced(join: Node | None, lengths: list[int]) -> bool:
    """Whether branches are drawn around the axis: those of a concatenation, and equal ones of a sum or product."""
    if join is None or not join.is_box:
        return False
    return len(set(lengths)) == 1 if join.elementwise else True


def _bounds(positions: Positions) -> tuple[float, float]:
    left = min(across - node.before for node, across in positions.items())
    return left, max(across + node.after for node, across in positions.items())


def _centred(placed: list[Positions]) -> Positions:
    """Branches from left to right, their first and last axes as far from the middle; similar ones evenly spaced."""
    bounds = [_bounds(positions) for positions in placed]
    steps = [right - left + BRANCH_GAP for (_, right), (left, _) in pairwise(bounds)]
    if max(steps) <= EVEN * min(steps):
        steps = [max(steps)] * len(steps)
    axes = list(accumulate(steps, initial=0.0))
    middle = (axes[0] + axes[-1]) / 2
    nearest = min(axes, key=lambda axis: abs(axis - middle))
    if abs(nearest - middle) <= SNAP:
        middle = nearest
    return {
        node: across + axis - middle
        for axis, positions in zip(axes, placed, strict=True)
        for node, across in positions.items()
    }


def _with_sides(positions: Positions, others: list[list[Node]], join: Node | None, depth: int) -> Positions:
    """Branches to the right of what is placed: short ones first, each as near as those in its ranks allow."""
    skyline: dict[int, float] = {}

    def raise_skyline(placed: Positions) -> None:
        for node, across in placed.items():
            skyline[node.rank] = max(skyline.get(node.rank, across), across + node.after)

    raise_skyline(positions)
    if join is not None:
        skyline[join.rank] = max(skyline.get(join.rank, 0.0), join.after)
    for branch in sorted(others, key=lambda branch: (branch[-1].rank - branch[0].rank, _order(branch))):
        placed = _region(branch, join, depth + 1)
        left, right = _bounds(placed)
        last = max(node.rank for node in branch) + 1
        ranks = range(branch[0].rank, last + 1)  # a lane enters its target from the side, in the rank after its last
        gap = BRANCH_GAP if any(node.is_box for node in branch) else LANE_GAP
        offset = max((skyline[rank] for rank in ranks if rank in skyline), default=0.0) + gap - left
        moved = {node: across + offset for node, across in placed.items()}
        for rank in ranks:
            skyline[rank] = max(skyline.get(rank, 0.0), right + offset)
        positions |= moved
    return positions


def _peeled(nodes: list[Node], join: Node | None, depth: int) -> Positions:
    """The longest way on the axis, whatever else there is to its right."""
    longest = _boxes_on_longest_way(nodes)
    node = max(nodes, key=lambda node: (node.from_input, longest[node], node.rank, -node.order))
    way = [node]
    while preds := [pred for pred in node.preds if pred in longest]:
        node = max(preds, key=lambda pred: (longest[pred], pred.is_box, -pred.order))
        way.append(node)
    on_axis = dict.fromkeys(reversed(way), 0.0)
    rest = [node for node in nodes if node not in on_axis]
    return _with_sides(on_axis, _components(rest), join, depth)
