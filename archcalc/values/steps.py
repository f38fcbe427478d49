"""A whole-numbered function of positions that is constant but for some steps, and repeats them period after period."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload


@dataclass(frozen=True, slots=True)
class Steps(Sequence[int]):
    """The values for one period, as a sequence; kept are only the positions at which the value changes.

    What lies behind an upsampling by 1,000 has a period of 1,000 positions, but one step in it.
    """

    period: int
    starts: tuple[int, ...]
    values: tuple[int, ...]

    def __len__(self) -> int:
        return self.period

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[int]: ...
    def __getitem__(self, index: Any) -> Any:
        """The value at a position of the period, or those of a slice."""
        if isinstance(index, slice):
            return tuple(self[position] for position in range(*index.indices(self.period)))
        if not -self.period <= index < self.period:
            raise IndexError(index)
        return self.values[bisect_right(self.starts, index % self.period) - 1]


def steps(period: int, changes: Iterator[tuple[int, int]]) -> Sequence[int]:
    """The function with these values from these positions on, ascending, the first of them 0; the last one holds."""
    starts: list[int] = []
    values: list[int] = []
    for start, value in changes:
        if starts and starts[-1] == start:
            starts.pop()
            values.pop()
        if not values or values[-1] != value:
            starts.append(start)
            values.append(value)
    return Steps(period, tuple(starts), tuple(values)) if period > 1 else (values[0],)


def starts_of(values: Sequence[int]) -> Sequence[int]:
    """The positions in one period at which the value may change."""
    return values.starts if isinstance(values, Steps) else range(len(values))


def value_at(values: Sequence[int], shift: int, position: int) -> int:
    """The value at any position; it grows by `shift` a period."""
    turn, phase = divmod(position, len(values))
    return values[phase] + shift * turn


def composed(values: Sequence[int], shift: int, outputs: int, read: Callable[[int], int]) -> Sequence[int]:
    """The function of `outputs` positions that takes the value at `read(j)`, which must not fall as j grows."""

    def changes() -> Iterator[tuple[int, int]]:
        first, last = read(0), read(outputs - 1)
        yield 0, value_at(values, shift, first)
        period, starts = len(values), starts_of(values)
        turns = range(first // period, last // period + 1)
        if len(turns) * len(starts) >= outputs:
            yield from ((j, value_at(values, shift, read(j))) for j in range(1, outputs))
            return
        for position in (turn * period + start for turn in turns for start in starts):
            if first < position <= last:
                yield bisect_left(range(outputs), position, key=read), value_at(values, shift, position)

    return steps(outputs, changes())


def is_rising(values: Sequence[int], shift: int) -> bool:
    """Whether the function never falls."""
    kept = values.values if isinstance(values, Steps) else values
    return all(one <= other for one, other in zip(kept, (*kept[1:], kept[0] + shift), strict=True))
