"""The command line: parse, call, write, exit code."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archcalc.errors import ArchcalcError, ModelError, UsageError, unknown

if TYPE_CHECKING:
    from archcalc.count.report import Report
    from archcalc.render import Grid

ROWS_IN_A_TERMINAL = 60
"""A table of more rows is folded by module until it has about that many."""

Format = StrEnum("Format", ["table", "csv", "json", "markdown", "latex"])

app = typer.Typer(
    name="archcalc",
    help="Tells exactly what a neural network costs, layer by layer.",
    epilog="Exit codes: 0 fine; 1 a check or strict run failed; 2 wrong usage; 3 the model could not be built or run.",
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _complete_model(incomplete: str) -> list[str]:
    from archcalc.zoo import registry

    return [name for name in registry.names() if name.startswith(incomplete.replace("_", "-"))]


def _complete_columns(incomplete: str) -> list[str]:
    from archcalc.count.columns import COLUMNS

    chosen, comma, begun = incomplete.rpartition(",")
    return [f"{chosen}{comma}{key}" for key in COLUMNS if key.startswith(begun)]


MODEL = "A zoo name (see `archcalc list`), package.module:factory, or path/to/net.py:Net."
Model = Annotated[str, typer.Argument(help=MODEL, metavar="MODEL", autocompletion=_complete_model)]
Models = Annotated[list[str], typer.Argument(help=MODEL, metavar="MODEL MODEL...", autocompletion=_complete_model)]
Inputs = Annotated[
    list[str] | None,
    typer.Option("-i", "--input-size", metavar="CxHxW", help="Input size; once more for each further input."),
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
As = Annotated[Format, typer.Option("-f", "--format", help="How it is written.")]
Output = Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write to a file instead.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 1 if any op could not be counted.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


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


@app.command()
def table(
    model: Model,
    input_size: Inputs = None,
    batch_size: Batch = None,
    set_: Settings = None,
    training: Training = False,
    depth: Depth = None,
    all_: All = False,
    columns: Columns = None,
    form: As = Format.table,
    output: Output = None,
    strict: Strict = False,
    debug: Debug = False,
) -> None:
    """One row a layer, in forward order: shapes, parameters, multiply-adds.

    \b
    archcalc table alexnet
    archcalc table resnet152 --depth 1
    archcalc table resnet50 -i 3x384x384 -b 8 -f csv -o resnet50.csv
    archcalc table net.py:Net -i 3x64x64 --set width=32
    """  # noqa: D301  \b keeps the lines of the example apart
    with _clear_errors(debug):
        from archcalc.render import layers, selection

        keys = None if columns is None else selection(columns)
        try:
            report = _analyze(model, input_size, batch_size, training, set_)
        except ModelError as error:
            if error.report is not None and error.report.rows:
                _write(layers(_folded(error.report, depth, all_, form), keys), form, None)
            raise
        _write(layers(_folded(report, depth, all_, form), keys), form, output)
        _check_complete([report], strict)


@app.command()
def compare(
    models: Models,
    input_size: Inputs = None,
    batch_size: Batch = None,
    set_: Settings = None,
    training: Training = False,
    with_layers: Annotated[bool, typer.Option("--layers", help="Put the layers under each other as well.")] = False,
    depth: Depth = None,
    all_: All = False,
    columns: Columns = None,
    form: As = Format.table,
    output: Output = None,
    strict: Strict = False,
    debug: Debug = False,
) -> None:
    """Networks side by side, each measure with its ratio to the first.

    \b
    archcalc compare inception-naive inception-bottleneck
    archcalc compare vgg16 resnet50 googlenet -f csv
    archcalc compare conv5x5 conv3x3-twice --layers
    """  # noqa: D301
    with _clear_errors(debug):
        from dataclasses import replace

        from archcalc.count.compare import compare
        from archcalc.render import comparison, selection

        if columns is not None and not with_layers:
            raise UsageError("--columns chooses among the columns of layers: add --layers")
        keys = None if columns is None else selection(columns)
        reports = [_analyze(model, input_size, batch_size, training, set_) for model in models]
        found = compare(*reports)
        shown = replace(found, reports=tuple(_folded(report, depth, all_, form) for report in reports))
        _write(comparison(shown, with_layers=with_layers, keys=keys), form, output)
        _check_complete(reports, strict)


@app.command(name="list")
def list_(
    pattern: Annotated[str, typer.Argument(help="Only names that contain this.")] = "",
    cost: Annotated[bool, typer.Option("--cost", help="Add depth, parameters and multiply-adds.")] = False,
    form: As = Format.table,
    output: Output = None,
    debug: Debug = False,
) -> None:
    """The networks of the zoo: year, input, source, published errors.

    \b
    archcalc list
    archcalc list resnet --cost
    archcalc list --cost -f csv
    """  # noqa: D301
    with _clear_errors(debug):
        from archcalc.render import Listing, catalogue
        from archcalc.zoo import registry

        wanted = pattern.lower().replace("_", "-")
        entries = [entry for entry in registry.catalogue().values() if wanted in entry.name]
        if not entries:
            raise unknown("network", pattern, registry.names(), "`archcalc list` shows all of them")
        listings = _costs(entries) if cost else [Listing(entry) for entry in entries]
        _write(catalogue(listings), form, output)


def _analyze(
    model: str, sizes: list[str] | None, batch_size: int | None, training: bool, settings: list[str] | None
) -> Report:
    from archcalc.trace.sizes import parse_size, with_batch
    from archcalc.zoo import registry

    # what is wrong already is said before torch is imported
    shapes = [with_batch(parse_size(size), batch_size) for size in sizes or ()]
    inputs = None if not shapes else shapes[0] if len(shapes) == 1 else shapes
    chosen = _settings(settings or [])
    if ":" not in model:
        registry.check_settings(registry.architecture(model), chosen)

    from archcalc.analysis import analyze

    return analyze(model, inputs, batch_size=None if shapes else batch_size, training=training, **chosen)


def _settings(pairs: list[str]) -> dict[str, Any]:
    """`width=32` as {"width": 32}: Python literals, and what is none as a string."""
    import ast

    found: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.isidentifier():
            raise UsageError(f"'{pair}' is no setting; write name=value, such as num_classes=10")
        try:
            found[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            found[key] = value
    return found


def _folded(report: Report, depth: int | None, everything: bool, form: Format) -> Report:
    from archcalc.count.fold import fold, fold_to

    if depth is not None:
        return fold(report, depth)
    return report if everything or form in (Format.csv, Format.json) else fold_to(report, ROWS_IN_A_TERMINAL)


def _costs(entries: list[Any]) -> list[Any]:
    """Each network traced, with progress on stderr where somebody is looking."""
    from archcalc.analysis import analyze
    from archcalc.render import Listing

    listings = []
    for number, entry in enumerate(entries, start=1):
        if sys.stderr.isatty():
            print(f"\r\x1b[K{number} of {len(entries)}: {entry.name}", end="", file=sys.stderr, flush=True)  # noqa: T201
        try:
            listings.append(Listing(entry, analyze(entry.name)))
        except ArchcalcError as error:
            listings.append(Listing(entry, error=str(error)))
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)  # noqa: T201
    return listings


def _check_complete(reports: list[Report], strict: bool) -> None:
    partial = [report.subject for report in reports if not report.complete]
    if strict and partial:
        _say(f"--strict: the count of {', '.join(partial)} is a lower bound, see the ops named there")
        raise typer.Exit(1)


# ---- streams and exit codes


def _write(grid: Grid, form: Format, output: Path | None) -> None:
    """The grid to stdout or, whole or not at all, to a file."""
    from archcalc.render import render

    if output is not None:
        _write_file(output, render(grid, form, width=_width(), colour=False))
        return
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    text = render(grid, form, width=_width(), colour=colour)
    encoding = sys.stdout.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = render(grid, form, width=_width(), colour=colour, ascii_only=True)
    sys.stdout.write(text)
    sys.stdout.flush()


def _width() -> int:
    return max(40, shutil.get_terminal_size((80, 24)).columns)


def _write_file(path: Path, text: str) -> None:
    """Replace a file in one step, so that nobody ever finds half of one."""
    target = path.resolve()
    try:
        if target.exists() and not target.is_file():  # a device or a pipe cannot be replaced
            target.write_text(text, encoding="utf-8")
            return
        draft = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            draft.write_text(text, encoding="utf-8")
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error


def _say(message: str) -> None:
    typer.echo(f"archcalc: {message}", err=True)


@contextmanager
def _clear_errors(debug: bool) -> Iterator[None]:
    """Every error becomes one clear line on stderr and its exit code; `debug` adds the traceback."""
    try:
        yield
    except ArchcalcError as error:
        if debug:
            raise
        _say(str(error))
        raise typer.Exit(error.exit_code) from error
    except BrokenPipeError as error:  # the reader of a pipe has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit from error
    except typer.Exit:
        raise
    except Exception as error:
        if debug:
            raise
        _say(f"unexpected {type(error).__name__}: {error}; please report it, with what --debug shows")
        raise typer.Exit(1) from error


def main() -> None:
    """The entry point of the `archcalc` command."""
    app()
