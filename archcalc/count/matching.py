"""The longest common subsequence of two sequences of keys, in time that grows in a line with their lengths."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Sequence

MOST_EDITS = 256
"""Edits that are searched for exactly; where more are needed, the way that got furthest is taken and goes on there."""

Match = tuple[int, int]
"""An index into each of the two sequences, whose keys there are equal."""


def matches(first: Sequence[Hashable], second: Sequence[Hashable]) -> list[Match]:
    """Equal keys in the order of both sequences, as many as can be; ascending in both indices.

    It is the longest common subsequence where each key occurs once, and else where no stretch needs more than
    MOST_EDITS removals and insertions.
    """
    start, shortest = 0, min(len(first), len(second))
    while start < shortest and first[start] == second[start]:
        start += 1
    end = 0
    while end < shortest - start and first[-1 - end] == second[-1 - end]:
        end += 1
    common = set(first[start : len(first) - end]) & set(second[start : len(second) - end])
    left = [at for at in range(start, len(first) - end) if first[at] in common]
    right = [at for at in range(start, len(second) - end) if second[at] in common]
    one, other = [first[at] for at in left], [second[at] for at in right]
    inner = _unique(one, other) if len(one) == len(other) == len(common) else _repeated(one, other)
    return [
        *((at, at) for at in range(start)),
        *((left[i], right[j]) for i, j in inner),
        *((len(first) - at, len(second) - at) for at in range(end, 0, -1)),
    ]


def _unique(first: Sequence[Hashable], second: Sequence[Hashable]) -> list[Match]:
    """The matches of two orders of the same keys: the longest ascending run of the places in the second."""
    place = {key: at for at, key in enumerate(second)}
    places = [place[key] for key in first]
    ends: list[int] = []  # by length, the smallest last place of an ascending run
    holders: list[int] = []  # where in `first` that last place stands
    before: list[int] = []
    for at, target in enumerate(places):
        length = bisect_left(ends, target)
        before.append(holders[length - 1] if length else -1)
        ends[length : length + 1] = [target]
        holders[length : length + 1] = [at]
    run: list[Match] = []
    at = holders[-1] if holders else -1
    while at >= 0:
        run.append((at, places[at]))
        at = before[at]
    return run[::-1]


def _repeated(first: Sequence[Hashable], second: Sequence[Hashable]) -> list[Match]:
    """The matches of sequences with repeated keys, by the greedy search of Myers 1986, a stretch at a time."""
    numbers: dict[Hashable, int] = {}
    one = [numbers.setdefault(key, len(numbers)) for key in first]
    other = [numbers.setdefault(key, len(numbers)) for key in second]
    pairs: list[Match] = []
    x = y = 0
    while x < len(one) and y < len(other):
        stretch, x, y = _stretch(one, other, x, y)
        pairs += stretch
    return pairs


def _stretch(one: Sequence[int], other: Sequence[int], left: int, right: int) -> tuple[list[Match], int, int]:
    """The matches from two places on within MOST_EDITS edits, and the places that they lead to."""
    furthest = {1: left}  # by diagonal, x - y counted from the start
    history: list[dict[int, int]] = []
    offset = left - right
    for edits in range(MOST_EDITS + 1):
        history.append(dict(furthest))
        best, at_best = -1, 0
        for diagonal in range(-edits, edits + 1, 2):
            down = diagonal == -edits or (
                diagonal != edits and furthest.get(diagonal - 1, -1) < furthest.get(diagonal + 1, -1)
            )
            x = furthest[diagonal + 1] if down else furthest[diagonal - 1] + 1
            y = x - diagonal - offset
            while x < len(one) and y < len(other) and one[x] == other[y]:
                x, y = x + 1, y + 1
            furthest[diagonal] = x
            if x <= len(one) and y <= len(other) and x + y > best:
                best, at_best = x + y, diagonal
        if best == len(one) + len(other) or edits == MOST_EDITS:
            x = furthest[at_best]
            return _way_back(history, at_best, x, offset, left), x, x - at_best - offset
    raise AssertionError("the last round returns")


def _way_back(history: list[dict[int, int]], diagonal: int, x: int, offset: int, left: int) -> list[Match]:
    """The matches on the way to a place, found from its end by what each round began with."""
    way: list[Match] = []
    for edits in range(len(history) - 1, -1, -1):
        furthest = history[edits]
        down = diagonal == -edits or (
            diagonal != edits and furthest.get(diagonal - 1, -1) < furthest.get(diagonal + 1, -1)
        )
        begun = left if not edits else furthest[diagonal + 1] if down else furthest[diagonal - 1] + 1
        way += [(at, at - diagonal - offset) for at in range(x - 1, begun - 1, -1)]
        diagonal, x = (diagonal + 1, begun) if down else (diagonal - 1, begun - 1)
    return way[::-1]
