"""The longest common subsequence: held against the textbook's table, and quick on long sequences."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from random import Random
from time import process_time

import pytest

from archcalc.count.matching import MOST_EDITS, matches


def longest(first: Sequence[int], second: Sequence[int]) -> int:
    """The length of the longest common subsequence, by the recurrence that defines it."""
    lengths = [[0] * (len(second) + 1) for _ in range(len(first) + 1)]
    for i, one in enumerate(first):
        for j, other in enumerate(second):
            longer = max(lengths[i][j + 1], lengths[i + 1][j])
            lengths[i + 1][j + 1] = lengths[i][j] + 1 if one == other else longer
    return lengths[-1][-1]


def check(first: Sequence[int], second: Sequence[int]) -> int:
    pairs = matches(first, second)
    assert all(first[i] == second[j] for i, j in pairs)
    assert all(i < k and j < m for (i, j), (k, m) in pairwise(pairs))
    return len(pairs)


@pytest.mark.parametrize("keys", [1, 2, 4, 40])
def test_no_common_subsequence_is_longer(keys: int) -> None:
    random = Random(keys)
    for _ in range(100):
        first, second = ([random.randrange(keys) for _ in range(random.randrange(25))] for _ in range(2))
        assert check(first, second) == longest(first, second)


def test_keys_that_occur_once_need_no_search() -> None:
    random = Random(0)
    for _ in range(50):
        first, second = random.sample(range(30), 20), random.sample(range(30), 20)
        assert check(first, second) == longest(first, second)


def test_beyond_the_edits_that_are_searched_it_goes_on_and_stays_quick() -> None:
    random = Random(1)
    first = [random.randrange(6) for _ in range(20_000)]
    second = [key for key in first if random.random() < 0.9]
    begun = process_time()
    assert len(first) - len(second) > 4 * MOST_EDITS
    assert check(first, second) > 0.9 * len(second)
    assert process_time() - begun < 20  # a table of 20,000 by 18,000 would take minutes
