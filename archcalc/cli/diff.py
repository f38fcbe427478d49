"""diff: what differs between two networks."""

from __future__ import annotations

from typing import Annotated

import typer

from archcalc.cli.folding import ROWS_IN_A_TERMINAL, check_complete
from archcalc.cli.options import (
    As,
    Backward,
    Batch,
    Debug,
    Depth,
    Format,
    Inputs,
    Output,
    Settings,
    Strict,
    Training,
    complete_model,
)
from archcalc.cli.request import Request, report_of, request
from archcalc.cli.streams import clear_errors, say, write
from archcalc.formats import RAW

HELP = "Two networks, saved reports among them; or one or two git revisions and a file, net.py:Net."


def diff(
    models: Annotated[list[str], typer.Argument(help=HELP, metavar="BEFORE AFTER", autocompletion=complete_model)],
    input_size: Inputs = None,
    batch_size: Batch = None,
    set_: Settings = None,
    training: Training = False,
    backward: Backward = False,
    depth: Depth = None,
    all_: Annotated[bool, typer.Option("--all", help="Every layer, also those that are the same.")] = False,
    fail_over: Annotated[
        str | None,
        typer.Option("--fail-over", metavar="KEY=LIMIT,...", help="Exit 1 if it grew by more: params=2%,macs=0."),
    ] = None,
    form: As = Format.table,
    output: Output = None,
    strict: Strict = False,
    debug: Debug = False,
) -> None:
    """What differs between two networks: each layer added, removed, changed or renamed, and by how much in all.

    \b
    archcalc diff resnet50 resnet50-v1.5
    archcalc diff before.json net.py:Net -i 3x64x64 --fail-over params=2%,macs=0
    archcalc diff HEAD~1 net.py:Net -i 3x64x64
    archcalc diff v1.0 v1.1 net.py:Net -i 3x64x64 -f markdown
    """  # noqa: D301
    with clear_errors(debug):
        from archcalc.count.diff import difference, fold_difference, fold_difference_to
        from archcalc.count.diff_limits import exceeded, follows_backward, limits
        from archcalc.library.diff import before_and_after
        from archcalc.render import diff as rendered
        from archcalc.sources.saved import is_saved
        from archcalc.values.report import Report

        chosen = () if fail_over is None else limits(fail_over)
        followed = backward or follows_backward(chosen)
        has_own_input = all(map(is_saved, models))

        def counted(model: str) -> Report:
            if is_saved(model) and not has_own_input:
                return report_of(Request(model), training, followed)
            return report_of(request(model, input_size, batch_size, set_), training, followed)

        before, after = before_and_after(tuple(models), counted)
        whole = difference(before, after)
        if depth is not None:
            shown = fold_difference(whole, depth)
        else:
            shown = whole if all_ or form in RAW else fold_difference_to(whole, ROWS_IN_A_TERMINAL)
        write(rendered.difference(whole, shown, everything=all_), form, output)
        over = exceeded(whole, chosen)
        if over:
            say(f"--fail-over {'; '.join(over)}")
        check_complete([before, after], strict)
        if over:
            raise typer.Exit(1)
