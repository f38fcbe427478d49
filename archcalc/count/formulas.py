"""What a call costs: one formula a kind of call, given the call's own arguments with shapes for tensors.

The convention is the one of the papers and of the published model tables: a multiply-add of a convolution or of a
matrix product counts one; bias, normalisation, pooling and activations count nothing, and say so. A kind without a
formula is counted from the torch ops that ran beneath it, by torch's own registry. What neither knows is unknown.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import partial
from math import prod
from typing import Any, TypeVar

from archcalc.count.free import FREE, free_aten
from archcalc.trace.shapes import broadcast
from archcalc.values.errors import UsageError
from archcalc.values.report import Cost, Product, Window
from archcalc.values.trace import AtenOp, Op, Shape, TensorSpec

Formula = Callable[..., Cost]
Own = TypeVar("Own", bound=Callable[..., int])

FORMULAS: dict[str, Formula] = {}
"""By kind: `formula(out, *args, **kwargs)`, `out` the first output."""

_OWN: dict[str, Callable[..., Any]] = {}
"""The formulas that a user registered, by kind of call or name of torch op; they give plain multiply-adds."""


def formula(*kinds: str) -> Callable[[Formula], Formula]:
    """Register a formula for calls of these kinds; a second one for the same kind is an error."""

    def add(function: Formula) -> Formula:
        for kind in kinds:
            if kind in FORMULAS:
                raise ValueError(f"there is a formula for {kind} already")
            FORMULAS[kind] = function
        return function

    return add


def register(*ops: str) -> Callable[[Own], Own]:
    """See `archcalc.formula`."""
    if not ops or not all(isinstance(op, str) and op.strip() for op in ops):
        raise UsageError('name the op that the formula is for: @archcalc.formula("mylib::scan")')

    def add(function: Own) -> Own:
        for op in ops:
            kind = op.strip().replace("::", ".").removesuffix(".default")
            # a file is run again where two of its networks are compared: what it registers then is no second formula
            again = kind in _OWN and _place(_OWN[kind]) == _place(function) is not None
            if not again and (kind in FORMULAS or kind in FREE):
                raise ValueError(f"there is a formula for {kind} already")
            _OWN[kind] = function
            FORMULAS[kind] = partial(_by_own, kind, function)
        return function

    return add


def _place(function: Callable[..., Any]) -> tuple[str, int] | None:
    code = getattr(function, "__code__", None)
    return code and (code.co_filename, code.co_firstlineno)


def _by_own(kind: str, function: Callable[..., Any], out: TensorSpec, *args: Any, **kwargs: Any) -> Cost:
    try:
        macs = operator.index(function(out, *args, **kwargs))
    except Exception as error:
        raise UsageError(f"the formula for {kind} failed: {type(error).__name__}: {error}") from error
    if macs < 0:
        raise UsageError(f"the formula for {kind} gives {macs} multiply-adds")
    by = f"by the formula for {kind}"
    products = (Product((macs,), (), f"multiply-adds {by}"),) if macs else ()
    return Cost(products, activations=out.numel if macs else 0, free="" if macs else f"none {by}", backward=False)


def cost(op: Op) -> tuple[Cost, tuple[str, ...]]:
    """What a call costs as far as it is known, and the names of the ops in it that nobody knows."""
    if op.kind in FORMULAS:
        kwargs = {name: value for name, value in op.kwargs.items() if name != "out"}
        return FORMULAS[op.kind](op.outputs[0], *op.args, **kwargs), ()
    if op.kind in FREE:
        return Cost(free=FREE[op.kind]), ()
    counted = [aten for aten in op.aten if aten.flops is not None]
    own = [_by_own_beneath(aten) for aten in op.aten if aten.name in _OWN and aten.arguments is not None]
    reasons = {aten.name: free_aten(aten) for aten in op.aten if aten.flops is None and aten.name not in _OWN}
    return (
        Cost(
            # torch counts a multiply-add as two
            registry_macs=sum(aten.flops or 0 for aten in counted) // 2 + sum(each.macs for each in own),
            activations=sum(aten.output_elements for aten in counted) + sum(each.activations for each in own),
            free="" if counted or own else next(filter(None, reasons.values()), "data movement"),
            backward=not own,
        ),
        tuple(name for name, reason in reasons.items() if not reason),
    )


def _by_own_beneath(aten: AtenOp) -> Cost:
    assert aten.arguments is not None
    outputs, args, kwargs = aten.arguments
    return FORMULAS[aten.name](outputs[0], *args, **kwargs)


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


@formula("linalg_vecdot")
def _vecdot(out: TensorSpec, x: TensorSpec, y: TensorSpec, *, dim: int = -1) -> Cost:
    terms = (broadcast((x.shape, y.shape)) or x.shape)[dim]
    return Cost((Product(out.shape, (terms,)),), activations=out.numel)


@formula("bilinear")
def _bilinear(
    out: TensorSpec, input1: TensorSpec, input2: TensorSpec, weight: TensorSpec, bias: TensorSpec | None = None
) -> Cost:
    """Two products, one after the other: the first input with the weight, then the second with the result."""
    units, first, second = weight.shape
    halfway = Product((*out.shape[:-1], units, second), (first,))
    return Cost((halfway, Product(out.shape, (second,))), activations=out.numel)


@formula("scaled_dot_product_attention")
def _attention(
    out: TensorSpec, query: TensorSpec, key: TensorSpec, value: TensorSpec, *more: Any, **named: Any
) -> Cost:
    """The scores, each query with each key, and their product with the values; a mask saves nothing."""
    scores = (*out.shape[:-1], key.shape[-2])
    products = (Product(scores, query.shape[-1:], "scores"), Product(out.shape, key.shape[-2:-1]))
    return Cost(products, activations=prod(scores) + out.numel)
