"""memory: what a network holds."""

from __future__ import annotations

import re
import sys
from contextlib import redirect_stdout
from typing import Annotated

import typer

from archcalc.cli.networks import checked
from archcalc.cli.options import As, Batch, Debug, Format, Inputs, Model, Output, Settings
from archcalc.cli.streams import clear_errors, write
from archcalc.errors import UsageError

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}


def memory(
    model: Model,
    input_size: Inputs = None,
    batch_size: Batch = None,
    set_: Settings = None,
    optimizer: Annotated[str, typer.Option("--optimizer", help="none, sgd, momentum or adam.")] = "sgd",
    fits: Annotated[
        str | None, typer.Option("--fits", metavar="BYTES", help="The largest batch that fits, such as 8GiB.")
    ] = None,
    form: As = Format.table,
    output: Output = None,
    debug: Debug = False,
) -> None:
    """What a network holds in memory, by part, without allocating any of it.

    \b
    archcalc memory vgg16 -b 32
    archcalc memory resnet50 -b 32 --optimizer adam
    archcalc memory resnet50 --optimizer adam --fits 8GiB
    """  # noqa: D301
    with clear_errors(debug):
        from archcalc.count.memory import Budget
        from archcalc.render.budget import memory
        from archcalc.trace.sizes import of_another_batch

        limit = None if fits is None else _bytes(fits)
        inputs, batch, chosen = checked(model, input_size, batch_size, set_)
        if limit is not None and isinstance(inputs, list):
            raise UsageError("--fits varies the batch of a single input")

        from archcalc import analysis

        def of_batch(size: int | None) -> Budget:
            given = inputs if size is None or inputs is None else of_another_batch(inputs, size)
            return analysis.memory(model, given, batch if size is None or inputs else size, chosen, optimizer)

        with redirect_stdout(sys.stderr):
            found = of_batch(None)
            sentences = (
                []
                if limit is None
                else [
                    f"{what} fits {fits} up to a batch of {analysis.largest_batch(limit, of_batch, total):,}"
                    for what, total in (("inference", "inference_total"), ("training", "training_total"))
                ]
            )
        write(memory(found, sentences), form, output)


def _bytes(text: str) -> int:
    """What 8GiB, 80GB, 8G or 1073741824 says."""
    match = re.fullmatch(r"(\d{1,18}(?:\.\d{1,6})?)\s*([kmgt]?i?)b?", text.strip().lower(), flags=re.ASCII)
    if match is None or match[2] not in _UNITS:
        raise UsageError(f"'{text}' is no amount of memory; write it as 8GiB or 80GB")
    return int(float(match[1]) * _UNITS[match[2]])
