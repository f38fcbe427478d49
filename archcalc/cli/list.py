"""list: the networks of the zoo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from archcalc.cli.folding import ordered_by
from archcalc.cli.options import As, Debug, Format, Output, Sort, Top
from archcalc.cli.streams import clear_errors, progress, write
from archcalc.values.errors import ArchcalcError, unknown

if TYPE_CHECKING:
    from archcalc.values.listing import Architecture, Listing


def list_(
    pattern: Annotated[str, typer.Argument(help="Only names that contain this.")] = "",
    cost: Annotated[bool, typer.Option("--cost", help="Add depth, parameters and multiply-adds.")] = False,
    sort: Sort = None,
    top: Top = None,
    form: As = Format.table,
    output: Output = None,
    debug: Debug = False,
) -> None:
    """The networks of the zoo: year, input, source, published errors.

    \b
    archcalc list
    archcalc list resnet --cost
    archcalc list --cost -f csv
    """  # noqa: D301
    with clear_errors(debug):
        order = ordered_by(sort, top, form)
        from archcalc.render.list import catalogue
        from archcalc.values.listing import Listing
        from archcalc.zoo import registry

        wanted = pattern.lower().replace("_", "-")
        entries = [entry for entry in registry.catalogue().values() if wanted in entry.name]
        if not entries:
            raise unknown("network", pattern, registry.names(), "`archcalc list` shows all of them")
        write(catalogue(_costed(entries) if cost else [Listing(entry) for entry in entries]), form, output, order)


def _costed(entries: list[Architecture]) -> list[Listing]:
    from archcalc.cli.workers import in_processes

    with progress(len(entries)) as done:
        return in_processes(_listing, {entry.name: entry for entry in entries}, done)


def _listing(entry: Architecture) -> Listing:
    from archcalc.analysis import analysis_of
    from archcalc.values.listing import Listing, Totals

    try:
        return Listing(entry, Totals.of(analysis_of(entry.name).report))
    except ArchcalcError as error:
        return Listing(entry, error=str(error))
