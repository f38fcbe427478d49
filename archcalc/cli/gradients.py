"""gradients: what reaches each layer of a network as it starts."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import Annotated

import typer

from archcalc.cli.options import All, As, Debug, Format, Init, Inputs, Models, Output, Seeds, Settings
from archcalc.cli.request import request
from archcalc.cli.streams import clear_errors, progress, write

ROWS = 40
"""Layers that a table shows in a terminal."""


def gradients(
    models: Models,
    input_size: Inputs = None,
    batch_size: Annotated[int, typer.Option("-b", "--batch-size", min=1, help="Samples in the batch.")] = 8,
    set_: Settings = None,
    init: Init = "own",
    seeds: Seeds = 3,
    steps: Annotated[int, typer.Option("--steps", min=0, help="Look again after so many steps of SGD.")] = 0,
    activation: Annotated[
        str | None, typer.Option("--activation", help="Replaces activations: relu, tanh or sigmoid.")
    ] = None,
    without_norm: Annotated[bool, typer.Option("--without-norm", help="Leave normalisations out.")] = False,
    first_output: Annotated[
        bool, typer.Option("--first-output", help="No loss for further outputs, such as auxiliary heads.")
    ] = False,
    data: Annotated[
        str, typer.Option("--data", metavar="random|digits|synthetic|DIR", help="Where the images come from.")
    ] = "random",
    all_: All = False,
    form: As = Format.table,
    output: Output = None,
    debug: Debug = False,
) -> None:
    """The gradient that reaches each layer as a network starts: whether it vanishes or explodes, and where.

    \b
    archcalc gradients plain20 resnet20
    archcalc gradients plain56 --without-norm --init xavier
    archcalc gradients plain20 --steps 5 --data digits
    """  # noqa: D301
    with clear_errors(debug):
        from archcalc.values.gradients import StartSetting

        setting = StartSetting(init, seeds, batch_size, steps, activation, without_norm, first_output, data)
        asked = [request(model, input_size, batch_size if input_size else None, set_) for model in models]

        from archcalc.lessons import gradients as lesson
        from archcalc.render import gradients as renderer

        with progress(seeds * len(asked)) as done, redirect_stdout(sys.stderr):
            networks = [lesson.gradients(one.model, one.inputs, setting, one.settings, done) for one in asked]
        write(renderer.gradients(networks, None if all_ else ROWS), form, output)
