"""memory: what a network holds."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from archcalc.cli.options import As, Batch, Debug, Format, Inputs, Model, Output, Settings, Tokens
from archcalc.cli.request import analyze, request
from archcalc.cli.streams import clear_errors, write
from archcalc.values.errors import UsageError

if TYPE_CHECKING:
    from archcalc.values.budget import Budget

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}


def memory(
    model: Model,
    input_size: Inputs = None,
    batch_size: Batch = None,
    set_: Settings = None,
    tokens: Tokens = None,
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
        from archcalc.count.memory import budget, check_optimizer, largest_batch
        from archcalc.render.memory import memory
        from archcalc.values.input_size import CallInputs, of_another_batch

        limit = None if fits is None else _bytes(fits)
        asked = request(model, input_size, batch_size, set_, tokens)
        if limit is not None and isinstance(asked.inputs, (list, dict, CallInputs)):
            raise UsageError("--fits varies the batch of a single input")
        check_optimizer(optimizer)

        def of_batch(size: int) -> Budget:
            batch = {"batch_size": size} if asked.inputs is None else {"inputs": of_another_batch(asked.inputs, size)}
            return budget(analyze(replace(asked, **batch), training=True, backward=True).trace, optimizer)

        whole = budget(analyze(asked, training=True, backward=True).trace, optimizer)
        sentences = (
            []
            if limit is None
            else [
                f"{what} fits {fits} up to a batch of {largest_batch(limit, of_batch, total):,}"
                for what, total in (("inference", "inference_total"), ("training", "training_total"))
            ]
        )
        write(memory(whole, sentences), form, output)


def _bytes(text: str) -> int:
    """What 8GiB, 80GB, 8G or 1073741824 says."""
    match = re.fullmatch(r"(\d{1,18}(?:\.\d{1,6})?)\s*([kmgt]?i?)b?", text.strip().lower(), flags=re.ASCII)
    if match is None or match[2] not in _UNITS:
        raise UsageError(f"'{text}' is no amount of memory; write it as 8GiB or 80GB")
    return int(float(match[1]) * _UNITS[match[2]])
