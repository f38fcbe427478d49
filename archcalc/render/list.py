"""The zoo as a table: what is registered and, where it was traced, what it costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from archcalc.formats.units import plural
from archcalc.render.table import NETWORK
from archcalc.values.columns import COLUMNS
from archcalc.values.document import UNKNOWN, Document, Heading, Quantity, Remark, Table
from archcalc.values.listing import Architecture, Listing, PublishedError, Totals
from archcalc.values.report import COUNTING_CONVENTION

SCHEMA = "archcalc.list/1"

INPUT = COLUMNS["input_shape"].heading()
COSTS = tuple(COLUMNS[key].heading(rank=0, share=None) for key in ("depth", "params", "macs"))

FACTS: tuple[tuple[Heading, Callable[[Architecture], Any]], ...] = (
    (NETWORK, lambda entry: entry.name),
    (Heading("year", "year", "text"), lambda entry: entry.year),
    (INPUT, lambda entry: entry.input_shape),
    (Heading("variant_of", "variant of", "text"), lambda entry: entry.variant_of),
    (Heading("errors", "errors", "text"), lambda entry: "; ".join(map(_published, entry.errors))),
    (Heading("source", "source", "text"), lambda entry: entry.source),
    (Heading("summary", "summary", "text"), lambda entry: entry.summary),
)


def catalogue(listings: Sequence[Listing]) -> Document:
    """One row a network; with depth, params and mult-adds where any of them was traced."""
    costs = COSTS if any(listing.totals or listing.error is not None for listing in listings) else ()
    failure = (Heading("error", "error", "text"),) if costs else ()
    rows = []
    for listing in listings:
        cost = [getattr(listing.totals, heading.key, None) for heading in costs]
        error = (listing.error,) if costs else ()
        rows.append((*(value(listing.architecture) for _, value in FACTS), *cost, *error))
    headings = (*(heading for heading, _ in FACTS), *costs, *failure)
    return Document(SCHEMA, headings, tuple(rows), (_table(listings, costs),), partial(_content, listings))


def _table(listings: Sequence[Listing], costs: Sequence[Heading]) -> Table:
    headings = (
        NETWORK,
        Heading("year", "year", "text", rank=1 if costs else 0),
        replace(INPUT, rank=2 if costs else 0),
        *costs,
        Heading("summary", "summary", "prose", rank=9),
        Heading("source", "source, top-1/top-5 error %", "prose", rank=3 if costs else 0),
    )
    rows = []
    for listing in listings:
        entry = listing.architecture
        cost = (_figure(listing.totals, heading.key) for heading in costs)
        source = "\n".join((entry.source, *map(_published, entry.errors)))
        rows.append((entry.name, entry.year, entry.input_shape, *cost, entry.summary, source))
    remarks = [
        Remark("FAILED", f"{listing.architecture.name}: {listing.error}", "failure")
        for listing in listings
        if listing.error
    ]
    if costs:
        remarks.append(Remark("depth", "weight layers on the longest path from input to output", "quiet"))
        remarks.append(Remark("convention", COUNTING_CONVENTION, "quiet"))
    return Table(plural(len(listings), "network"), headings, tuple(rows), remarks=tuple(remarks))


def _figure(totals: Totals | None, key: str) -> Any:
    value = getattr(totals, key, UNKNOWN)
    return Quantity(value, "least") if totals and key == "macs" and not totals.complete else value


def _published(error: PublishedError) -> str:
    protocol, *percents = error
    return f"{'/'.join('-' if percent is None else str(percent) for percent in percents)} {protocol}"


def _content(listings: Sequence[Listing]) -> dict[str, Any]:
    return {"schema": SCHEMA, "networks": [_entry(listing) for listing in listings]}


def _entry(listing: Listing) -> dict[str, Any]:
    architecture, totals = listing.architecture, listing.totals
    keys = ("name", "year", "source", "input_shape", "variant_of", "summary", "family", "settings")
    entry: dict[str, Any] = {key: getattr(architecture, key) for key in keys}
    entry["errors"] = [
        {"protocol": protocol, "top1_percent": top1, "top5_percent": top5}
        for protocol, top1, top5 in architecture.errors
    ]
    if totals is not None:
        entry |= asdict(totals)
    return entry | ({"error": listing.error} if listing.error is not None else {})
