"""What differs between two networks: layer by layer, and in all."""

from __future__ import annotations

from dataclasses import dataclass

from archcalc.values.report import Report, Row
from archcalc.values.shown import Shown

STATUSES = ("added", "removed", "changed", "renamed", "same")
"""What a layer can be: "renamed" does the same under another path."""


@dataclass(frozen=True, slots=True)
class Delta:
    """A measure before and after, 0 where the layer is not there.

    None stands for what is not known; `least_before` and `least_after` are what is known of it, a lower bound.
    """

    key: str
    before: int | None
    after: int | None
    least_before: int
    least_after: int

    @property
    def change(self) -> int | None:
        """After less before; None where one of them is not known."""
        return None if self.before is None or self.after is None else self.after - self.before

    @property
    def known_change(self) -> int:
        """The change of what is known."""
        return self.least_after - self.least_before


@dataclass(frozen=True, slots=True)
class LayerChange:
    """A layer of one network or both, or a folded module standing for all layers inside it.

    `status` is one of STATUSES; `before` is None for an added layer, `after` for a removed one. `deltas` are those of
    the measures of Difference.totals. `reason` says what the rows do not show, such as another input. `layers` is the
    number of layers that it stands for, and `differing` how many of those are not the same.
    """

    status: str
    before: Row | None
    after: Row | None
    deltas: tuple[Delta, ...]
    reason: str = ""
    layers: int = 1
    differing: int = 1

    @property
    def path(self) -> str:
        """The path after, or before where it was removed."""
        row = self.after or self.before
        return row.path if row else ""


@dataclass(frozen=True, slots=True)
class Difference(Shown):
    """What differs between two networks, `before` and `after`.

    `layers` has every layer of both once, in forward order; the deltas of a measure add up to the one in `totals`.
    `notes` says what differs beside the layers, such as the input. `folded` is the depth that the layers were folded
    to, None where they are single calls.
    """

    before: Report
    after: Report
    totals: tuple[Delta, ...]
    layers: tuple[LayerChange, ...]
    notes: tuple[str, ...] = ()
    folded: int | None = None

    @property
    def equal(self) -> bool:
        """Whether nothing differs that a report knows of."""
        return not self.notes and not self.differing

    @property
    def differing(self) -> tuple[LayerChange, ...]:
        """The layers that are not the same in both."""
        return tuple(layer for layer in self.layers if layer.status != "same")
