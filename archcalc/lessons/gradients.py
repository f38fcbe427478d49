"""The gradient that reaches each weight layer of a network at its start, and again after some steps of training."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, isfinite, log
from statistics import linear_regression
from typing import Any

import torch
from torch import Generator, Tensor, nn

from archcalc.analysis import analysis, inputs_of
from archcalc.lessons.batches import Feed, batch_size_of, loss_in_words, loss_of, outputs_of, real_run, with_gradients
from archcalc.lessons.observer import Observer, SeenLayer, weight_layers
from archcalc.lessons.start import started
from archcalc.lessons.watch import watching
from archcalc.sources.load import subject_of
from archcalc.trace.preserve import preserve_random_states
from archcalc.values.errors import ModelError, model_errors
from archcalc.values.gradients import (
    LEARNING_RATE,
    MOMENTUM,
    Gradients,
    LayerGradient,
    Range,
    StartSetting,
    range_of,
)
from archcalc.values.report import Report, Row

OF_THE_LOSS = 2**32
"""Added to a seed, so that the loss is drawn apart from the images, and the same before and after the steps."""

Relative = list[float | None]
"""For each layer the gradient over that of the last one, None where it is not known."""


@dataclass(slots=True)
class _Run:
    """What one seed shows: the layers by number at the start, after the steps if there are any, and the loss."""

    before: dict[int, SeenLayer]
    loss: str
    after: dict[int, SeenLayer] = field(default_factory=dict)


def gradients(
    model: str | nn.Module,
    inputs: Any,
    setting: StartSetting,
    settings: dict[str, Any],
    done: Callable[[str], None] = lambda name: None,
) -> Gradients:
    """The gradients of a network's weight layers; `done` is called with its name after each seed.

    Raises UsageError if the request is wrong, ModelError if the network cannot be built or run, if no call of it
    multiplies by weights, or if no gradient reaches its last layer.
    """
    subject = subject_of(model, settings)
    with model_errors(subject.name), preserve_random_states(), torch.enable_grad():
        args, kwargs = inputs_of(subject, inputs, batch_size_of(subject, inputs, setting))
        report = analysis(subject, args, kwargs, training=True).report
        if not weight_layers(report.rows):
            raise ModelError(f"{subject.name} has no call that multiplies its input by weights")
        feed = Feed((args, kwargs), setting.data)
        runs = []
        for seed in range(setting.seeds):
            runs.append(_run(started(subject, setting, seed), report, feed, setting, seed))
            done(subject.name)
    return _combined(report, setting, runs)


def _run(module: nn.Module, report: Report, feed: Feed, setting: StartSetting, seed: int) -> _Run:
    generator = Generator().manual_seed(seed)
    given, classes = feed.batch(module, generator)

    def one_pass() -> tuple[dict[int, SeenLayer], list[Tensor]]:
        module.zero_grad()
        args, kwargs = with_gradients(given)
        observer = Observer(weight_layers(report.rows), (args, kwargs))
        with real_run(report.subject):
            with watching(module, report.rows, observer.see):
                result = module(*args, **kwargs)
            outputs = outputs_of(module, result, report.subject, first=setting.first_output)
            torch.autograd.backward(loss_of(outputs, Generator().manual_seed(OF_THE_LOSS + seed), classes))
        observer.remove_hooks()
        return observer.layers, outputs

    before, outputs = one_pass()
    run = _Run(before, loss_in_words(outputs, feed.classes_in_words))
    if setting.steps:
        _train(module, report.subject, feed, setting, generator)
        run.after, _ = one_pass()
    return run


def _train(module: nn.Module, name: str, feed: Feed, setting: StartSetting, generator: Generator) -> None:
    """Steps of SGD, each on a new batch."""
    trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
    if not trained:
        raise ModelError(f"{name} has nothing that can be trained")
    velocities = [torch.zeros_like(parameter) for parameter in trained]
    for _ in range(setting.steps):
        module.zero_grad()
        (args, kwargs), classes = feed.batch(module, generator)
        with real_run(name):
            outputs = outputs_of(module, module(*args, **kwargs), name, first=setting.first_output)
            torch.autograd.backward(loss_of(outputs, generator, classes))
        with torch.no_grad():  # torch.optim.SGD would first import torch's compiler, for seconds
            for parameter, velocity in zip(trained, velocities, strict=True):
                if parameter.grad is not None:
                    velocity.mul_(MOMENTUM).add_(parameter.grad)
                    parameter.sub_(LEARNING_RATE * velocity)


def _combined(report: Report, setting: StartSetting, runs: list[_Run]) -> Gradients:
    """The layers that every run showed, relative to the last of those on which the loss depends."""
    rows = dict(enumerate(weight_layers(report.rows)))
    layers = {number: row for number, row in rows.items() if all(number in run.before for run in runs)}
    if not layers:
        raise ModelError(f"the layers of {report.subject} could not be recognised in a run on real tensors")
    reached = [number for number in layers if all(run.before[number].norm is not None for run in runs)]
    last = max(reversed(reached or [*layers]), key=lambda number: layers[number].depth)
    before = [_relative(report.subject, layers, last, run.before) for run in runs]
    after = [_relative(report.subject, layers, last, run.after) for run in runs if setting.steps]
    depths = [row.depth for row in layers.values()]
    growth, growth_after = (_range([_growth(depths, values) for values in side]) for side in (before, after))
    shown = tuple(
        _layer(row, [run.before[number] for run in runs], [b[place] for b in before], [a[place] for a in after])
        for place, (number, row) in enumerate(layers.items())
    )
    return Gradients(
        report.subject,
        report.source,
        report.input_shapes,
        setting,
        runs[0].loss,
        layers[last].path,
        growth,
        growth_after,
        shown,
    )


def _relative(subject: str, layers: Mapping[int, Row], last: int, seen: Mapping[int, SeenLayer]) -> Relative:
    """Each layer's gradient over the last one's; 0 where none came."""
    whole = seen[last].norm if last in seen else None
    if not whole or not isfinite(whole):
        text = f"no gradient that is a finite number above 0 reaches {layers[last].path}, the last layer of {subject}"
        raise ModelError(f"{text}; another --init or fewer --steps may help")
    every = [seen.get(number) for number in layers]
    return [_finite((layer.norm or 0.0) / whole) if layer is not None and layer.followed else None for layer in every]


def _layer(row: Row, seen: list[SeenLayer], before: list[float | None], after: list[float | None]) -> LayerGradient:
    weights = [layer.weight_squares for layer in seen]
    return LayerGradient(
        row.path,
        row.call,
        row.kind,
        row.depth,
        _range(before),
        _range(after),
        _range([_finite(layer.mean) for layer in seen]),
        _range([_finite(layer.spread) for layer in seen]),
        _range([layer.zeros for layer in seen]),
        _range([None if squares is None else _finite(squares**0.5) for squares in weights]),
        _note(seen, before),
    )


def _note(seen: list[SeenLayer], values: list[float | None]) -> str:
    """Why no gradient comes, in any seed, or why it is not known; "" where one comes."""
    if any(value is None for value in values):
        if all(layer.followed for layer in seen):
            return "not known: it is no finite number"
        return "not known: it ran where gradients are not followed"
    if any(values):
        return ""
    if all(layer.zero_scale for layer in seen):
        return "none: the scale of the normalisation after it starts at zero"
    if all(layer.norm is None for layer in seen):
        return "none: no loss depends on it"
    if all(layer.zeros == 1 for layer in seen):
        return "none: all its units are dead"
    return "none: it is cut off on the way, or too small for the dtype"


def _growth(depths: Sequence[int], values: Relative) -> float | None:
    """The factor a layer towards the input, of the line fitted to the logarithms of those that get a gradient."""
    points = [(depth, log(value)) for depth, value in zip(depths, values, strict=True) if value]
    if len({depth for depth, _ in points}) < 2:
        return None
    return exp(-linear_regression(*zip(*points, strict=True)).slope)


def _range(values: Sequence[float | None]) -> Range | None:
    """The median and the ends; None where there is none, or one is not known."""
    known = [value for value in values if value is not None]
    return range_of(known) if known and len(known) == len(values) else None


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
