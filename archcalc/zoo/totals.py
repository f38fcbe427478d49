"""What each network of the zoo costs, as it was recorded: a page lists all of them without tracing them again."""

from __future__ import annotations

from csv import DictReader
from importlib import resources

from archcalc.values.listing import Totals

FILE = "totals.csv"


def recorded() -> dict[str, Totals]:
    """Depth, params and multiply-adds of every network by name, in the registered size."""
    text = resources.files("archcalc.zoo").joinpath(FILE).read_text(encoding="utf-8")
    return {
        line["name"]: Totals(int(line["depth"]), int(line["params"]), int(line["macs"]), complete=True)
        for line in DictReader(text.splitlines())
    }
