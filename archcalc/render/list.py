"""The zoo as a table: what is registered and, where it was traced, what it costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from archcalc.formats.units import UNKNOWN
from archcalc.render.table import NETWORK
from archcalc.values.document import Grid, Heading, Quantity, Remark, Table
from archcalc.values.listing import Architecture, Listing, PublishedError, Totals
from archcalc.values.report import CONVENTION

SCHEMA = "archcalc.list/1"


KNOWN: tuple[tuple[Heading, Callable[[Architecture], Any]], ...] = (
    (NETWORK, lambda entry: entry.name),
    (Heading("year", "year", "text"), lambda entry: entry.year),
    (Heading("input_shape", "input", "shape"), lambda entry: entry.input_shape),
    (Heading("variant_of", "variant of", "text"), lambda entry: entry.variant_of),
    (Heading("errors", "errors", "text"), lambda entry: "; ".join(map(_published, entry.errors))),
    (Heading("source", "source", "text"), lambda entry: entry.source),
    (Heading("summary", "summary", "text"), lambda entry: entry.summary),
)

COSTS = (
    Heading("depth", "depth", "count"),
    Heading("params", "params", "count"),
    Heading("macs", "mult-adds", "count"),
)


def catalogue(listings: Sequence[Listing]) -> Grid:
    """One row a network; with depth, params and mult-adds where any of them was traced."""
    costs = COSTS if any(each.totals or each.error is not None for each in listings) else ()
    failure = (Heading("error", "error", "text"),) if costs else ()
    rows = []
    for each in listings:
        cost = [getattr(each.totals, heading.key, None) for heading in costs]
        rows.append((*(value(each.architecture) for _, value in KNOWN), *cost, *((each.error,) if costs else ())))
    headings = (*(heading for heading, _ in KNOWN), *costs, *failure)
    return Grid(SCHEMA, headings, tuple(rows), (_table(listings, costs),), partial(_document, listings))


def _table(listings: Sequence[Listing], costs: Sequence[Heading]) -> Table:
    headings = (
        NETWORK,
        Heading("year", "year", "text", rank=1 if costs else 0),
        Heading("input_shape", "input", "shape", rank=2 if costs else 0),
        *costs,
        Heading("summary", "summary", "prose", rank=9),
        Heading("source", "source, top-1/top-5 error %", "prose", rank=3 if costs else 0),
    )
    rows = []
    for each in listings:
        entry = each.architecture
        cost = (_figure(each.totals, heading.key) for heading in costs)
        source = "\n".join((entry.source, *map(_published, entry.errors)))
        rows.append((entry.name, entry.year, entry.input_shape, *cost, entry.summary, source))
    remarks = [
        Remark("FAILED", f"{each.architecture.name}: {each.error}", "failure") for each in listings if each.error
    ]
    if costs:
        remarks.append(Remark("depth", "weight layers on the longest path from input to output", "quiet"))
        remarks.append(Remark("convention", CONVENTION, "quiet"))
    networks = "1 network" if len(listings) == 1 else f"{len(listings)} networks"
    return Table(networks, headings, tuple(rows), remarks=tuple(remarks))


def _figure(totals: Totals | None, key: str) -> Any:
    value = getattr(totals, key, UNKNOWN)
    return Quantity(value, "least") if totals and key == "macs" and not totals.complete else value


def _published(error: PublishedError) -> str:
    protocol, *percents = error
    return f"{'/'.join('-' if each is None else str(each) for each in percents)} {protocol}"


def _document(listings: Sequence[Listing]) -> dict[str, Any]:
    return {"schema": SCHEMA, "networks": [_entry(each) for each in listings]}


def _entry(listing: Listing) -> dict[str, Any]:
    entry, totals = listing.architecture, listing.totals
    keys = ("name", "year", "source", "input_shape", "variant_of", "summary", "family", "settings")
    found: dict[str, Any] = {key: getattr(entry, key) for key in keys}
    found["errors"] = [
        {"protocol": protocol, "top1_percent": top1, "top5_percent": top5} for protocol, top1, top5 in entry.errors
    ]
    if totals is not None:
        found |= asdict(totals)
    return found | ({"error": listing.error} if listing.error is not None else {})
