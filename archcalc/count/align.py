"""The layers of two networks side by side: which one stands where the other network has which."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence

from archcalc.count.matching import Match, matches
from archcalc.values.report import Row

Pair = tuple[Row | None, Row | None]
"""A row of each network; None where the network has nothing that corresponds."""


def align(first: Sequence[Row], second: Sequence[Row]) -> list[Pair]:
    """Every row of both once, in forward order; in a gap those of the first stand before those of the second."""
    return [
        (None if i is None else first[i], None if j is None else second[j]) for i, j in aligned_indices(first, second)
    ]


def aligned_indices(first: Sequence[Row], second: Sequence[Row]) -> list[tuple[int | None, int | None]]:
    """What `align` gives, with the numbers of the rows in place of the rows.

    Rows that do the same in a module of the same name, its numbers aside, are paired first, so that a layer that is put
    into an nn.Sequential does not part all behind it from themselves; or those that do the same under the same path, if
    then no more is left over, as where a block in a row of equal ones was taken out and the others kept their numbers.
    Between those, in this order: rows of the same path and kind; rows that do the same under another name; rows of the
    same kind and last name; rows of the same kind in the same module. Exchanging the networks exchanges the sides of
    every pair.
    """
    is_swapped = _order(second) < _order(first)  # among equally good alignments either order must give the same
    one, other = (second, first) if is_swapped else (first, second)
    ways = (_matched(one, other, keys) for keys in (_KEYS, (_exact, *_KEYS)))
    pairs = min(ways, key=lambda pairs: _effort(one, other, pairs))
    if is_swapped:
        pairs = [(j, i) for i, j in pairs]
    aligned: list[tuple[int | None, int | None]] = []
    left = right = 0
    for i, j in [*pairs, (len(first), len(second))]:
        aligned += [(at, None) for at in range(left, i)]
        aligned += [(None, at) for at in range(right, j)]
        aligned.append((i, j))
        left, right = i + 1, j + 1
    return aligned[:-1]


def _matched(one: Sequence[Row], other: Sequence[Row], keys: Iterable[Callable[[Row], Hashable]]) -> list[Match]:
    """Pairs of rows that are equal by the first of the keys, and between them by the next."""
    pairs: list[Match] = []
    for key in keys:
        pairs = _with_gaps_matched(list(map(key, one)), list(map(key, other)), pairs)
    return pairs


def _effort(one: Sequence[Row], other: Sequence[Row], pairs: Sequence[Match]) -> tuple[int, int, int]:
    """How many rows have no partner, how many do something else than theirs, and how many have another path."""
    changed = sum(operation(one[i]) != operation(other[j]) for i, j in pairs)
    renamed = sum(one[i].path != other[j].path for i, j in pairs)
    return len(one) + len(other) - 2 * len(pairs), changed, renamed


def _with_gaps_matched(one: Sequence[Hashable], other: Sequence[Hashable], pairs: list[Match]) -> list[Match]:
    """The pairs, and between them those of equal keys."""
    more: list[Match] = []
    left = right = 0
    for i, j in [*pairs, (len(one), len(other))]:
        if left < i and right < j:
            more += [(left + x, right + y) for x, y in matches(one[left:i], other[right:j])]
        more.append((i, j))
        left, right = i + 1, j + 1
    return more[:-1]


def operation(row: Row) -> Hashable:
    """What a row does, wherever it stands: equal for rows of the same kind, window, shapes, params and cost."""
    return (row.kind, row.window, row.input_shapes, row.output_shapes, row.dtype, row.params, row.macs)


def _numberless(row: Row) -> Hashable:
    names = ("#" if name.isdecimal() else name for name in row.path.split("."))
    return (tuple(names), operation(row))


def _exact(row: Row) -> Hashable:
    return (row.path, row.call, operation(row))


def _place(row: Row) -> Hashable:
    return (row.path, row.call, row.kind)


def _name(row: Row) -> Hashable:
    return (row.kind, row.path.rpartition(".")[2])


def _parent(row: Row) -> Hashable:
    return (row.kind, row.path.rpartition(".")[0])


def _order(rows: Sequence[Row]) -> list[str]:
    return [f"{row.path} {row.call} {operation(row)}" for row in rows]


_KEYS = (_numberless, _place, operation, _name, _parent)
