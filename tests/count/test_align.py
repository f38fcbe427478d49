"""Which layer of a network stands where another network has which."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from archcalc.count.align import align
from archcalc.values.report import Row
from tests.support.render_literals import conv, free, linear


def relu(path: str, channels: int) -> Row:
    return free(path, "relu", (channels, 8, 8))


def layer(path: str, channels: int = 4) -> Row:
    return conv(path, (channels, 8, 8), (channels, 8, 8), 3, padding=1)


def names(first: list[Row], second: list[Row]) -> list[tuple[str, str]]:
    return [(one.path if one else "", other.path if other else "") for one, other in align(first, second)]


CHAIN = [row for at in range(0, 12, 2) for row in (layer(f"features.{at}"), relu(f"features.{at + 1}", 4))]


def test_a_layer_put_into_a_sequential_does_not_shift_those_behind_it() -> None:
    wide = replace(layer("features.4"), output_shapes=((1, 5, 8, 8),))
    shifted = [replace(row, path=f"features.{at + 5}") for at, row in enumerate(CHAIN[4:])]
    pairs = names(CHAIN, [*CHAIN[:4], wide, *shifted])
    assert pairs[4:6] == [("", "features.4"), ("features.4", "features.5")]
    assert pairs[-1] == ("features.11", "features.12")


def test_layers_of_equal_numbers_are_not_taken_for_each_other_if_that_changes_more() -> None:
    widths = [4, 4, 8, 8]
    before = [layer(f"f.{at}", width) for at, width in enumerate(widths)]
    after = [layer("f.0", 2), *(layer(f"f.{at}", width) for at, width in enumerate(widths, 1))]
    assert names(before, after) == [("", "f.0"), *((f"f.{at}", f"f.{at + 1}") for at in range(4))]


def test_a_layer_that_became_an_identity_leaves_the_numbers_of_the_others() -> None:
    pairs = names(CHAIN, [*CHAIN[:4], *CHAIN[6:]])
    assert [before for before, after in pairs if not after] == ["features.4", "features.5"]
    assert all(before == after for before, after in pairs if after)


def test_a_module_of_another_name_is_recognised() -> None:
    renamed = [replace(row, path=row.path.replace("features", "stem.body")) for row in CHAIN]
    pairs = names([*CHAIN, linear("fc", 4, 2)], [*renamed, linear("fc", 4, 2)])
    assert all(before and after for before, after in pairs)
    assert pairs[0] == ("features.0", "stem.body.0")
    assert names([linear("head.fc", 4, 2)], [linear("tail.out", 4, 2)]) == [("head.fc", "tail.out")]


def test_a_layer_that_costs_something_else_keeps_its_place() -> None:
    assert names([layer("a"), layer("b"), layer("c")], [layer("a"), layer("b", 8), layer("c")])[1] == ("b", "b")
    assert names([linear("head.fc", 4, 2)], [linear("head.out", 4, 3)]) == [("head.fc", "head.out")]
    assert names([linear("head.fc", 4, 2)], [linear("tail.fc", 4, 3)]) == [("head.fc", "tail.fc")]


def test_what_has_nothing_in_common_is_not_paired() -> None:
    assert names([linear("a.b", 4, 2)], [linear("c.d", 4, 3)]) == [("a.b", ""), ("", "c.d")]
    assert names([linear("a", 4, 2)], [relu("a", 4)]) == [("a", ""), ("", "a")]
    assert names([], [layer("a")]) == [("", "a")]


def test_every_row_stands_once_in_order_and_the_other_way_round_is_the_mirror() -> None:
    random = Random(0)
    makers = (layer, relu, lambda path, channels: linear(path, channels, 2))
    for _ in range(150):
        first, second = (
            [
                random.choice(makers)(f"{random.choice('abc')}.{random.randrange(4)}", random.choice((4, 8)))
                for _ in range(random.randrange(14))
            ]
            for _ in range(2)
        )
        pairs = align(first, second)
        assert [one for one, _ in pairs if one] == first
        assert [other for _, other in pairs if other] == second
        mirrored = align(second, first)
        assert [(b, a) for a, b in mirrored if a and b] == [(a, b) for a, b in pairs if a and b]
        assert align(first, first) == [(row, row) for row in first]
