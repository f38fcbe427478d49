"""What a layer sees of the network's input, and which pixels one unit of it sees."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from archcalc.values.shown import Shown
from archcalc.values.trace import Shape


@dataclass(frozen=True, slots=True)
class UnitField:
    """What the unit at one position sees along one axis of `length` pixels: `first` to `last`, padding included."""

    name: str
    position: int
    first: int
    last: int
    length: int

    @property
    def size(self) -> int:
        """Pixels seen, padding included."""
        return self.last - self.first + 1

    @property
    def inside(self) -> int:
        """Pixels of the input among them."""
        return max(0, min(self.last, self.length - 1) - max(self.first, 0) + 1)

    @property
    def padding(self) -> int:
        """Pixels of padding among them."""
        return self.size - self.inside

    @property
    def centre(self) -> float:
        """The middle, between two pixels where an even number is seen."""
        return (self.first + self.last) / 2


@dataclass(frozen=True, slots=True)
class LayerField(Shown):
    """The receptive field of a layer of the network `subject`, in pixels of its input.

    `size` is one number an axis, "all" where a unit sees the whole input, None where it is not known. Unit i sees
    offset + i·jump to offset + i·jump + size - 1, padding counted as pixels; `jump` and `offset` are None where units
    do not lie along an axis. `misaligned`: paths of different jumps met, and these are those of the one that sees most.
    `unit` has an entry an axis where a unit was asked for: the pixels that it sees, exact also where neighbours share
    what they see, as behind upsampling.
    """

    subject: str
    path: str
    kind: str
    size: Shape | str | None
    jump: tuple[int | Fraction, ...] | None
    offset: tuple[int, ...] | None
    misaligned: bool = False
    unit: tuple[UnitField, ...] = ()
