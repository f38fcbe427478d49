"""The derivation of the numbers of a layer, a module or a whole network."""

from __future__ import annotations

from dataclasses import dataclass

from archcalc.values.claim import Verdict
from archcalc.values.report import Report, Row
from archcalc.values.shown import Shown


@dataclass(frozen=True, slots=True)
class Step:
    """One line of an explanation: the row's path, what is derived, how, and the value that comes out."""

    path: str
    quantity: str
    derivation: str
    value: int | None


@dataclass(frozen=True, slots=True)
class Explanation(Shown):
    """The derivations of the numbers at a place of a network, and what documents say of the same place.

    `place` is a layer's path or a module's, None for the whole network; `rows` are the calls there, none for the whole
    network. `verdicts` are those on the documented claims about the place.
    """

    report: Report
    place: str | None
    rows: tuple[Row, ...]
    steps: tuple[Step, ...]
    verdicts: tuple[Verdict, ...] = ()
