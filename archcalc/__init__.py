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

if TYPE_CHECKING:
    from torch import nn

    from archcalc.values.benchmark import Benchmark
    from archcalc.values.budget import Budget
    from archcalc.values.comparison import Comparison
    from archcalc.values.conventions import Conventions
    from archcalc.values.report import Cost, Report, Row
    from archcalc.values.trace import TensorSpec

__version__ = "0.1.0"
__all__ = [
    "ArchcalcError",
    "Benchmark",
    "Budget",
    "Comparison",
    "Conventions",
    "Cost",
    "ModelError",
    "Report",
    "Row",
    "TensorSpec",
    "UsageError",
    "analyze",
    "benchmark",
    "build",
    "compare",
    "conventions",
    "formula",
    "memory",
    "names",
]

Formula = TypeVar("Formula", bound=Callable[..., int])

# torch takes a second to import, and the classes of results a good part of what `archcalc --help` takes: whatever needs
# them imports them when it is called.
_CLASSES = {
    "Benchmark": "values.benchmark",
    "Budget": "values.budget",
    "Comparison": "values.comparison",
    "Conventions": "values.conventions",
    "Cost": "values.report",
    "Report": "values.report",
    "Row": "values.report",
    "TensorSpec": "values.trace",
}


def __getattr__(name: str) -> Any:
    if name not in _CLASSES:
        raise AttributeError(f"module 'archcalc' has no attribute '{name}'")
    return getattr(import_module(f"archcalc.{_CLASSES[name]}"), name)


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
    """What a network costs, call by call, found without allocating its weights.

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
    found = analysis_of(model, inputs, batch_size, settings=settings, training=True, backward=True)
    return budget(found.trace, optimizer)


def compare(*models: str | nn.Module | Report, inputs: Any = None, batch_size: int | None = None) -> Comparison:
    """Networks side by side, each measure with its ratio to the first.

    Each is a report or anything that `analyze` takes; `inputs` and `batch_size` go to all but the reports.
    """
    from archcalc.count.compare import compare
    from archcalc.values.report import Report

    if not models:
        raise UsageError("name at least one network to compare")
    for model in models:
        if isinstance(model, dict):
            raise UsageError("a dict is no network to compare; Report.from_dict makes a report of what to_dict gave")
    reports = [
        model if isinstance(model, Report) else analyze(model, inputs, batch_size=batch_size) for model in models
    ]
    return compare(*reports)


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

    sizes = batch_size if isinstance(batch_size, Sequence) else (batch_size,)
    return benchmark(
        models,
        inputs,
        batch_sizes=tuple(sizes),
        device=device,
        dtype=dtype,
        mode=mode,
        channels_last=channels_last,
        compiled=compiled,
        threads=threads,
        seconds=seconds,
        layers=layers,
        seed=seed,
        settings=settings,
    )
