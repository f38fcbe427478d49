"""compare: networks side by side."""

from __future__ import annotations

from typing import Annotated

import typer

from archcalc.cli.folding import check_complete, folded
from archcalc.cli.options import (
    All,
    As,
    Backward,
    Batch,
    Columns,
    Debug,
    Depth,
    Device,
    Format,
    Inputs,
    Models,
    Output,
    Seconds,
    Settings,
    Strict,
    Threads,
    Training,
)
from archcalc.cli.request import report_of, requests
from archcalc.cli.streams import clear_errors, write
from archcalc.values.errors import UsageError


def compare(
    models: Models,
    input_size: Inputs = None,
    batch_size: Batch = None,
    set_: Settings = None,
    training: Training = False,
    with_layers: Annotated[bool, typer.Option("--layers", help="Put the layers under each other as well.")] = False,
    depth: Depth = None,
    all_: All = False,
    columns: Columns = None,
    backward: Backward = False,
    bench: Annotated[bool, typer.Option("--bench", help="Measure their latency as well, in turns.")] = False,
    device: Device = "cpu",
    seconds: Seconds = 1.0,
    threads: Threads = None,
    form: As = Format.table,
    output: Output = None,
    strict: Strict = False,
    debug: Debug = False,
) -> None:
    """Networks side by side, each measure with its ratio to the first.

    \b
    archcalc compare inception-naive inception-bottleneck
    archcalc compare vgg16 resnet50 googlenet -f csv
    archcalc compare conv5x5 conv3x3-twice --layers
    archcalc compare inception-naive inception-bottleneck --bench
    """  # noqa: D301
    with clear_errors(debug):
        from dataclasses import replace

        from archcalc.count.compare import compare
        from archcalc.render.compare import comparison
        from archcalc.values.columns import selection

        if columns is not None and not with_layers:
            raise UsageError("--columns chooses among the columns of layers: add --layers")
        keys = None if columns is None else selection(columns)
        asked = requests(models, input_size, batch_size, set_)
        reports = [report_of(one, training, backward) for one in asked]
        shown = replace(compare(*reports), reports=tuple(folded(report, depth, all_, form) for report in reports))
        from archcalc.cli.bench import check_failures, latency

        measured = latency(models, input_size, batch_size, set_, training, device, seconds, threads) if bench else None
        write(comparison(shown, with_layers=with_layers, keys=keys, measured=measured), form, output)
        if measured is not None:
            check_failures(measured)
        check_complete(reports, strict)
