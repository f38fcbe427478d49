"""What a call costs: one formula a kind of call, given the call's own arguments with shapes for tensors.

The convention is the one of the papers and of the published model tables: a multiply-add of a convolution or of a
matrix product counts one; bias, normalisation, pooling and activations count nothing, and say so. A kind without a
formula is counted from the torch ops that ran beneath it, by torch's own registry. What neither knows is unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from archcalc.count.free import FREE, free_aten
from archcalc.count.report import Cost, Product, Window
from archcalc.trace.values import Op, Shape, TensorSpec

Formula = Callable[..., Cost]

FORMULAS: dict[str, Formula] = {}
"""By kind: `formula(out, *args, **kwargs)`, `out` the first output."""


def formula(*kinds: str) -> Callable[[Formula], Formula]:
    """Register a formula for calls of these kinds; a second one for the same kind is an error."""

    def add(function: Formula) -> Formula:
        for kind in kinds:
            if kind in FORMULAS:
                raise ValueError(f"there is a formula for {kind} already")
            FORMULAS[kind] = function
        return function

    return add


def cost(op: Op) -> tuple[Cost, tuple[str, ...]]:
    """What a call costs as far as it is known, and the names of the ops in it that nobody knows."""
    if op.kind in FORMULAS:
        kwargs = {name: value for name, value in op.kwargs.items() if name != "out"}
        return FORMULAS[op.kind](op.outputs[0], *op.args, **kwargs), ()
    if op.kind in FREE:
        return Cost(free=FREE[op.kind]), ()
    counted = [aten for aten in op.aten if aten.flops is not None]
    reasons = {aten.name: free_aten(aten) for aten in op.aten if aten.flops is None}
    return (
        Cost(
            registry_macs=sum(aten.flops or 0 for aten in counted) // 2,  # torch counts a multiply-add as two
            activations=sum(aten.output_elements for aten in counted),
            free="" if counted else next(filter(None, reasons.values()), "data movement"),
        ),
        tuple(name for name, reason in reasons.items() if not reason),
    )


def _axes(value: int | Shape, axes: int) -> Shape:
    return tuple(value) * (axes // len(value)) if isinstance(value, (tuple, list)) else (value,) * axes


def _convolution(
    axes: int,
    out: TensorSpec,
    input: TensorSpec,
    weight: TensorSpec,
    bias: TensorSpec | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Cost:
    """Every output element is a sum over one window of the channels in its group."""
    pads = padding if isinstance(padding, str) else _axes(padding, axes)
    window = Window(weight.shape[2:], _axes(stride, axes), pads, _axes(dilation, axes), groups)
    return Cost((Product(out.shape, weight.shape[1:]),), activations=out.numel, window=window)


def _transposed_convolution(
    axes: int,
    out: TensorSpec,
    input: TensorSpec,
    weight: TensorSpec,
    bias: TensorSpec | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Cost:
    """Every input element is spread over one window of the output channels in its group."""
    window = Window(weight.shape[2:], _axes(stride, axes), _axes(padding, axes), _axes(dilation, axes), groups)
    return Cost((Product(input.shape, weight.shape[1:], "inputs"),), activations=out.numel, window=window)


def _average_pooling(
    axes: int,
    out: TensorSpec,
    input: TensorSpec,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    *rest: Any,
    dilation: Any = 1,
    **more: Any,
) -> Cost:
    kernel = _axes(kernel_size, axes)
    steps = _axes(stride, axes) if stride not in (None, ()) else kernel
    window = Window(kernel, steps, _axes(padding, axes), _axes(dilation, axes), ceil=ceil_mode)
    return Cost(free="pooling", window=window)


def _max_pooling(
    axes: int,
    out: TensorSpec,
    input: TensorSpec,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Cost:
    return _average_pooling(axes, out, input, kernel_size, stride, padding, ceil_mode, dilation=dilation)


for _n in (1, 2, 3):
    formula(f"conv{_n}d")(partial(_convolution, _n))
    formula(f"conv_transpose{_n}d")(partial(_transposed_convolution, _n))
    formula(f"avg_pool{_n}d")(partial(_average_pooling, _n))
    formula(f"max_pool{_n}d", f"max_pool{_n}d_with_indices")(partial(_max_pooling, _n))


@formula("linear")
def _linear(out: TensorSpec, input: TensorSpec, weight: TensorSpec, bias: TensorSpec | None = None) -> Cost:
    return Cost((Product(out.shape, weight.shape[-1:]),), activations=out.numel)


@formula("matmul", "mm", "bmm", "mv", "dot")
def _matmul(out: TensorSpec, input: TensorSpec, *other: TensorSpec, **more: Any) -> Cost:
    return Cost((Product(out.shape, input.shape[-1:]),), activations=out.numel)
