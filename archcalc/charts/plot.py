"""From a kind of chart and the networks asked for to the chart: what `archcalc.plot` and `archcalc plot` call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from archcalc.charts.chart import Chart
from archcalc.charts.theme import Theme, theme
from archcalc.formats.units import listed
from archcalc.values.errors import UsageError, unknown
from archcalc.values.gradients import StartSetting
from archcalc.values.report import Report

if TYPE_CHECKING:
    from archcalc.analysis import Analysis
    from archcalc.charts.spec import Spec
    from archcalc.values.benchmark import Benchmark
    from archcalc.values.effective_field import EffectiveField
    from archcalc.values.gradients import Gradients
    from archcalc.values.training import Training

STARTED = ("gradients", "effective-field")
"""The kinds for which networks are started with real weights."""


class Analyze(Protocol):
    """Traces a network: `inputs` and `settings` go before those that the user gave for all networks."""

    def __call__(
        self, model: Any, *, inputs: Any = None, settings: dict[str, Any] | None = None, backward: bool = False
    ) -> Analysis:
        """What is known of it; with `backward` of a training step."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a chart is made of.

    `models` are names, modules or, where the kind needs no more, reports. `benchmark` is one that was saved, and
    `measure` runs one. `device` is the name of a device for the roofline. `protocol` chooses the published errors.
    `init`, `seeds` and `batch_size` start the networks whose `gradients` or `effective` field, that of a `layer`, is
    measured.
    `training` is one that was saved, or has just taken place.
    """

    models: tuple[Any, ...]
    analyze: Analyze
    measure: Callable[[], Benchmark]
    benchmark: Benchmark | None = None
    device: str | None = None
    protocol: str | None = None
    optimizer: str = "sgd"
    init: str | None = None
    seeds: int | None = None
    batch_size: int | None = None
    layer: str | None = None
    gradients: Callable[[Any, StartSetting], Gradients] | None = None
    effective: Callable[[Any, str, StartSetting], EffectiveField] | None = None
    training: Training | None = None


def chart(kind: str, request: Request, theme_name: str = "light") -> Chart:
    """The chart of that kind; UsageError for a kind, theme or option that makes no sense, and the errors of tracing."""
    kind = kind.lower().replace("_", "-")
    if kind not in KINDS:
        raise unknown("kind of chart", kind, KINDS)
    colours = theme(theme_name)
    _check_options(kind, request)
    if not request.models and kind not in ("zoo", "latency", "training"):
        raise UsageError(f"name a network for the {kind} chart, such as: archcalc plot {kind} alexnet")
    return Chart(kind, KINDS[kind](request, colours))


def _check_options(kind: str, request: Request) -> None:
    """An option that the kind would ignore is an error."""
    options = {
        "benchmark": ("latency", "roofline"),
        "device": ("latency", "roofline"),
        "protocol": ("zoo",),
        "init": STARTED,
        "seeds": STARTED,
        "layer": ("effective-field",),
        "training": ("training",),
    }
    for option, kinds in options.items():
        if getattr(request, option) is not None and kind not in kinds:
            name = {"benchmark": "bench", "training": "run"}.get(option, option)
            raise UsageError(f"{name} is for the chart {' or '.join(kinds)}, not for {kind}")


def _reports(request: Request) -> list[Report]:
    return [model if isinstance(model, Report) else request.analyze(model).report for model in request.models]


def _of_reports(file: str) -> Callable[[Request, Theme], Spec]:
    """The chart of that file's function, which takes reports."""

    def chart(request: Request, colours: Theme) -> Spec:
        function = getattr(import_module(f"archcalc.charts.{file}"), file)
        spec: Spec = function(_reports(request), colours)
        return spec

    return chart


def _zoo(request: Request, colours: Theme) -> Spec:
    from archcalc.charts.zoo import PROTOCOL, results, zoo
    from archcalc.zoo import registry

    others = [model for model in request.models if not isinstance(model, str)]
    if others:
        raise UsageError("the zoo chart shows networks of the zoo, by name: see `archcalc list`")
    names: Sequence[Any] = request.models or registry.names()
    chosen = results(map(registry.architecture, dict.fromkeys(names)), request.protocol or PROTOCOL)
    traced = [(result, request.analyze(result.architecture.name, settings=result.settings).report) for result in chosen]
    return zoo(traced, colours)


