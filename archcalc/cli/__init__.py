"""The command line: parse, call, write, exit code."""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from typing import Annotated

import typer

from archcalc.cli.interrupt import exit_on_interrupt
from archcalc.cli.streams import say, use_plain_signs
from archcalc.values.errors import UsageError

app = typer.Typer(
    name="archcalc",
    help="Tells exactly what a neural network costs, layer by layer.",
    epilog="Exit codes: 0 fine; 1 a check or strict run failed; 2 wrong usage; 3 the model could not be built or run.",
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

COMMANDS = (
    "table",
    "compare",
    "diff",
    "list",
    "rf",
    "memory",
    "explain",
    "verify",
    "lock",
    "conventions",
    "export",
    "bench",
    "plot",
    "draw",
    "report",
    "devices",
    "gradients",
    "train",
    "top-k",
)
"""In the order of the help. The file of that name defines the function of that name; `list_`, which is Python's own.
Files and functions have `_` for `-`."""

for _name in COMMANDS:
    _function = _name.replace("-", "_")
    _module = import_module(f"archcalc.cli.{_function}")
    app.command(_name)(getattr(_module, _function, None) or getattr(_module, f"{_function}_"))


def _version(asked: bool) -> None:
    if asked:
        from archcalc import __version__

        typer.echo(f"archcalc {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """The entry point of the `archcalc` command."""
    exit_on_interrupt()
    use_plain_signs()
    try:
        app()
    except SystemExit as error:
        if isinstance(error.__context__, BrokenPipeError):  # whoever reads the help has seen enough
            error.code = 0
        raise
    except OSError as error:  # from the help and the version; the commands see to it themselves
        say(f"cannot write the output: {error.strerror or error}")
        sys.exit(UsageError.exit_code)
    finally:
        gc.freeze()  # everything goes with the process: taking torch apart object by object takes a third of a second
