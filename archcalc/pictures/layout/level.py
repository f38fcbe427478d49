"""One module's boxes in ranks: who stands how far from the input, and a lane for each tensor that passes boxes by.

Nothing here knows whether the picture runs down or to the right: `across` and `along` are meant along the ranks and
from rank to rank.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from archcalc.pictures.graph import OUTSIDE, Edge, Place


@dataclass(slots=True, eq=False)
class Node:
    """What has a place in a rank: a box, the place where a tensor enters or leaves the module, or a piece of a lane.

    A node lies at `across`, its axis, and takes up `before` and `after` of it on both sides, texts beside it included;
    lines may end on it up to `half` from the axis. `along` and `length` are its extent from rank to rank. `ins` and
    `outs` are where its tensors enter and leave, relative to the axis; a box has no `ins` where lines are free to end
    anywhere on it. `caption` is whether a text stands at its output. `tensor` is the one that a lane carries.
    """

    order: int
    before: float = 0.0
    after: float = 0.0
    half: float = 0.0
    length: float = 0.0
    ins: tuple[float, ...] | None = None
    outs: tuple[float, ...] = (0.0,)
    is_box: bool = False
    is_frame: bool = False
    is_input: bool = False
    elementwise: bool = False
    caption: bool = False
    tensor: Place | None = None
    from_input: bool = True
    rank: int = 0
    across: float = 0.0
    along: float = 0.0
    preds: list[Node] = field(default_factory=list)
    succs: list[Node] = field(default_factory=list)
    merges: bool = False


@dataclass(slots=True, eq=False)
class Link:
    """A piece of a tensor's way from a node to one in the next rank; `output` and `input` are places on them."""

    source: Node
    target: Node
    output: int
    input: int
    tensor: Place
    start: float = 0.0
    end: float = 0.0
    bend: float | None = None
    from_side: bool = False


@dataclass(slots=True)
class Level:
    """The nodes of one module, rank by rank, the links between ranks, and for each edge the links on its way."""

    nodes: list[Node]
    ranks: list[list[Node]]
    channels: list[list[Link]]
    ways: list[list[Link]]
    entries: dict[int, Node]
    exits: dict[int, Node]


def level(boxes: Sequence[Node], edges: Sequence[Edge], main: int = 0) -> Level:
    """Boxes, given in forward order, and the edges between them in ranks; `main` is the input on the main line."""
    inputs = sorted({edge.source[1] for edge in edges if edge.source[0] == OUTSIDE})
    entries = {at: Node(-2 if at == main else -1) for at in inputs}
    exits = {
        at: Node(len(boxes) + at) for at in sorted({edge.target[1] for edge in edges if edge.target[0] == OUTSIDE})
    }
    ends = [
        (
            entries[edge.source[1]] if edge.source[0] == OUTSIDE else boxes[edge.source[0]],
            exits[edge.target[1]] if edge.target[0] == OUTSIDE else boxes[edge.target[0]],
        )
        for edge in edges
    ]
    _rank(boxes, list(entries.values()), list(exits.values()), ends)
    lanes: dict[tuple[Place, int], Node] = {}
    channels: dict[int, dict[tuple[Node, Node, int, int], Link]] = {}
    ways = []
    for edge, (source, target) in zip(edges, ends, strict=True):
        output = 0 if edge.source[0] == OUTSIDE else edge.source[1]
        entry = 0 if edge.target[0] == OUTSIDE else edge.target[1]
        stops = [source]
        for rank in range(source.rank + 1, target.rank):
            lane = lanes.get((edge.source, rank))
            if lane is None:
                lane = Node(source.order, tensor=edge.source, rank=rank, from_input=source.from_input)
                lanes[edge.source, rank] = lane
            stops.append(lane)
        stops.append(target)
        way = []
        for rank, (first, second) in enumerate(pairwise(stops), start=source.rank):
            key = (first, second, output if first is source else 0, entry if second is target else 0)
            channel = channels.setdefault(rank, {})
            if key not in channel:
                channel[key] = Link(*key, tensor=edge.source)
                first.succs.append(second)
                second.preds.append(first)
            way.append(channel[key])
        ways.append(way)
    nodes = [*entries.values(), *boxes, *lanes.values(), *exits.values()]
    count = 1 + max((node.rank for node in nodes), default=-1)
    ranks: list[list[Node]] = [[] for _ in range(count)]
    for node in nodes:
        ranks[node.rank].append(node)
    pieces = [list(channels.get(rank, {}).values()) for rank in range(count)]
    return Level(nodes, ranks, pieces, ways, entries, exits)


def _rank(boxes: Sequence[Node], entries: Sequence[Node], exits: Sequence[Node], ends: list[tuple[Node, Node]]) -> None:
    """Each box one rank below the last of those that it reads; what comes from no input as late as it can."""
    before: dict[Node, list[Node]] = {}
    behind: dict[Node, list[Node]] = {}
    for source, target in ends:
        before.setdefault(target, []).append(source)
        behind.setdefault(source, []).append(target)
    first = 1 if entries else 0
    for box in boxes:
        sources = before.get(box, [])
        box.rank = max((source.rank + 1 for source in sources), default=first)
        box.from_input = box.is_input or any(source.from_input for source in sources)
    last = max((box.rank for box in boxes), default=first - 1) + 1
    for node in exits:
        node.rank = last
    for box in reversed(boxes):
        if not box.from_input and box in behind:
            box.rank = max(box.rank, min(target.rank for target in behind[box]) - 1)
