"""conventions: what other tools print, and why."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import Annotated

import typer

from archcalc.cli.folding import ordered_by
from archcalc.cli.options import As, Batch, Debug, Format, Inputs, Model, Output, Settings, Sort, Tokens, Top
from archcalc.cli.request import analyze, request
from archcalc.cli.streams import clear_errors, say, write


def conventions(
    model: Model,
    input_size: Inputs = None,
    batch_size: Batch = None,
    set_: Settings = None,
    tokens: Tokens = None,
    run: Annotated[
        bool, typer.Option("--run", help="Run those that are installed, and say whether they agree.")
    ] = False,
    sort: Sort = None,
    top: Top = None,
    form: As = Format.table,
    output: Output = None,
    debug: Debug = False,
) -> None:
    """What each other tool prints for a network, and why it is not the same number; exit 1 if one that ran disagrees.

    \b
    archcalc conventions resnet50
    archcalc conventions alexnet --run
    archcalc conventions net.py:Net -i 3x64x64 -f csv
    """  # noqa: D301
    with clear_errors(debug):
        order = ordered_by(sort, top, form)
        from archcalc.render.conventions import conventions

        analysis = analyze(request(model, input_size, batch_size, set_, tokens), every_op=True)

        from archcalc.peers import conventions as peers

        with redirect_stdout(sys.stderr):
            result = peers.conventions(analysis, run=run)
        write(conventions(result), form, output, order)
        if result.wrong:
            say(f"not as computed: {', '.join(result.wrong)}; another version of the tool, or an error here")
            raise typer.Exit(1)
