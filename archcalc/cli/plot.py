"""plot: charts of what networks cost."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archcalc.cli.bench import latency
from archcalc.cli.options import MODEL, Batch, Debug, Inputs, Output, Settings, Tokens, complete_model
from archcalc.cli.request import analyze, request, requests
from archcalc.cli.streams import clear_errors, to_stdout, to_terminal, write_content
from archcalc.sources.saved import is_saved, read_report
from archcalc.values.errors import UsageError

if TYPE_CHECKING:
    from archcalc.analysis import Analysis
    from archcalc.cli.request import Request as Asked
    from archcalc.values.effective_field import EffectiveField
    from archcalc.values.gradients import Gradients, StartSetting

Kind = StrEnum("Kind", "zoo layers receptive-field memory roofline compare latency gradients effective-field training")
Theme = StrEnum("Theme", ["light", "dark"])
Picture = StrEnum("Picture", ["svg", "png", "pdf", "html", "json"])
BINARY = (Picture.png, Picture.pdf)


def plot(
    kind: Annotated[Kind, typer.Argument(help="Which chart.", metavar="KIND")],
    models: Annotated[
        list[str] | None, typer.Argument(help=MODEL, metavar="[MODEL]...", autocompletion=complete_model)
    ] = None,
    input_size: Inputs = None,
    batch_size: Batch = None,
    set_: Settings = None,
    tokens: Tokens = None,
    optimizer: Annotated[str, typer.Option("--optimizer", help="For memory: none, sgd, momentum or adam.")] = "sgd",
    protocol: Annotated[
        str | None, typer.Option("--protocol", metavar="TEXT", help="For zoo: errors whose test protocol contains it.")
    ] = None,
    device: Annotated[
        str | None, typer.Option("--device", metavar="NAME", help="For roofline a known device; for latency cpu, cuda.")
    ] = None,
    bench: Annotated[
        Path | None, typer.Option("--bench", metavar="FILE", help="For latency and roofline: a saved benchmark.")
    ] = None,
    init: Annotated[
        str | None, typer.Option("--init", metavar="INIT", help="For gradients, effective-field: see `gradients`.")
    ] = None,
    seeds: Annotated[
        int | None, typer.Option("--seeds", min=1, help="For gradients, effective-field: how many. [default: 3]")
    ] = None,
    layer: Annotated[
        str | None, typer.Option("--layer", metavar="PATH", help="For effective-field: the layer of the unit.")
    ] = None,
    run: Annotated[Path | None, typer.Option("--run", metavar="FILE", help="For training: a saved training.")] = None,
    theme: Annotated[Theme, typer.Option("--theme", help="The colours.")] = Theme.light,
    picture: Annotated[
        Picture | None, typer.Option("-f", "--format", help="How it is written. [default: as FILE ends, or svg]")
    ] = None,
    output: Output = None,
    debug: Debug = False,
) -> None:
    """Charts: zoo, layers, receptive-field, memory, roofline, compare, latency, gradients, effective-field, training.

    \b
    archcalc plot zoo -o zoo.svg
    archcalc plot layers alexnet vgg16 -o layers.png
    archcalc plot receptive-field alexnet vgg16 resnet50 -o rf.svg
    archcalc plot memory resnet50 -b 32 -o memory.html
    archcalc plot roofline alexnet --device a100-fp32 -o roofline.svg
    archcalc plot compare vgg16 resnet50 googlenet -f json
    archcalc plot latency --bench saved.json -o latency.pdf
    archcalc plot gradients plain56 resnet56 -o gradients.svg
    archcalc plot effective-field vgg16 --layer conv5_3 -o field.svg
    archcalc plot training --run run.json -o training.svg
    """  # noqa: D301
    with clear_errors(debug):
        form = _format(picture, output)

        from dataclasses import replace

        from archcalc.charts.plot import Request, chart
        from archcalc.values.benchmark import load
        from archcalc.values.training import as_training

        names = tuple(models or ())
        if names and all(map(is_saved, names)):
            requests([*names], input_size, batch_size, set_, tokens)  # which take no input
        if kind == "zoo":
            _check_zoo(input_size, batch_size, set_)

        def traced(
            model: Any, *, inputs: Any = None, settings: dict[str, Any] | None = None, backward: bool = False
        ) -> Analysis:
            asked = request(model, input_size, batch_size, set_, tokens)
            if settings:
                asked = replace(asked, settings=settings)
            if inputs is not None:
                asked = replace(asked, inputs=inputs, batch_size=None)
            return analyze(asked, training=backward, backward=backward)

        def to_start(model: Any, setting: StartSetting) -> Asked:
            return request(model, input_size, setting.batch_size if input_size else None, set_, tokens)

        def started_gradients(model: Any, setting: StartSetting) -> Gradients:
            from archcalc.lessons.gradients import gradients

            asked = to_start(model, setting)
            with redirect_stdout(sys.stderr):
                return gradients(model, asked.inputs, setting, asked.settings)

        def started_field(model: Any, layer: str, setting: StartSetting) -> EffectiveField:
            from archcalc.lessons.effective_field import effective_field

            asked = to_start(model, setting)
            with redirect_stdout(sys.stderr):
                return effective_field(model, layer, asked.inputs, setting, asked.settings)

        asked = Request(
            models=tuple(read_report(name) if is_saved(name) else name for name in names),
            analyze=traced,
            measure=lambda: latency([*names], input_size, batch_size, set_, tokens, False, device or "cpu", 1.0, None),
            benchmark=None if bench is None else load(bench),
            device=device,
            protocol=protocol,
            optimizer=optimizer,
            init=init,
            seeds=seeds,
            batch_size=batch_size,
            layer=layer,
            gradients=started_gradients,
            effective=started_field,
            training=as_training(run),
        )
        write_content(chart(kind, asked, theme).render(form), output)


def _format(picture: Picture | None, output: Path | None) -> Picture:
    """The format asked for, or that the file's ending names; UsageError where a terminal would get a picture."""
    from archcalc.charts.chart import format_of
    from archcalc.charts.convert import require

    if output is not None and not to_stdout(output):
        form = picture or Picture(format_of(output))
    elif to_terminal(output) and (picture is None or picture in BINARY):
        raise UsageError("say where the picture goes: -o chart.svg, .png, .pdf or .html; -f json shows its data")
    else:
        form = picture or Picture.svg
    if form is not Picture.json:
        require()  # known now, and not after all the tracing
    return form


def _check_zoo(sizes: list[str] | None, batch_size: int | None, pairs: list[str] | None) -> None:
    if sizes or batch_size is not None or pairs:
        raise UsageError("the zoo chart shows networks as they were published: leave out -i, -b and --set")
