"""table, compare, list: what networks cost."""

from __future__ import annotations

import gc
import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archcalc.cli.options import (
    All,
    As,
    Backward,
    Bandwidth,
    Batch,
    Columns,
    Debug,
    Depth,
    Device,
    Format,
    Inputs,
    Model,
    Models,
    Output,
    Peak,
    Roofline,
    Seconds,
    Settings,
    Strict,
    Threads,
    Training,
)
from archcalc.cli.streams import clear_errors, progress, say, write
from archcalc.errors import ArchcalcError, ModelError, UsageError, unknown

if TYPE_CHECKING:
    from archcalc.count.report import Report
    from archcalc.render.catalogue import Listing
    from archcalc.zoo.registry import Architecture

ROWS_IN_A_TERMINAL = 60
"""A table of more rows is folded by module until it has about that many."""


def table(
    model: Model,
    input_size: Inputs = None,
    batch_size: Batch = None,
    set_: Settings = None,
    training: Training = False,
    depth: Depth = None,
    all_: All = False,
    columns: Columns = None,
    backward: Backward = False,
    device: Roofline = None,
    peak: Peak = None,
    bandwidth: Bandwidth = None,
    form: As = Format.table,
    output: Output = None,
    strict: Strict = False,
    debug: Debug = False,
) -> None:
    """One row a layer, in forward order: shapes, parameters, multiply-adds.

    \b
    archcalc table alexnet
    archcalc table resnet152 --depth 1
    archcalc table resnet50 -i 3x384x384 -b 8 -f csv -o resnet50.csv
    archcalc table net.py:Net -i 3x64x64 --set width=32
    archcalc table vgg16 --backward
    archcalc table resnet50 --device a100-bf16
    """  # noqa: D301  \b keeps the lines of the example apart
    with clear_errors(debug):
        from archcalc.count.columns import BACKWARD, ROOFLINE, with_more
        from archcalc.count.roofline import bounded, roofline
        from archcalc.render.layers import layers, selection

        board = roofline(device, peak, bandwidth)
        keys = None if columns is None else selection(columns)
        if keys is None and (backward or board):
            keys = with_more(BACKWARD * backward + ROOFLINE * (board is not None), form)
        backward = backward or bool({*BACKWARD} & {*(keys or ())})
        try:
            report = analyze(model, input_size, batch_size, training, set_, backward)
        except ModelError as error:
            if error.report is not None and error.report.rows:
                write(layers(_folded(error.report, depth, all_, form), keys), form, None)
            raise
        if board is not None:
            report = bounded(report, board)
        write(layers(_folded(report, depth, all_, form), keys), form, output)
        _check_complete([report], strict)


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
        from archcalc.render.comparison import comparison
        from archcalc.render.layers import selection

        if columns is not None and not with_layers:
            raise UsageError("--columns chooses among the columns of layers: add --layers")
        keys = None if columns is None else selection(columns)
        reports = [analyze(model, input_size, batch_size, training, set_, backward) for model in models]
        found = compare(*reports)
        shown = replace(found, reports=tuple(_folded(report, depth, all_, form) for report in reports))
        from archcalc.cli.bench import check_failures, latency

        measured = latency(models, input_size, batch_size, set_, training, device, seconds, threads) if bench else None
        write(comparison(shown, with_layers=with_layers, keys=keys, measured=measured), form, output)
        if measured is not None:
            check_failures(measured)
        _check_complete(reports, strict)


def list_(
    pattern: Annotated[str, typer.Argument(help="Only names that contain this.")] = "",
    cost: Annotated[bool, typer.Option("--cost", help="Add depth, parameters and multiply-adds.")] = False,
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
        from archcalc.render.catalogue import Listing, catalogue
        from archcalc.zoo import registry

        wanted = pattern.lower().replace("_", "-")
        entries = [entry for entry in registry.catalogue().values() if wanted in entry.name]
        if not entries:
            raise unknown("network", pattern, registry.names(), "`archcalc list` shows all of them")
        write(catalogue(_costed(entries) if cost else [Listing(entry) for entry in entries]), form, output)


def analyze(
    model: str,
    sizes: list[str] | None,
    batch_size: int | None,
    training: bool,
    settings: list[str] | None,
    backward: bool = False,
) -> Report:
    """The report of what a command line names."""
    shapes, batch_size, chosen = checked(model, sizes, batch_size, settings)

    from archcalc.analysis import analyze as analyzed

    gc.freeze()  # what torch's import made stays to the end: the collector need not walk over it again and again
    with redirect_stdout(sys.stderr):  # what a model prints is said to a person; stdout is for the data
        return analyzed(model, shapes, batch_size, training, chosen, backward)


def checked(
    model: str, sizes: list[str] | None, batch_size: int | None, settings: list[str] | None
) -> tuple[Any, int | None, dict[str, Any]]:
    """Inputs, batch and settings of a command line; what is wrong already is said before torch is imported."""
    from archcalc.trace.sizes import parse_input, with_batch
    from archcalc.zoo import registry

    shapes = [with_batch(parse_input(size), batch_size) for size in sizes or ()]
    inputs = None if not shapes else shapes[0] if len(shapes) == 1 else shapes
    chosen = settings_of(settings or [])
    if ":" not in model and not model.endswith(".py"):
        registry.check_settings(registry.architecture(model), chosen)
    return inputs, None if shapes else batch_size, chosen


def settings_of(pairs: list[str]) -> dict[str, Any]:
    """`width=32` as {"width": 32}: Python literals, and what is none as a string."""
    import ast

    found: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.isidentifier():
            raise UsageError(f"'{pair}' is no setting; write name=value, such as num_classes=10")
        try:
            found[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            found[key] = value
    return found


def _folded(report: Report, depth: int | None, everything: bool, form: Format) -> Report:
    from archcalc.count.fold import fold, fold_to

    if depth is not None:
        return fold(report, depth)
    return report if everything or form in (Format.csv, Format.json) else fold_to(report, ROWS_IN_A_TERMINAL)


def _costed(entries: list[Architecture]) -> list[Listing]:
    from archcalc.cli.workers import in_processes

    with progress(len(entries)) as done:
        return in_processes(_listing, {entry.name: entry for entry in entries}, done)


def _listing(entry: Architecture) -> Listing:
    from archcalc.analysis import analyze
    from archcalc.render.catalogue import Listing, Totals

    try:
        return Listing(entry, Totals.of(analyze(entry.name)))
    except ArchcalcError as error:
        return Listing(entry, error=str(error))


def _check_complete(reports: list[Report], strict: bool) -> None:
    partial = [report.subject for report in reports if not report.complete]
    if strict and partial:
        say(f"--strict: the count of {', '.join(partial)} is a lower bound, see the ops named there")
        raise typer.Exit(1)
