"""The command line: parse, call, write, exit code."""

from __future__ import annotations

import gc
import sys
from typing import Annotated

import typer

from archcalc.cli.bench import bench
from archcalc.cli.compare import compare
from archcalc.cli.conventions import conventions
from archcalc.cli.explain import explain
from archcalc.cli.export import export
from archcalc.cli.interrupt import exit_on_interrupt
from archcalc.cli.list import list_
from archcalc.cli.memory import memory
from archcalc.cli.rf import rf
from archcalc.cli.streams import say
from archcalc.cli.table import table
from archcalc.cli.verify import verify
from archcalc.values.errors import UsageError

app = typer.Typer(
    name="archcalc",
    help="Tells exactly what a neural network costs, layer by layer.",
    epilog="Exit codes: 0 fine; 1 a check or strict run failed; 2 wrong usage; 3 the model could not be built or run.",
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(table)
app.command()(compare)
app.command(name="list")(list_)
app.command()(rf)
app.command()(memory)
app.command()(explain)
app.command()(verify)
app.command()(conventions)
app.command()(export)
app.command()(bench)


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
