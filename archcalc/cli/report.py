"""report: one page with everything that is known of networks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from archcalc.cli.options import MODEL, Batch, Debug, Inputs, Output, Settings, complete_model
from archcalc.cli.request import analyze, request
from archcalc.cli.streams import clear_errors, to_terminal, write_content
from archcalc.values.errors import UsageError


def report(
    models: Annotated[list[str], typer.Argument(help=MODEL, metavar="MODEL...", autocompletion=complete_model)],
    input_size: Inputs = None,
    batch_size: Batch = None,
    set_: Settings = None,
    bench: Annotated[
        Path | None, typer.Option("--bench", metavar="RUN.json", help="A saved benchmark, for the latencies.")
    ] = None,
    output: Output = None,
    debug: Debug = False,
) -> None:
    """One HTML file with drawings, charts, layers and claims, which loads nothing from anywhere.

    \b
    archcalc report resnet50 -o resnet50.html
    archcalc report alexnet vgg16 googlenet -o report.html
    archcalc report net.py:Net -i 3x64x64 -o net.html
    """  # noqa: D301
    with clear_errors(debug):
        if to_terminal(output):
            raise UsageError("say where the page goes: -o report.html")

        from archcalc.page.build import page, require
        from archcalc.values.benchmark import load

        require()  # known now, and not after all the tracing
        run = None if bench is None else load(bench)
        asked = [request(model, input_size, batch_size, set_) for model in models]
        analyses = [analyze(one, every_op=True, backward=True) for one in asked]
        published = not (input_size or set_) and batch_size in (None, 1)
        write_content(page(analyses, as_published=published, benchmark=run), output)
