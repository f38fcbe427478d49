"""Long pictures in rows or columns: everything is still there and in order, and no row is longer than it may be."""

from __future__ import annotations

from pathlib import Path

import pytest

import archcalc
from archcalc.pictures.build import EVERYTHING, View, graph
from archcalc.pictures.choices import Direction
from archcalc.pictures.layout.nested import Layout, layout
from archcalc.pictures.layout.wrap import LONGEST, wrapped
from archcalc.pictures.text import width
from archcalc.values.errors import UsageError
from tests.cli.test_cli import run
from tests.pictures.test_layout import check_layout, check_lines_apart, known
from tests.support.random_boxes import picture

BOTH = list(Direction)


def length(drawn: Layout) -> float:
    return drawn.height if drawn.direction == Direction.down else drawn.width


@pytest.mark.parametrize("direction", BOTH)
@pytest.mark.parametrize("name", ["alexnet", "vgg16", "googlenet", "resnet18", "resnet152", "densenet121", "vit_b_16"])
def test_a_picture_in_rows_is_in_order(name: str, direction: Direction) -> None:
    for view in (View(), View(depth=1), View(depth=EVERYTHING)):
        for longest in (700, 1600):
            check_lines_apart(check_layout(graph(known(name), view), direction, longest))


@pytest.mark.sweep
@pytest.mark.parametrize("direction", BOTH)
def test_any_graph_in_rows_is_in_order(direction: Direction) -> None:
    for seed in range(200):
        check_layout(picture(seed), direction, 200)


@pytest.mark.parametrize("direction", BOTH)
@pytest.mark.parametrize("longest", [500, 900, 1400])
def test_no_row_is_longer_than_it_may_be(longest: float, direction: Direction) -> None:
    """A chain can be cut between any two boxes; a row after the first begins with the line that enters it."""
    box = graph(known("vgg16"), View())
    drawn, plain = wrapped(layout(box, direction), longest), layout(box, direction)
    assert length(drawn) <= longest + 28 + 28  # LEAD, and the turn at the end
    across = {
        round(placed.rectangle.x if direction == Direction.down else placed.rectangle.y) for placed in drawn.boxes
    }
    assert len(across) >= length(plain) / longest
    assert len(drawn.boxes) == len(plain.boxes) == 23  # input, 13 convolutions, 5 pools, 3 linear layers, output


def test_the_line_to_the_next_column_keeps_clear_of_the_shape_at_the_last_box() -> None:
    drawn = wrapped(layout(graph(known("googlenet"), View(depth=1))), 700)
    turning = [route for route in drawn.routes if len(route.points) == 6]
    assert turning
    places = {placed.box.id: placed for placed in drawn.boxes}
    for route in turning:
        last = places[route.source]
        assert route.points[1][1] > last.text[1] + 3  # below the letters, which may reach under their line


def test_rows_are_as_equal_as_can_be() -> None:
    drawn = archcalc.draw("alexnet", direction="right").layout
    ends: dict[float, float] = {}
    for placed in drawn.boxes:
        place = placed.rectangle
        row = round(place.y + place.height / 2)
        ends[row] = max(ends.get(row, 0), place.x + place.width)
    assert len(ends) == 2
    assert max(ends.values()) - min(ends.values()) < width("3×3 conv, 384, 2 groups", 13) + 20  # its widest box


def test_to_the_right_rows_are_the_default_and_0_is_one_row() -> None:
    wide = archcalc.draw("vgg16", direction="right", wrap=0).layout
    assert wide == layout(graph(known("vgg16"), View()), Direction.right)
    assert wide.width > LONGEST > archcalc.draw("vgg16", direction="right").layout.width
    assert archcalc.draw("vgg16").layout == layout(graph(known("vgg16"), View()))


def test_skips_from_end_to_end_leave_one_row() -> None:
    plain = layout(graph(known("unet"), View()), Direction.right)
    assert wrapped(plain, LONGEST) is plain


def test_wrap_is_an_option_and_less_than_0_an_error(tmp_path: Path) -> None:
    one, two = tmp_path / "one.svg", tmp_path / "two.svg"
    for file, pixels in ((one, "0"), (two, "400")):
        assert run("draw", "alexnet", "--wrap", pixels, "-o", str(file)).exit_code == 0
    assert one.read_bytes() != two.read_bytes()
    assert run("draw", "alexnet", "--wrap", "-1", "-f", "svg").exit_code == 2
    with pytest.raises(UsageError, match="0 for no limit"):
        archcalc.draw("alexnet", wrap=-1)
