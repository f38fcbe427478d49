"""The zoo table of the report: every network that archcalc brings, with what its paper says of it and what it costs."""

from __future__ import annotations

from archcalc.formats.units import count
from archcalc.page.tables import Cell, Group, PageTable
from archcalc.values.columns import COLUMNS
from archcalc.zoo import registry
from archcalc.zoo.totals import recorded

COSTS = ("params", "macs")
HEADINGS = (
    Cell("network"),
    Cell("year", right=True),
    Cell("family"),
    Cell("top-5 error, %", right=True),
    *(Cell(COLUMNS[key].title, right=True) for key in COSTS),
    Cell("source"),
)


def zoo_table() -> PageTable:
    """One line a network, by year; the error is the first that its paper publishes, empty where it gives none."""
    lines = []
    totals = recorded()
    for entry in registry.catalogue().values():
        error = next((top5 for _, _, top5 in entry.errors if top5 is not None), None)
        costs = [getattr(totals[entry.name], key) for key in COSTS]
        lines.append(
            (
                Cell(entry.name),
                Cell(str(entry.year), right=True, key=entry.year),
                Cell(entry.family),
                Cell("" if error is None else f"{error:g}", right=True, key=error),
                *(Cell(count(cost), right=True, key=cost) for cost in costs),
                Cell(entry.source),
            )
        )
    return PageTable("networks that archcalc brings", HEADINGS, (Group(None, tuple(lines)),))
