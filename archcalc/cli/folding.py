"""Which rows a command shows and in which order, and whether a count must be complete."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from archcalc.cli.streams import say
from archcalc.formats import RAW, Format
from archcalc.values.errors import UsageError

if TYPE_CHECKING:
    from archcalc.render.order import Order
    from archcalc.values.report import Report

ROWS_IN_A_TERMINAL = 60
"""A table of more rows is folded by module until it has about that many."""


def folded(report: Report, depth: int | None, everything: bool, form: Format) -> Report:
    """The report with the rows that are shown: folded to a depth that was asked for, or to what a terminal holds."""
    from archcalc.count.fold import fold, fold_to

    if depth is not None:
        return fold(report, depth)
    return report if everything or form in RAW else fold_to(report, ROWS_IN_A_TERMINAL)


def check_complete(reports: list[Report], strict: bool) -> None:
    """With `strict`, exit 1 naming the reports whose totals are lower bounds."""
    partial = [report.subject for report in reports if not report.complete]
    if strict and partial:
        say(f"--strict: the count of {', '.join(partial)} is a lower bound, see the ops named there")
        raise typer.Exit(1)


def ordered_by(sort: str | None, top: int | None, form: Format | None = None) -> Order | None:
    """The order that `--sort macs:asc --top 5` asks for; UsageError where that makes no sense, as for JSON."""
    if sort is None:
        if top is not None:
            raise UsageError("--top shows the first rows of an order: add --sort COLUMN, such as --sort macs")
        return None
    if form is Format.json:
        raise UsageError("json holds everything as it is: --sort and --top are for the other formats")
    column, colon, direction = sort.partition(":")
    if colon and direction not in ("asc", "desc"):
        raise UsageError(f"'{direction}' is no direction; write --sort {column}:asc or --sort {column}:desc")
    from archcalc.render.order import Order

    return Order(column.strip(), direction == "asc" if colon else None, top)
