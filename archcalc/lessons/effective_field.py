"""The effective receptive field (Luo 2016): the spread of the squared gradient of one unit over the input."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Generator, Tensor, nn

from archcalc.analysis import analysis, inputs_of
from archcalc.count.places import rows_at
from archcalc.count.rf_layer import layer_field, middle_unit
from archcalc.lessons.batches import batch_size_of, random_inputs, real_run
from archcalc.lessons.start import started
from archcalc.lessons.watch import watching
from archcalc.sources.load import subject_of
from archcalc.trace.preserve import preserve_random_states
from archcalc.trace.tensors import tensors_in
from archcalc.values.effective_field import EffectiveAxis, EffectiveField
from archcalc.values.errors import ModelError, UsageError, model_errors
from archcalc.values.gradients import StartSetting, range_of
from archcalc.values.report import Row

CELLS = 56
"""The most cells that the input is cut into along an axis."""


def effective_field(
    model: str | nn.Module,
    layer: str,
    inputs: Any,
    setting: StartSetting,
    settings: dict[str, Any],
    unit: Sequence[int] | None = None,
    done: Callable[[str], None] = lambda name: None,
) -> EffectiveField:
    """How far the gradient of the unit at a position, the middle one by default, spreads over the input.

    `done` is called with the network's name after each seed. Raises UsageError for a layer or a unit that does not
    exist or sees the whole input, ModelError where the network cannot be run or no gradient reaches the input.
    """
    subject = subject_of(model, settings)
    with model_errors(subject.name), preserve_random_states(), torch.enable_grad():
        args, kwargs = inputs_of(subject, inputs, batch_size_of(subject, inputs, setting))
        known = analysis(subject, args, kwargs)
        row = rows_at(known.report, layer, "layer of")[-1]
        spatial = (row.output_shape or ())[2:]
        position = middle_unit(known.report, layer) if unit is None else tuple(unit)
        field = layer_field(known.trace, known.report, layer, position)
        if len(field.unit) != len(spatial):
            raise UsageError(f"the units of {row.path} do not lie along the last axes of its output")
        maps = []
        for seed in range(setting.seeds):
            module = started(subject, setting, seed).eval()
            generator = Generator().manual_seed(seed)
            _settle(subject.name, module, random_inputs(module, (args, kwargs), generator))
            given = random_inputs(module, (args, kwargs), generator)
            maps.append(_energy(subject.name, module, known.report.rows, row, position, given, generator))
            done(subject.name)
    moments = [[_moments(energy, axis) for energy in maps] for axis in range(len(spatial))]
    axes = tuple(
        EffectiveAxis(
            axis.name,
            axis.position,
            axis.first,
            axis.last,
            axis.length,
            range_of([4 * deviation for _, deviation in seeds]),
            range_of([mean for mean, _ in seeds]),
        )
        for axis, seeds in zip(field.unit, moments, strict=True)
    )
    return EffectiveField(subject.name, row.path, row.kind, setting, axes, _cells(torch.stack(maps).mean(0)))


def _settle(name: str, module: nn.Module, given: Any) -> None:
    """Give normalisations that have seen no data yet the statistics of one batch, as constants."""
    norms = [
        child
        for child in module.modules()
        if isinstance(child, nn.modules.batchnorm._BatchNorm)
        and child.num_batches_tracked is not None
        and child.num_batches_tracked == 0
    ]
    if not norms:
        return
    for norm in norms:
        norm.train()
        norm.momentum = 1.0
    with torch.no_grad(), real_run(name):
        module(*given[0], **given[1])
    module.eval()


def _energy(
    name: str,
    module: nn.Module,
    rows: Sequence[Row],
    row: Row,
    position: tuple[int, ...],
    given: Any,
    generator: Generator,
) -> Tensor:
    """The squared gradient at each pixel, summed over batch and channels, with the sum 1."""
    args, kwargs = given
    image = tensors_in((args, kwargs))[0].requires_grad_()
    outputs: list[Tensor] = []

    def see(seen: Row | None, kind: str, arguments: Any, result: Any) -> None:
        if seen is row:
            outputs.append(tensors_in(result)[0].clone())  # a later call may write to it

    # the clone is no leaf: a model may write to it
    args, kwargs = _with_clone(args, image), {key: _with_clone(value, image) for key, value in kwargs.items()}
    with real_run(name), watching(module, rows, see):
        module(*args, **kwargs)
    if not outputs or not outputs[0].requires_grad:
        raise ModelError(f"the output of {row.path} was not seen, or has no gradient by the input, on real tensors")
    of_unit = outputs[0].flatten(2)[..., _place(position, outputs[0].shape[2:])]
    direction = torch.randn(of_unit.shape, generator=generator).to(of_unit.dtype)
    (gradient,) = torch.autograd.grad((of_unit * direction).sum(), image)
    energy = gradient.double().square().sum(dim=(0, 1))
    total = energy.sum()
    if not total > 0 or not torch.isfinite(total):
        raise ModelError(f"no gradient that is a finite number above 0 comes from {row.path} to the input")
    return energy / total


def _place(position: Sequence[int], sizes: Sequence[int]) -> int:
    """The place of a position in an array of these sizes, counted along its last axis first."""
    place = 0
    for index, size in zip(position, sizes, strict=True):
        place = place * size + index
    return place


def _with_clone(value: Any, image: Tensor) -> Any:
    if isinstance(value, (tuple, list)):
        return type(value)([_with_clone(item, image) for item in value])
    return value.clone() if value is image else value


def _moments(energy: Tensor, axis: int) -> tuple[float, float]:
    """Mean and standard deviation along an axis, in pixels."""
    others = [other for other in range(energy.ndim) if other != axis]
    shares = energy.sum(dim=others) if others else energy
    pixels = torch.arange(len(shares), dtype=torch.float64)
    mean = (shares * pixels).sum()
    return mean.item(), (shares * (pixels - mean).square()).sum().sqrt().item()


def _cells(energy: Tensor) -> tuple[tuple[float, ...], ...]:
    """The map in at most CELLS rows and columns, each cell the sum over its pixels."""
    flat = energy[None] if energy.ndim == 1 else energy.flatten(0, -3).sum(dim=0) if energy.ndim > 2 else energy
    for axis in (0, 1):
        size = flat.shape[axis]
        cells = min(CELLS, size)
        ends = [cell * size // cells for cell in range(cells + 1)]
        parts = [flat.narrow(axis, a, b - a).sum(dim=axis) for a, b in pairwise(ends)]
        flat = torch.stack(parts, dim=axis)
    return tuple(tuple(line) for line in flat.tolist())
