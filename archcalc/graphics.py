"""Networks as charts and pictures: the functions `archcalc.plot` and `archcalc.draw`."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from archcalc.analysis import Analysis
    from archcalc.charts.chart import Chart
    from archcalc.pictures.drawing import Drawing
    from archcalc.values.benchmark import Benchmark
    from archcalc.values.report import Report


def plot(
    kind: str,
    *models: str | nn.Module | Report,
    inputs: Any = None,
    batch_size: int | None = None,
    theme: str = "light",
    device: str | None = None,
    bench: Benchmark | str | Path | None = None,
    protocol: str | None = None,
    optimizer: str = "sgd",
) -> Chart:
    """A chart that shows itself in a notebook and saves itself: `plot("zoo").save("zoo.svg")`.

    `kind` is "zoo", "layers", "receptive-field", "memory", "roofline", "compare" or "latency". `models`, `inputs` and
    `batch_size` as in `compare`; "memory" and "latency" take no reports, "zoo" takes names or nothing, for all.
    `theme` is "light" or "dark". `device` is a known device for "roofline", or what "latency" measures on; `bench` is a
    benchmark, or its file, for either of them. `protocol` is a part of the test protocol of the errors that "zoo"
    shows, `optimizer` as in `memory`.

    Pictures need the extra `archcalc[pictures]`; the chart's `spec` does not. Raises UsageError for a request that
    makes no sense, and UsageError and ModelError as `analyze` does.
    """
    import archcalc
    from archcalc.analysis import analysis_of
    from archcalc.charts.plot import Request, chart
    from archcalc.values.benchmark import Benchmark, load

    def traced(
        model: Any, *, inputs: Any = inputs, settings: dict[str, Any] | None = None, backward: bool = False
    ) -> Analysis:
        batch = batch_size if inputs is given else None
        return analysis_of(model, inputs, batch, settings=settings or {}, training=backward, backward=backward)

    given = inputs
    networks: Any = models  # measure is not called where reports are among them
    request = Request(
        models=models,
        analyze=traced,
        measure=lambda: archcalc.benchmark(
            *networks, inputs=inputs, batch_size=batch_size, mode="inference", device=device or "cpu"
        ),
        benchmark=bench if bench is None or isinstance(bench, Benchmark) else load(bench),
        device=device,
        protocol=protocol,
        optimizer=optimizer,
    )
    return chart(kind, request, theme)


def draw(
    model: str | nn.Module | Report,
    inputs: Any = None,
    *,
    batch_size: int | None = None,
    training: bool = False,
    module: str = "",
    depth: int | None = None,
    opened: Collection[str] = (),
    repeats: bool = True,
    layer: str | None = None,
    colour: str = "kind",
    bench: Benchmark | str | Path | None = None,
    direction: str = "down",
    theme: str = "auto",
    **settings: Any,
) -> Drawing:
    """The architecture as papers draw it: `draw("resnet18").save("resnet18.svg")`; a notebook shows it.

    `model` is a report that is not folded, or as in `analyze`, with `inputs`, `batch_size`, `training` and `settings`.
    `module` is the path of the module to draw, "" for the whole network. Modules are opened `depth` levels deep, None
    for as far as gives some 40 boxes; those whose paths are in `opened`, too. Equal modules that follow each other are
    drawn once, with their number, unless `repeats` is False. `layer` is marked. `colour` is "kind", "params", "macs",
    "receptive_field", "saved_bytes", or "time" with `bench`, a benchmark with layers or its file. `direction` is "down"
    or "right", `theme` "light", "dark" or "auto", which follows the reader's system.

    Raises UsageError for a request that makes no sense, and UsageError and ModelError as `analyze` does.
    """
    from archcalc.pictures.drawing import drawing
    from archcalc.values.benchmark import Benchmark, load
    from archcalc.values.report import Report

    trace = None
    if isinstance(model, Report):
        report = model
    else:
        from archcalc.analysis import analysis_of

        backward = colour == "saved_bytes"
        analysis = analysis_of(model, inputs, batch_size, settings=settings, training=training, backward=backward)
        report, trace = analysis.report, analysis.trace
    return drawing(
        report,
        trace,
        module=module,
        depth=depth,
        opened=opened,
        repeats=repeats,
        layer=layer,
        colour=colour,
        benchmark=bench if bench is None or isinstance(bench, Benchmark) else load(bench),
        direction=direction,
        theme=theme,
    )
