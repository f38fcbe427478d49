"""train: networks trained side by side on small images."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archcalc.cli.options import As, Debug, Format, Output, Settings, Threads, complete_model
from archcalc.cli.request import settings_of
from archcalc.cli.streams import clear_errors, progress, write, write_file
from archcalc.values.errors import UsageError
from archcalc.values.input_size import parse_size

if TYPE_CHECKING:
    from archcalc.values.training import Training


HELP = "Zoo names (see `archcalc list`), package.module:factory, or path/to/net.py:Net."


def train(
    models: Annotated[list[str], typer.Argument(help=HELP, metavar="MODEL...", autocompletion=complete_model)],
    data: Annotated[
        str, typer.Option("--data", metavar="digits|synthetic|DIR", help="Or a folder with a folder a class.")
    ] = "digits",
    steps: Annotated[int, typer.Option("--steps", min=1, help="Steps of stochastic gradient descent.")] = 70,
    batch_size: Annotated[int, typer.Option("-b", "--batch-size", min=1, help="Images in a batch.")] = 128,
    rate: Annotated[float, typer.Option("--rate", help="The learning rate.")] = 0.01,
    momentum: Annotated[float, typer.Option("--momentum", help="The momentum, from 0 to below 1.")] = 0.9,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Train so many times, from seeds 0, 1, ...")] = 1,
    input_size: Annotated[
        str | None, typer.Option("-i", "--input-size", metavar="CxHxW", help="Bring the images to this size.")
    ] = None,
    set_: Settings = None,
    threads: Threads = None,
    save: Annotated[
        Path | None, typer.Option("--save", metavar="FILE", help="Keep the runs, as JSON, after each of them.")
    ] = None,
    resume: Annotated[
        Path | None, typer.Option("--resume", metavar="FILE", help="Go on with the runs in FILE, and keep them there.")
    ] = None,
    form: As = Format.table,
    output: Output = None,
    debug: Debug = False,
) -> None:
    """Train networks in the same way on small images: training and test error by epoch, several seeds.

    \b
    archcalc train plain20 plain56 resnet20 resnet56 --seeds 5 --save run.json
    archcalc train plain20 plain56 resnet20 resnet56 --seeds 5 --resume run.json
    archcalc train lenet5-modern --steps 300
    archcalc train net.py:Net -i 3x32x32 --data images/
    archcalc plot training --run run.json -o training.svg

    \b
    It shows how far the same few steps bring different networks; what it does not
    show stands below the result. The same seed gives the same figures on the same
    machine, torch and number of threads.
    """  # noqa: D301
    with clear_errors(debug):
        from archcalc.values.training import Recipe, load

        settings = {key: value for model in models for key, value in settings_of(model, set_).items()}
        shape = None if input_size is None else parse_size(input_size)
        kept = save or resume
        for file in (output, kept):
            if file is not None and not file.absolute().parent.is_dir():  # known now, and not after all the training
                raise UsageError(f"cannot write {file}: there is no folder {file.parent}")
        before = None if resume is None else load(resume)

        import torch

        from archcalc.lessons.experiment import train
        from archcalc.render.training import training

        if threads is None:
            threads = torch.get_num_threads() if before is None else before.recipe.threads
        recipe = Recipe(data, steps, batch_size, rate, momentum, threads, settings)

        def keep(so_far: Training) -> None:
            if kept is not None:
                write_file(kept, so_far.to_json() + "\n")

        total = steps * seeds * len(dict.fromkeys(models))
        with progress(total) as step_done, redirect_stdout(sys.stderr):  # what a model prints is not the data
            trained = train(models, shape, recipe, range(seeds), resume=before, step_done=step_done, run_done=keep)
        keep(trained)
        write(training(trained), form, output)
