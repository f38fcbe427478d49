"""devices: whose peaks are known."""

from __future__ import annotations

from typing import Annotated

import typer

from archcalc.cli.folding import ordered_by
from archcalc.cli.options import As, Debug, Format, Output, Seconds, Sort, Top
from archcalc.cli.streams import clear_errors, write, write_content


def devices(
    pattern: Annotated[str, typer.Argument(help="Only names that contain this, or a file my.toml of your own.")] = "",
    measure: Annotated[
        bool, typer.Option("--measure", help="Measure this machine instead, and write a file for --device.")
    ] = False,
    seconds: Seconds = 1.0,
    sort: Sort = None,
    top: Top = None,
    form: As = Format.table,
    output: Output = None,
    debug: Debug = False,
) -> None:
    """The devices that --device knows: peaks by dtype, memory, and the data sheet that they are from.

    \b
    archcalc devices
    archcalc devices rtx
    archcalc devices --measure -o this.toml
    """  # noqa: D301
    with clear_errors(debug):
        order = ordered_by(sort, top, form)
        if measure:
            from archcalc.bench.data_sheet import data_sheet

            write_content(data_sheet(seconds), output)
            return
        from archcalc.count import devices as known
        from archcalc.render.devices import devices_table
        from archcalc.values.errors import unknown

        if pattern.endswith(".toml"):
            listed = list(known.of_file(pattern).values())
        else:
            listed = [device for device in known.devices().values() if known.plain(pattern) in known.plain(device.name)]
        if not listed:
            raise unknown("device", pattern, known.devices(), known.OWN)
        write(devices_table(listed), form, output, order)