def _memory(request: Request, colours: Theme) -> Spec:
    from archcalc.charts.memory import memory
    from archcalc.count.memory import budget, check_optimizer, timeline

    check_optimizer(request.optimizer)
    _no_reports(request, "memory")
    traces = [request.analyze(model, backward=True).trace for model in request.models]
    return memory([(budget(trace, request.optimizer), timeline(trace)) for trace in traces], colours)


def _roofline(request: Request, colours: Theme) -> Spec:
    from archcalc.charts.roofline import of_benchmark, of_device
    from archcalc.count.roofline import roofline

    if len(request.models) != 1:
        raise UsageError("the roofline chart shows one network")
    (model,) = request.models
    benchmark = request.benchmark
    if (benchmark is None) == (request.device is None):
        raise UsageError(
            "a roofline needs a device, or a benchmark of layers on one: --device NAME, or --bench FILE from "
            "`archcalc bench MODEL --layers --save FILE`; `archcalc devices` lists them"
        )
    if benchmark is None:
        device = roofline(request.device, None, None)
        assert device is not None
        return of_device(_reports(request)[0], device, colours)
    _no_reports(request, "measured roofline")
    name = model if isinstance(model, str) else type(model).__name__
    timed = next((layers for layers in benchmark.layers if _plain(layers.network) == _plain(name)), None)
    if timed is None:
        there = listed([layers.network for layers in benchmark.layers]) or "none at all"
        raise UsageError(
            f"this benchmark has no layers of {name}, but of {there}; `archcalc bench {name} --layers --save FILE` "
            "times them"
        )
    shapes = next(
        timing.input_shapes
        for timing in benchmark.timings
        if (timing.network, timing.batch_size) == (timed.network, timed.batch_size)
    )
    report = request.analyze(model, inputs=shapes[0] if len(shapes) == 1 else list(shapes)).report
    return of_benchmark(report, timed, benchmark, colours)


def _latency(request: Request, colours: Theme) -> Spec:
    from archcalc.charts.latency import latency

    _no_reports(request, "latency")
    benchmark = request.benchmark
    if benchmark is not None:
        if request.device is not None:
            raise UsageError("a saved benchmark has its device already: leave out --device")
        measured = {_plain(timing.network): timing.network for timing in benchmark.timings}
        names = [measured.get(_plain(str(model)), str(model)) for model in request.models]
        return latency(benchmark, names, colours)
    if not request.models:
        raise UsageError("name the networks to time, or a benchmark that was saved: --bench FILE")
    return latency(request.measure(), (), colours)


def _gradients(request: Request, colours: Theme) -> Spec:
    from archcalc.charts.gradients import gradients

    _no_reports(request, "gradients")
    assert request.gradients is not None
    setting = StartSetting(init=request.init or "own", seeds=request.seeds or 3, batch_size=request.batch_size or 8)
    return gradients([request.gradients(model, setting) for model in request.models], colours)


def _effective_field(request: Request, colours: Theme) -> Spec:
    from archcalc.charts.effective_field import effective_field

    _no_reports(request, "effective field")
    if len(request.models) != 1 or request.layer is None:
        raise UsageError("the effective-field chart shows a layer of one network: name it with --layer")
    assert request.effective is not None
    (model,) = request.models
    init = request.init or ("he" if isinstance(model, str) else "own")
    setting = StartSetting(init=init, seeds=request.seeds or 3, batch_size=request.batch_size or 4)
    return effective_field(request.effective(model, request.layer, setting), colours)


def _training(request: Request, colours: Theme) -> Spec:
    from archcalc.charts.training import training

    if request.training is None:
        raise UsageError(
            "the training chart shows a training that was saved: --run FILE, from `archcalc train MODEL --save FILE`"
        )
    _no_reports(request, "training")
    return training(request.training, [_plain(str(model)) for model in request.models], colours)


def _no_reports(request: Request, what: str) -> None:
    if any(isinstance(model, Report) for model in request.models):
        raise UsageError(f"the {what} chart needs the network itself, by name or as a module: a report is not enough")


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")


KINDS: dict[str, Callable[[Request, Theme], Spec]] = {
    "zoo": _zoo,
    "layers": _of_reports("layers"),
    "receptive-field": _of_reports("receptive_field"),
    "memory": _memory,
    "roofline": _roofline,
    "compare": _of_reports("compare"),
    "latency": _latency,
    "gradients": _gradients,
    "effective-field": _effective_field,
    "training": _training,
}
"""The kinds of chart, as `archcalc plot` calls them."""
