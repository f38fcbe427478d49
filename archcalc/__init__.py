"""archcalc tells exactly what a neural network costs, layer by layer, and proves it.

>>> import archcalc
>>> report = archcalc.analyze("alexnet")
>>> report.total("params"), report.total("macs")
(60965224, 724406816)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from archcalc.values.errors import ArchcalcError, ModelError, UsageError
from archcalc.values.later import register

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from archcalc.analysis import Analysis
    from archcalc.charts.chart import Chart
    from archcalc.page.report import report_page
    from archcalc.pictures.drawing import Drawing, draw
    from archcalc.values.benchmark import Benchmark
    from archcalc.values.budget import Budget
    from archcalc.values.claim import Verdict, Verdicts
    from archcalc.values.comparison import Comparison
    from archcalc.values.conventions import Conventions
    from archcalc.values.explanation import Explanation
    from archcalc.values.layer_field import LayerField
    from archcalc.values.report import Cost, Report, Row
    from archcalc.values.trace import TensorSpec

__version__ = "0.1.0"
__all__ = [
    "ArchcalcError",
    "Benchmark",
    "Budget",
    "Chart",
    "Comparison",
    "Conventions",
    "Cost",
    "Drawing",
    "Explanation",
    "LayerField",
    "ModelError",
    "Report",
    "Row",
    "TensorSpec",
    "UsageError",
    "Verdict",
    "analyze",
    "benchmark",
    "build",
    "compare",
    "conventions",
    "draw",
    "explain",
    "formula",
    "memory",
    "names",
    "plot",
    "receptive_field",
    "report_page",
    "verify",
]

Formula = TypeVar("Formula", bound=Callable[..., int])

# torch takes a second to import, and the classes of results a good part of what `archcalc --help` takes: whatever needs
# them imports them when it is called.
_IMPORTED_WHEN_USED = {
    "Benchmark": "values.benchmark",
    "Budget": "values.budget",
    "Chart": "charts.chart",
    "Comparison": "values.comparison",
    "Conventions": "values.conventions",
    "Cost": "values.report",
    "Drawing": "pictures.drawing",
    "Explanation": "values.explanation",
    "LayerField": "values.layer_field",
    "Report": "values.report",
    "Row": "values.report",
    "TensorSpec": "values.trace",
    "Verdict": "values.claim",
    "draw": "pictures.drawing",
    "report_page": "page.report",
}


def __getattr__(name: str) -> Any:
    if name not in _IMPORTED_WHEN_USED:
        raise AttributeError(f"module 'archcalc' has no attribute '{name}'")
    return getattr(import_module(f"archcalc.{_IMPORTED_WHEN_USED[name]}"), name)


def __dir__() -> list[str]:
    return __all__


def names() -> list[str]:
    """The names of the networks that archcalc knows, oldest first; imports no torch."""
    from archcalc.zoo import registry

    return registry.names()


def build(name: str, **settings: Any) -> nn.Module:
    """A network of the zoo as a fresh torch module, initialised and in training mode.

    `settings` are its builder's own, such as `num_classes=10`. Raises UsageError for a name or setting that does not
    exist.
    """
    from archcalc.zoo import registry

    return registry.build(name, **settings)


def analyze(
    model: str | nn.Module,
    inputs: Any = None,
    *,
    batch_size: int | None = None,
    training: bool = False,
    backward: bool = False,
    **settings: Any,
) -> Report:
    """What a network costs, call by call, without allocating its weights.

    `model`: a zoo name, "package.module:factory", "path/to/net.py:Net", or any torch module, which comes back as it
    was. `inputs`: a shape with the batch, `(1, 3, 224, 224)`, a tensor, a list of those, a dict of keyword inputs, in
    which numbers, strings and None stay what they are, or a callable that makes the arguments, tensors in them; a zoo
    network has an input of its own and also takes a shape without the batch. `batch_size` goes before a shape without
    a batch. `training` counts what runs in training, such as auxiliary heads; `backward` also follows the backward
    pass, for the rows' `backward_macs` and `saved_bytes`. `settings` go to the builder.

    Raises UsageError if the request is wrong, and ModelError, with the rows so far as its `report`, if the model
    cannot be built or run.
    """
    from archcalc.analysis import analysis_of

    return analysis_of(model, inputs, batch_size, settings=settings, training=training, backward=backward).report


def memory(
    model: str | nn.Module,
    inputs: Any = None,
    *,
    batch_size: int | None = None,
    optimizer: str = "sgd",
    **settings: Any,
) -> Budget:
    """What a network holds in memory, in bytes by part: weights, saved tensors, the peaks of a pass and of a step.

    `model`, `inputs`, `batch_size` and `settings` as in `analyze`; `optimizer` is "none", "sgd", "momentum" or "adam".
    Nothing is allocated. Raises UsageError and ModelError as `analyze` does.
    """
    from archcalc.analysis import analysis_of
    from archcalc.count.memory import budget, check_optimizer

    check_optimizer(optimizer)
    analysis = analysis_of(model, inputs, batch_size, settings=settings, training=True, backward=True)
    return budget(analysis.trace, optimizer)


def compare(*models: str | nn.Module | Report, inputs: Any = None, batch_size: int | None = None) -> Comparison:
    """Networks side by side, each measure with its ratio to the first.

    A network is given as a report or as anything that `analyze` takes; `inputs` and `batch_size` go to all but the
    reports. Raises UsageError for anything else, and UsageError and ModelError as `analyze` does.
    """
    from archcalc.count.compare import compare
    from archcalc.values.report import Report

    if not models:
        raise UsageError("name at least one network to compare")
    given: Sequence[Any] = models
    for model in given:
        if not isinstance(model, (str, Report)) and not hasattr(model, "named_modules"):  # reports need no torch
            hint = "; Report.from_dict makes a report of it" if isinstance(model, dict) else ""
            kind = type(model).__name__
            raise UsageError(f"compare takes names, torch modules and reports, not a {kind}{hint}")
    return compare(
        *(model if isinstance(model, Report) else analyze(model, inputs, batch_size=batch_size) for model in models)
    )


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
    from archcalc.analysis import analysis_of
    from archcalc.charts.plot import Request, chart
    from archcalc.values.benchmark import as_benchmark

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
        measure=lambda: benchmark(
            *networks, inputs=inputs, batch_size=batch_size, mode="inference", device=device or "cpu"
        ),
        benchmark=as_benchmark(bench),
        device=device,
        protocol=protocol,
        optimizer=optimizer,
    )
    return chart(kind, request, theme)


def explain(
    model: str | nn.Module,
    layer: str | None = None,
    inputs: Any = None,
    *,
    batch_size: int | None = None,
    training: bool = False,
    backward: bool = False,
    **settings: Any,
) -> Explanation:
    """How the numbers of a layer come about: the formulas with their values in, and what documents say of them.

    `layer` is the path of a row or of a module, as the table shows it; None explains the whole network. The other
    arguments are as in `analyze`. `steps` holds a line for each quantity: the output's size, parameters, multiply-adds,
    with `backward` those of the backward pass, the receptive field in pixels. Raises UsageError, with the closest
    paths, where nothing ran at `layer`, and UsageError and ModelError as `analyze` does.
    """
    from archcalc.claims.check import with_claims
    from archcalc.count.explain import explain

    report = analyze(model, inputs, batch_size=batch_size, training=training, backward=backward, **settings)
    return with_claims(explain(report, layer))


def receptive_field(
    model: str | nn.Module,
    layer: str,
    inputs: Any = None,
    *,
    unit: int | Sequence[int] | None = None,
    batch_size: int | None = None,
    **settings: Any,
) -> LayerField:
    """What the units of a layer see of the network's input, in pixels along each axis of it.

    `layer` is the path of a row, or of a module, whose last call is meant. The result's `size`, `jump` and `offset`
    have one number an axis. `unit` is the position of a unit in the layer's output, counted from 0, such as (3, 3) in
    an output of 1×256×6×6; the result's `unit` then says for each axis the first and the last pixel that it sees,
    padding included. The other arguments are as in `analyze`.

    Raises UsageError, with the closest paths, where nothing ran at `layer`, for a unit that its output does not have or
    that cannot be told from the others, and UsageError and ModelError as `analyze` does.
    """
    from archcalc.analysis import analysis_of
    from archcalc.count.rf_layer import layer_field

    analysis = analysis_of(model, inputs, batch_size, settings=settings)
    return layer_field(analysis.trace, analysis.report, layer, (unit,) if isinstance(unit, int) else unit)


def verify(*files: str | Path, subject: str | None = None, source: str | None = None, trust: bool = False) -> Verdicts:
    """The verdicts on documented numbers, one a claim: those of the files, or all that come with archcalc.

    `files` are TOML files of claims. `subject` keeps the claims about a network, `source` those of the documents whose
    name contains it. `trust` lets the files name any code; without it they may name networks of the zoo, and modules
    and functions of Python files beside them or below the working directory. A verdict says in `ok` whether it is the
    expected one; the list prints as a table.

    Raises UsageError, naming file and entry, for a file that cannot be read or a claim that makes no sense, UsageError
    where no claim is left, and ModelError where a network cannot be run.
    """
    from pathlib import Path

    from archcalc.claims.check import check
    from archcalc.claims.read import chosen
    from archcalc.values.claim import Verdicts

    return Verdicts(check(chosen([Path(file) for file in files], subject, source), trust=trust))


def conventions(
    model: str | nn.Module,
    inputs: Any = None,
    *,
    batch_size: int | None = None,
    run: bool = False,
    tools: Collection[str] = (),
    **settings: Any,
) -> Conventions:
    """What other tools print for a network, in their own units, and what the difference to our count is made of.

    `model`, `inputs`, `batch_size` and `settings` as in `analyze`. With `run` the tools that are installed, or only
    those named in `tools`, are run on real weights beside it. Raises UsageError and ModelError as `analyze` does.
    """
    from archcalc.analysis import analysis_of
    from archcalc.peers.conventions import conventions

    return conventions(analysis_of(model, inputs, batch_size, settings=settings, every_op=True), run=run, only=tools)


def formula(*ops: str) -> Callable[[Formula], Formula]:
    """Register a formula for ops of your own, so that calls of them are counted and not unknown.

    `ops` are names as the table shows them: the kind of a call, or a torch op, "mylib::scan". The function that is
    decorated gets the op's first output and then its arguments, each tensor as a TensorSpec with `shape`, `numel` and
    `dtype`, and gives the multiply-adds of one call as an integer. Raises ValueError if there is a formula already.

    >>> @archcalc.formula("mylib::scan")
    ... def scan(out, x, state):
    ...     return x.numel * state.shape[-1]
    """
    from archcalc.ops.user_formulas import register

    return register(*ops)


def benchmark(
    *models: str | nn.Module,
    inputs: Any = None,
    batch_size: int | Sequence[int] | None = None,
    device: str = "cpu",
    dtype: str = "fp32",
    mode: str = "train",
    channels_last: bool = False,
    compiled: bool = False,
    threads: int | None = None,
    seconds: float = 1.0,
    layers: bool = False,
    seed: int = 0,
    **settings: Any,
) -> Benchmark:
    """How long networks take on this machine: forward, backward and a step of training, or inference alone.

    `models` and `inputs` are as for `analyze`; a module that is handed in is copied. Several networks are measured in
    turns, so that the ratio of their times holds on a machine that does other things as well. `batch_size` may be a
    list; `device` is "cpu", "cuda" or "cuda:1"; `dtype` is "fp32", "bf16" or "fp16"; `mode` is "train" or "inference";
    `seconds` is the time budget of each measurement, in seconds; `layers` times every row of the table as well.

    Raises UsageError if the request is wrong or there is no such device, and ModelError if none of the networks can
    be run; those that fail beside others are the result's `failures`.
    """
    from archcalc.bench.run import benchmark
    from archcalc.values.benchmark import Setting

    sizes = batch_size if isinstance(batch_size, Sequence) else (batch_size,)
    how = Setting(mode, device, dtype, channels_last, compiled, seconds, seed)
    return benchmark(models, inputs, how, batch_sizes=tuple(sizes), threads=threads, layers=layers, settings=settings)


def _render(value: object, form: str) -> str:
    from archcalc.render.shown import text

    return text(value, form)


def _row_at(report: Report, place: str) -> Row:
    from archcalc.count.places import row_at

    return row_at(report, place)


def _draw(report: Report, **options: Any) -> Drawing:
    from archcalc.pictures.drawing import draw

    return draw(report, **options)


register(render=_render, row_at=_row_at, plot=plot, draw=_draw)
