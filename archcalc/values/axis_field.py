"""What the units of a tensor see along one axis of the network's input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from archcalc.values.steps import starts_of, value_at


@dataclass(frozen=True, slots=True)
class AxisField:
    """What units see along one axis of the input.

    `length` is the input's own size. `dim` is the tensor's dimension, counted from the back, along which the units lie;
    0 where they lie along none, since a single position is left. `whole`: every unit sees all of the axis; `merged`:
    positions of several axes lie in that dimension, so that only the size still has a meaning; `misaligned`: paths of
    different jumps met, and the ends are those of the path that sees most.
    """

    lo: Sequence[int] = (0,)
    hi: Sequence[int] = (0,)
    shift: int = 1
    length: int = 0
    dim: int = -1
    whole: bool = False
    merged: bool = False
    misaligned: bool = False

    @property
    def size(self) -> int:
        """The number of input positions that a unit sees, the largest where they differ."""
        return max(self.hi[at] - self.lo[at] for at in {*starts_of(self.lo), *starts_of(self.hi)}) + 1

    @property
    def jump(self) -> Fraction:
        """Input positions from one unit to the next, on average over a period."""
        return Fraction(self.shift, len(self.lo))

    def ends(self, position: int) -> tuple[int, int]:
        """The first and the last input position that the unit at a position sees, padding included."""
        return value_at(self.lo, self.shift, position), value_at(self.hi, self.shift, position)
