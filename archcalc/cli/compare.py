"""compare: networks side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from archcalc.cli.folding import check_complete, folded, ordered_by
from archcalc.cli.options import (
    All,
    As,
    Backward,
    Batch,
    Debug,
    Depth,
    Device,
    Format,
    Inputs,
    Models,
    Output,
    Seconds,
    Settings,
    Sort,
    Strict,
    Threads,
    Tokens,
    Top,
    Training,
)
from archcalc.cli.request import analyze, report_of, requests
from archcalc.cli.streams import clear_errors, write
from archcalc.sources.saved import is_saved

if TYPE_CHECKING:
    from archcalc.cli.request import Request
    from archcalc.count.compare import Network


def _complete_measures(incomplete: str) -> list[str]:
    from archcalc.values.measures import measures

    chosen, comma, begun = incomplete.rpartition(",")
    return [f"{chosen}{comma}{key}" for key in measures() if key.startswith(begun)]


def compare(
    models: Models,
    input_size: Inputs = None,
    batch_size: Batch = None,
    set_: Settings = None,
    tokens: Tokens = None,
    training: Training = False,
    with_layers: Annotated[bool, typer.Option("--layers", help="Put the layers under each other as well.")] = False,
    depth: Depth = None,
    all_: All = False,
    columns: Annotated[
        str | None,
        typer.Option(
            "--columns",
            metavar="KEY,KEY,...",
            help="A row a network with these measures, such as params,latency,top1; with --layers the layers' columns.",
            autocompletion=_complete_measures,
        ),
    ] = None,
    transpose: Annotated[
        bool, typer.Option("--transpose", help="Exchange the rows and columns of the comparison.")
    ] = False,
    units: Annotated[
        str | None, typer.Option("--units", metavar="M|G|raw", help="For people; for each its own: params=M,macs=G.")
    ] = None,
    baseline: Annotated[
        str | None, typer.Option("--baseline", metavar="NAME", help="What the ratios are to. [default: the first]")
    ] = None,
    backward: Backward = False,
    bench: Annotated[bool, typer.Option("--bench", help="Measure the latency of a forward pass, in turns.")] = False,
    device: Device = "cpu",
    seconds: Seconds = 1.0,
    threads: Threads = None,
    sort: Sort = None,
    top: Top = None,
    form: As = Format.table,
    output: Output = None,
    strict: Strict = False,
    debug: Debug = False,
) -> None:
    """Networks side by side, each measure with its ratio to the first, or as a paper's table: a row a network.

    \b
    archcalc compare inception-naive inception-bottleneck
    archcalc compare vgg16 resnet50 googlenet -f csv
    archcalc compare conv5x5 conv3x3-twice --layers
    archcalc compare inception-naive inception-bottleneck --bench
    archcalc compare Ours=net.py:Net resnet50 -i 3x224x224 --columns params,macs,top1 --units M -f latex
    """  # noqa: D301
    with clear_errors(debug):
        from dataclasses import replace

        from archcalc.render.scale import check_units
        from archcalc.values.columns import selection
        from archcalc.values.measures import LATENCY, chosen_measures

        order = ordered_by(sort, top)
        check_units(units)
        measures = None if columns is None or with_layers else chosen_measures(columns)
        of_layers = None if columns is None or not with_layers else selection(columns)
        asked = requests(models, input_size, batch_size, set_, tokens)
        networks = [_network(one, measures or (), training, backward) for one in asked]

        from archcalc.cli.bench import check_failures, latency
        from archcalc.count.compare import compare, compare_by, with_baseline, with_latency
        from archcalc.render.compare import comparison, in_order_of

        reports = [network.report for network in networks]
        if baseline is not None:
            with_baseline(compare(*reports), baseline)  # a wrong name is said before anything is measured
        measured = None
        if bench or LATENCY in (measures or ()):
            measured = latency(models, input_size, batch_size, set_, tokens, training, device, seconds, threads)
        compared = compare(*reports) if measures is None else compare_by(networks, measures, measured)
        if measured is not None:
            compared = with_latency(compared, measured)
        compared = with_baseline(compared, baseline)
        if order is not None:
            compared = in_order_of(compared, order)
        compared = replace(
            compared,
            reports=tuple(folded(report, depth, all_, form) for report in compared.reports)
            if with_layers
            else compared.reports,
        )
        document = comparison(
            compared, with_layers=with_layers, keys=of_layers, measured=measured, transpose=transpose, units=units
        )
        write(document, form, output)
        if measured is not None:
            check_failures(measured)
        check_complete(reports, strict)


def _network(asked: Request, measures: Sequence[str], training: bool, backward: bool) -> Network:
    """What is known of a network that was asked about, as far as these measures need it."""
    from archcalc.count.compare import Network, follows_backward, needs_budget
    from archcalc.count.memory import budget
    from archcalc.sources.published import published_errors

    if is_saved(asked.model):  # what it does not hold is not known
        return Network(report_of(asked, training, backward))
    report = report_of(asked, training, backward or follows_backward(measures))
    held = budget(analyze(asked, training=True, backward=True).trace) if needs_budget(measures) else None
    return Network(report, held, published_errors(asked.model, asked.settings, report))
