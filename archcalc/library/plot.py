"""Charts of networks: what `archcalc.plot` is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from archcalc.analysis import analysis_of
from archcalc.charts.plot import Request, chart
from archcalc.lessons.effective_field import effective_field as lesson_field
from archcalc.lessons.gradients import gradients as lesson_gradients
from archcalc.library.benchmark import benchmark
from archcalc.sources.saved import is_saved, read_report
from archcalc.values.benchmark import as_benchmark
from archcalc.values.training import as_training

if TYPE_CHECKING:
    from torch import nn

    from archcalc.analysis import Analysis
    from archcalc.charts.chart import Chart
    from archcalc.values.benchmark import Benchmark
    from archcalc.values.report import Report
    from archcalc.values.training import Training


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
    init: str | None = None,
    seeds: int | None = None,
    layer: str | None = None,
    run: Training | str | Path | None = None,
) -> Chart:
    """A chart that shows itself in a notebook and saves itself: `plot("zoo").save("zoo.svg")`.

    `kind` is "zoo", "layers", "receptive-field", "memory", "roofline", "compare", "latency", "gradients",
    "effective-field" or "training". `models`, `inputs` and `batch_size` as in `compare`; "memory", "latency",
    "gradients" and "effective-field" take no reports, "zoo" takes names or nothing, for all, and "training" names of
    its networks, or nothing.
    `theme` is "light" or "dark". `device` is a known device for "roofline", or what "latency" measures on; `bench` is a
    benchmark, or its file, for either of them. `protocol` is a part of the test protocol of the errors that "zoo"
    shows, `optimizer` as in `memory`; `init` and `seeds` as in `gradients`, `layer` as in `effective_field`, and `run`
    is what `train` gave, or its file, for "training".

    Pictures need the extra `archcalc[pictures]`; the chart's `spec` does not. Raises UsageError for a request that
    makes no sense, and UsageError and ModelError as `analyze` does.
    """

    def traced(
        model: Any, *, inputs: Any = inputs, settings: dict[str, Any] | None = None, backward: bool = False
    ) -> Analysis:
        batch = batch_size if inputs is given else None
        return analysis_of(model, inputs, batch, settings=settings or {}, training=backward, backward=backward)

    given = inputs
    models = tuple(read_report(model) if is_saved(model) else model for model in models)
    networks: Any = models  # measure is not called where reports are among them
    request = Request(
        models=models,
        analyze=traced,
        measure=lambda: benchmark(
            *networks, inputs=inputs, batch_size=batch_size, mode="inference", device=device or "cpu"
        ),
        benchmark=as_benchmark(bench),
        device=device,
        protocol=protocol,
        optimizer=optimizer,
        init=init,
        seeds=seeds,
        batch_size=batch_size,
        layer=layer,
        gradients=lambda model, setting: lesson_gradients(model, given, setting, {}),
        effective=lambda model, layer, setting: lesson_field(model, layer, given, setting, {}),
        training=as_training(run),
    )
    return chart(kind, request, theme)
