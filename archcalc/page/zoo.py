"""The zoo table of the report: every network that archcalc brings, with what its paper says of it."""

from __future__ import annotations

from archcalc.page.tables import Cell, Group, PageTable
from archcalc.zoo import registry

HEADINGS = ("network", "year", "family", "top-5 error, %", "source")


def zoo_table() -> PageTable:
    """One line a network, by year; the error is the first that its paper publishes, empty where it gives none."""
    lines = []
    for entry in registry.catalogue().values():
        error = next((top5 for _, _, top5 in entry.errors if top5 is not None), None)
        lines.append(
            (
                Cell(entry.name),
                Cell(str(entry.year), right=True, key=entry.year),
                Cell(entry.family),
                Cell("" if error is None else f"{error:g}", right=True, key=error),
                Cell(entry.source),
            )
        )
    headings = tuple(Cell(title, right=title in (HEADINGS[1], HEADINGS[3])) for title in HEADINGS)
    return PageTable("networks that archcalc brings", headings, (Group(None, tuple(lines)),))
