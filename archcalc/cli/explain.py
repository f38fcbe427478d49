"""explain: how a number comes about."""

from __future__ import annotations

from typing import Annotated

import typer

from archcalc.cli.options import As, Backward, Batch, Debug, Format, Inputs, Model, Output, Settings, Training
from archcalc.cli.request import report_of, request
from archcalc.cli.streams import clear_errors, write


def explain(
    model: Model,
    layer: Annotated[str | None, typer.Argument(metavar="[LAYER]", help="A layer's path, or a module's.")] = None,
    input_size: Inputs = None,
    batch_size: Batch = None,
    set_: Settings = None,
    training: Training = False,
    backward: Backward = False,
    form: As = Format.table,
    output: Output = None,
    debug: Debug = False,
) -> None:
    """How a number comes about: the formula with its numbers in, and what the documents say of it.

    \b
    archcalc explain alexnet
    archcalc explain alexnet conv2
    archcalc explain googlenet inception_3a -f markdown
    """  # noqa: D301
    with clear_errors(debug):
        from archcalc.count.explain import explain
        from archcalc.render.explain import explanation

        report = report_of(request(model, input_size, batch_size, set_), training, backward)
        explained = explain(report, layer)

        from archcalc.claims.check import with_claims  # which imports torch

        write(explanation(with_claims(explained)), form, output)
