"""draw: the architecture as papers draw it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from archcalc.cli.options import Batch, Debug, Inputs, Model, Output, Settings, Training
from archcalc.cli.request import analyze, report_of, request
from archcalc.cli.streams import clear_errors, to_stdout, to_terminal, write_content, write_files
from archcalc.pictures.choices import BINARY, Colour, Direction, FileFormat, Theme, beside, format_of
from archcalc.sources.saved import is_saved
from archcalc.values.errors import UsageError


def draw(
    model: Model,
    input_size: Inputs = None,
    batch_size: Batch = None,
    set_: Settings = None,
    training: Training = False,
    module: Annotated[str, typer.Option("--module", metavar="PATH", help="Draw this module alone.")] = "",
    depth: Annotated[
        int | None, typer.Option("--depth", min=1, help="Open modules that deep. [default: as far as there is room]")
    ] = None,
    open_: Annotated[
        list[str] | None, typer.Option("--open", metavar="PATH", help="Open this module, too; may be given again.")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Open everything, and draw equal modules one by one.")] = False,
    layer: Annotated[str | None, typer.Option("--layer", metavar="PATH", help="Mark this layer or module.")] = None,
    colour: Annotated[Colour, typer.Option("--colour", help="What the boxes' colours mean.")] = Colour.kind,
    bench: Annotated[
        Path | None, typer.Option("--bench", metavar="RUN.json", help="A benchmark with --layers, for their time.")
    ] = None,
    direction: Annotated[Direction, typer.Option("--direction", help="Where the input's data flow.")] = Direction.down,
    wrap: Annotated[
        int | None,
        typer.Option("--wrap", metavar="PIXELS", help="Longest row or column; 0: any. [default: 1600 to the right]"),
    ] = None,
    theme: Annotated[Theme, typer.Option("--theme", help="Light, dark, or as the reader's system is.")] = Theme.auto,
    picture: Annotated[
        FileFormat | None, typer.Option("-f", "--format", help="How it is written. [default: by FILE's suffix, or svg]")
    ] = None,
    output: Output = None,
    debug: Debug = False,
) -> None:
    """The architecture as papers draw it: SVG, PNG, PDF, Mermaid, DOT, or a graph for Model Explorer.

    \b
    archcalc draw resnet18 -o resnet18.svg
    archcalc draw googlenet --open inception_3a -o googlenet.png
    archcalc draw googlenet --module inception_3a -f mermaid
    archcalc draw vgg16 --direction right --colour params -o vgg16.pdf
    archcalc draw alexnet -f model-explorer -o alexnet.json
    """  # noqa: D301
    with clear_errors(debug):
        from archcalc.pictures.build import EVERYTHING
        from archcalc.pictures.drawing import drawing
        from archcalc.pictures.files import contents
        from archcalc.values.benchmark import load

        form = _format(picture, output)
        run = None if bench is None else load(bench)
        backward = colour == Colour.saved_bytes
        asked = request(model, input_size, batch_size, set_)
        analysis = None if is_saved(model) else analyze(asked, training, backward)
        drawn = drawing(
            analysis.report if analysis else report_of(asked, training, backward),
            analysis.trace if analysis else None,
            module=module,
            depth=EVERYTHING if all_ else depth,
            opened=open_ or (),
            repeats=not all_,
            layer=layer,
            colour=colour,
            benchmark=run,
            direction=direction,
            wrap=wrap,
            theme=theme,
        )
        files = contents(drawn, form)
        if output is None or to_stdout(output) or len(files) == 1:
            write_content(files[""], output)
        else:
            write_files({beside(output, name): content for name, content in files.items()})


def _format(picture: FileFormat | None, output: Path | None) -> FileFormat:
    """The format asked for, or that the file's suffix names; UsageError where a terminal would get a picture."""
    if output is not None and not to_stdout(output):
        form = picture or format_of(output)
    elif picture in BINARY and to_terminal(output):
        raise UsageError(f"say where the picture goes: -o drawing.{picture}")
    else:
        form = picture or FileFormat.svg
    if form in BINARY:
        from archcalc.pictures.files import require

        require()  # known now, and not after all the tracing
    return form
