"""Whatever is drawn, however far it is opened: nothing overlaps, everything is there, no line runs over a box."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import combinations, pairwise
from typing import Any

import pytest
import torch

import archcalc
from archcalc.analysis import Analysis, analysis_of
from archcalc.pictures.build import EVERYTHING, View, graph
from archcalc.pictures.choices import Direction
from archcalc.pictures.flat import flat
from archcalc.pictures.graph import Box
from archcalc.pictures.layout import sizes
from archcalc.pictures.layout.channels import tracks
from archcalc.pictures.layout.level import Link, Node
from archcalc.pictures.layout.nested import Layout, Placed, Rectangle, Route, layout
from archcalc.pictures.layout.wrap import wrapped
from archcalc.pictures.outline import Outline, outline
from archcalc.pictures.text import width
from archcalc.values.report import Report, Source
from tests.support.drawn_nets import Crossed, TwoEnds, UNet
from tests.support.public_nets import convnext_tiny, densenet121, mobilenet_v2, vit_b_16
from tests.support.random_boxes import picture
from tests.support.random_nets import CHANNELS, network

PUBLIC = {
    "vit_b_16": vit_b_16,
    "densenet121": densenet121,
    "convnext_tiny": convnext_tiny,
    "mobilenet_v2": mobilenet_v2,
}
MADE: dict[str, tuple[Any, Any]] = {
    "unet": (UNet, (1, 1, 64, 64)),
    "two ends": (TwoEnds, [(1, 8), (1, 8)]),
    "crossed": (Crossed, (1, 4)),
}
RANDOM = range(24)


def analysis(name: str) -> Analysis:
    if name in PUBLIC:
        with torch.device("meta"):
            return analysis_of(PUBLIC[name](), (1, 3, 224, 224))
    if name in MADE:
        make, inputs = MADE[name]
        return analysis_of(make(), inputs)
    return analysis_of(name)


@cache
def known(name: str) -> Outline:
    analysed = analysis(name)
    return outline(analysed.report, analysed.trace)


def views(outlined: Outline) -> Iterator[View]:
    """Every depth down to where nothing more opens, then everything one by one."""
    before = None
    for depth in range(1, EVERYTHING):
        view = View(depth=depth)
        box = graph(outlined, view)
        if box == before:
            break
        before = box
        yield view
    yield View(depth=EVERYTHING, repeats=False)


# ---- what must hold for every picture


def check(outlined: Outline, view: View, direction: Direction) -> None:
    box = graph(outlined, view)
    check_lines_apart(check_layout(box, direction))
    check_edges(outlined.report, box)


def check_layout(box: Box, direction: Direction, wrap: float = 0) -> Layout:
    drawn = layout(box, direction)
    if wrap:
        drawn = wrapped(drawn, wrap)
    by_parent: dict[str, list[Placed]] = {}
    for placed in drawn.boxes:
        by_parent.setdefault(placed.parent, []).append(placed)
    places = {placed.box.id: placed.rectangle for placed in drawn.boxes}
    assert len(places) == len(drawn.boxes) == sum(1 for _ in box.walk()) - 1, "an id stands for two boxes"
    places[box.id] = Rectangle(0, 0, drawn.width, drawn.height)
    for parent, siblings in by_parent.items():
        check_siblings(siblings, places[parent])
    check_texts(drawn)
    check_lines(box, drawn, by_parent, places)
    return drawn


def check_siblings(siblings: list[Placed], parent: Rectangle) -> None:
    for placed in siblings:
        assert holds(parent, placed.rectangle), f"{placed.box.id} leaves its module"
    ordered = sorted(siblings, key=lambda placed: placed.rectangle.y)
    for at, placed in enumerate(ordered):
        for other in ordered[at + 1 :]:
            if other.rectangle.y >= placed.rectangle.y + placed.rectangle.height:
                break
            assert not overlap(placed.rectangle, other.rectangle), f"{placed.box.id} and {other.box.id} overlap"


def holds(outer: Rectangle, inner: Rectangle, slack: float = 0.02) -> bool:
    return (
        inner.x >= outer.x - slack
        and inner.y >= outer.y - slack
        and inner.x + inner.width <= outer.x + outer.width + slack
        and inner.y + inner.height <= outer.y + outer.height + slack
    )


def overlap(a: Rectangle, b: Rectangle) -> bool:
    return a.x < b.x + b.width and b.x < a.x + a.width and a.y < b.y + b.height and b.y < a.y + a.height


def check_texts(drawn: Layout) -> None:
    for placed in drawn.boxes:
        box, place = placed.box, placed.rectangle
        label, detail = sizes.texts(box)
        if box.is_open:
            assert place.x < placed.text[0]
            assert placed.text[0] + width(label, sizes.DETAIL + 1) <= place.x + place.width + 0.02
        elif sizes.is_pill(box):
            assert width(label, sizes.LABEL) + width(detail, sizes.DETAIL) <= place.width
        else:
            assert max(width(label, sizes.LABEL), width(detail, sizes.DETAIL)) < place.width
        caption = width(box.shape, sizes.DETAIL)
        if box.shape and not box.is_open:
            start = placed.text[0] - (0 if drawn.direction == Direction.down else caption / 2)
            assert start >= 0
            assert start + caption <= drawn.width + 0.02, f"{box.shape} leaves the picture"


def check_lines(box: Box, drawn: Layout, by_parent: dict[str, list[Placed]], places: dict[str, Rectangle]) -> None:
    open_boxes = [each for each in box.walk() if each.is_open]
    assert len(drawn.routes) == sum(len(each.edges) for each in open_boxes)
    for route in drawn.routes:
        for ident, point in ((route.source, route.points[0]), (route.target, route.points[-1])):
            assert on_border(places[ident], point), f"{route.source} to {route.target} ends beside {ident}"
        for start, end in pairwise(route.points):
            assert start[0] == end[0] or start[1] == end[1], "a line is not straight"
            for placed in by_parent[route.around]:
                assert not crosses(placed.rectangle, start, end), (
                    f"{route.source} to {route.target} over {placed.box.id}"
                )


def check_lines_apart(drawn: Layout) -> None:
    """Lines of different tensors lie on each other only on the way into the box that both lead to."""
    pieces: dict[tuple[str, int, int], list[tuple[Route, float, float]]] = {}
    for route in drawn.routes:
        for start, end in pairwise(route.points):
            axis = 0 if start[0] == end[0] else 1
            low, high = sorted((start[1 - axis], end[1 - axis]))
            pieces.setdefault((route.around, axis, round(start[axis])), []).append((route, low, high))
    for together in pieces.values():
        for (one, low, high), (other, other_low, other_high) in combinations(together, 2):
            if one.tensor != other.tensor and one.target != other.target:
                shared = min(high, other_high) - max(low, other_low)
                assert shared < 1, f"{one.source} to {one.target} lies on {other.source} to {other.target}"


def on_border(place: Rectangle, point: tuple[float, float]) -> bool:
    x, y = point
    near = 0.03
    right, bottom = place.x + place.width, place.y + place.height
    at_side = min(abs(x - place.x), abs(x - right)) < near and place.y - near <= y <= bottom + near
    at_end = min(abs(y - place.y), abs(y - bottom)) < near and place.x - near <= x <= right + near
    return at_side or at_end


def crosses(place: Rectangle, start: tuple[float, float], end: tuple[float, float]) -> bool:
    """Whether a straight line runs through the inside of a box."""
    low_x, high_x = sorted((start[0], end[0]))
    low_y, high_y = sorted((start[1], end[1]))
    inset = 0.05
    return (
        low_x < place.x + place.width - inset
        and high_x > place.x + inset
        and low_y < place.y + place.height - inset
        and high_y > place.y + inset
    )


def check_edges(report: Report, box: Box) -> None:
    """Every edge of the trace is drawn, or lies within one box, or between repetitions; and no other is drawn."""
    boxes = list(box.walk())[1:]
    innermost = {row: each for each in boxes for row in each.rows}  # the later, the deeper
    first: dict[int, int] = {}
    for each in boxes:
        if each.repeats > 1:
            once = len(each.rows) // each.repeats
            first.update((row, each.rows[at % once]) for at, row in enumerate(each.rows) if at >= once)

    def stands_for(row: int) -> str:
        while row in first and innermost[row].is_open:
            row = first[row]
        return innermost[row].id

    expected: set[tuple[str, str]] = set()
    between: set[tuple[str, str]] = set()
    inputs = {}
    for number, row in enumerate([*report.rows, None]):
        sources = report.outputs_from if row is None else row.inputs_from
        for source in sources:
            if source.origin not in ("call", "input"):
                continue
            start = f"input {source.output}" if source.row is None else stands_for(source.row)
            ends = outputs_of(report, source) if row is None else [stands_for(number)]
            for end in ends:
                repeated = row is not None and source.row is not None and runs_apart(boxes, source.row, number)
                (between if repeated else expected).add((start, end))
    order = dict.fromkeys(name for name, _ in sorted(expected) if name.startswith("input "))
    inputs = {name: f"input-{at}" for at, name in enumerate(first_read(report)) if name in order}
    wanted = {(inputs.get(start, start), end) for start, end in expected if start != end}
    assert set(flat(box).edges) == wanted


def first_read(report: Report) -> list[str]:
    sources = [source for row in report.rows for source in row.inputs_from] + list(report.outputs_from)
    return list(dict.fromkeys(f"input {source.output}" for source in sources if source.origin == "input"))


def outputs_of(report: Report, source: Source) -> list[str]:
    made = sorted(
        {
            (each.row if each.row is not None else -1, each.output)
            for each in report.outputs_from
            if each.origin in ("call", "input")
        }
    )
    return [f"output-{made.index((source.row if source.row is not None else -1, source.output))}"]


def runs_apart(boxes: list[Box], producer: int, reader: int) -> bool:
    """Whether two rows lie in different repetitions of one box."""
    for box in boxes:
        if box.repeats > 1 and producer in box.rows and reader in box.rows:
            once = len(box.rows) // box.repeats
            if box.rows.index(producer) // once != box.rows.index(reader) // once:
                return True
    return False


@pytest.mark.sweep
@pytest.mark.parametrize("direction", list(Direction))
@pytest.mark.parametrize("name", [*archcalc.names(), *PUBLIC, *MADE])
def test_every_picture_of_a_network_is_in_order(name: str, direction: Direction) -> None:
    for view in views(known(name)):
        check(known(name), view, direction)


@pytest.mark.sweep
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("seed", RANDOM)
def test_every_picture_of_a_random_network_is_in_order(seed: int) -> None:
    axes = seed % 3 + 1
    analysed = analysis_of(network(seed, axes), (1, CHANNELS, *[24] * axes))
    outlined = outline(analysed.report, analysed.trace)
    for view in views(outlined):
        for direction in Direction:
            check(outlined, view, direction)


@pytest.mark.sweep
@pytest.mark.parametrize("direction", list(Direction))
def test_the_layout_of_any_graph_is_in_order(direction: Direction) -> None:
    for seed in range(400):
        check_layout(picture(seed), direction)


def test_what_was_made_last_enters_an_open_module_on_the_main_line() -> None:
    """A layer of DenseNet reads all before it, the last of them on the axis."""
    drawn = layout(graph(known("densenet121"), View(module="4", depth=9, repeats=False)))
    points = {(route.source, route.target): route.points for route in drawn.routes}
    assert [len(points[f"4.layers.{at}", f"4.layers.{at + 1}"]) for at in range(5)] == [2] * 5


def test_a_line_that_starts_above_where_another_ends_turns_first() -> None:
    one, other = Link(Node(0), Node(1), 0, 0, (0, 0)), Link(Node(2), Node(3), 0, 0, (2, 0))
    one.source.across, one.target.across = 0, 50
    other.source.across, other.target.across = 80, 0  # it crosses less the other way round
    assert tracks([one, other], [one.target, other.target]) == 2
    assert (one.bend, other.bend) == (0, 1)
