"""The arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from archcalc.formats import Format as Format


def complete_model(incomplete: str) -> list[str]:
    """The names of the zoo that begin so."""
    from archcalc.zoo import registry

    return [name for name in registry.names() if name.startswith(incomplete.replace("_", "-"))]


def _complete_columns(incomplete: str) -> list[str]:
    from archcalc.values.columns import COLUMNS

    chosen, comma, begun = incomplete.rpartition(",")
    return [f"{chosen}{comma}{key}" for key in COLUMNS if key.startswith(begun)]


MODEL = "A zoo name (see `archcalc list`), package.module:factory, path/to/net.py:Net, or a saved report, x.json."
Model = Annotated[str, typer.Argument(help=MODEL, metavar="MODEL", autocompletion=complete_model)]
Models = Annotated[list[str], typer.Argument(help=MODEL, metavar="MODEL MODEL...", autocompletion=complete_model)]
Inputs = Annotated[
    list[str] | None,
    typer.Option(
        "-i", "--input-size", metavar="CxHxW[:DTYPE]", help="Input size, such as 3x224x224 or 128:int64; one an input."
    ),
]
Batch = Annotated[int | None, typer.Option("-b", "--batch-size", help="Samples in the batch. [default: 1]")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A setting of the model's builder.")
]
Training = Annotated[bool, typer.Option("--training", help="Count what runs in training, such as auxiliary heads.")]
Depth = Annotated[int | None, typer.Option("--depth", min=1, help="Fold the rows into modules that deep.")]
All = Annotated[bool, typer.Option("--all", help="Show every row in a terminal, however many.")]
Columns = Annotated[
    str | None,
    typer.Option("--columns", metavar="KEY,KEY,...", help="The columns, or all.", autocompletion=_complete_columns),
]
Backward = Annotated[bool, typer.Option("--backward", help="Add the backward pass: its mult-adds, bytes saved for it.")]
Roofline = Annotated[
    str | None,
    typer.Option("--device", metavar="NAME", help="Add least times on a device, see `archcalc devices`."),
]
Peak = Annotated[float | None, typer.Option("--peak", metavar="FLOP/S", help="The same for a device of this peak ...")]
Bandwidth = Annotated[float | None, typer.Option("--bandwidth", metavar="BYTES/S", help="... and this bandwidth.")]
As = Annotated[Format, typer.Option("-f", "--format", help="How it is written.")]
Output = Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write to a file instead.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 1 if any op could not be counted.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
Device = Annotated[str, typer.Option("-d", "--device", metavar="cpu|cuda|cuda:N", help="What they run on.")]
Seconds = Annotated[float, typer.Option("--seconds", metavar="S", help="Time budget of each measurement, in seconds.")]
Threads = Annotated[
    int | None, typer.Option("--threads", min=1, help="Threads of torch on the CPU. [default: torch's own]")
]
