"""The effective receptive field of a unit: how far the gradient of its output by the input really spreads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from archcalc.values.gradients import Range, StartSetting
from archcalc.values.shown import Shown
from archcalc.values.stored import Stored


@dataclass(frozen=True, slots=True)
class EffectiveAxis(Stored):
    """Along one axis of `length` pixels: the field of the unit at `position`, in theory and by its gradient.

    In theory it sees the pixels `first` to `last`, padding included. `width` is four standard deviations of the squared
    gradient and `centre` its mean, both in pixels, over the seeds.
    """

    name: str
    position: int
    first: int
    last: int
    length: int
    width: Range
    centre: Range

    @property
    def size(self) -> int:
        """Pixels seen in theory, padding included."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class EffectiveField(Shown, Stored):
    """The effective receptive field of one unit of a layer (Luo 2016), an entry of `axes` for each axis of the input.

    `energy` is the share of the squared gradient in each cell of the input, which is cut into that many rows and
    columns: a single row for a sound, and the sum over the planes for a volume.
    """

    SCHEMA: ClassVar[str] = "archcalc.effective-field/1"

    subject: str
    path: str
    kind: str
    setting: StartSetting
    axes: tuple[EffectiveAxis, ...]
    energy: tuple[tuple[float, ...], ...] = field(repr=False)
