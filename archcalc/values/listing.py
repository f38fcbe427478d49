"""A registered network, and what it costs as a whole where that was counted."""

from __future__ import annotations

from dataclasses import dataclass

from archcalc.values.report import Report

PublishedError = tuple[str, float | None, float | None]
"""Test protocol, top-1 error in percent, top-5 error in percent; None where the source gives none."""


@dataclass(frozen=True)
class Architecture:
    """One registered network.

    `source` is the paper, down to the table; `input_shape` is C×H×W of one image; `variant_of` names the
    network that this one alters.
    """

    name: str
    year: int
    source: str
    input_shape: tuple[int, ...]
    summary: str
    family: str
    builder: str
    settings: tuple[str, ...]
    variant_of: str | None = None
    errors: tuple[PublishedError, ...] = ()


@dataclass(frozen=True, slots=True)
class Totals:
    """What a network costs as a whole; `macs` is a lower bound unless the count is complete."""

    depth: int
    params: int
    macs: int
    complete: bool

    @classmethod
    def of(cls, report: Report) -> Totals:
        """Those of a report."""
        return cls(report.depth, report.total("params"), report.total("macs"), report.complete)


@dataclass(frozen=True, slots=True)
class Listing:
    """A registered network, with its totals where it was traced, or why it could not be."""

    architecture: Architecture
    totals: Totals | None = None
    error: str | None = None
