"""Tools that replace functions, which then count under the names that a program calls them by: calflops, DeepSpeed."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from archcalc.peers.calls import ATTENTION, CONVOLUTIONS, UNSEEN_ATTENTION, by_axis, by_matmul, doubt_names
from archcalc.peers.counted_trace import CountedTrace, argument, shapes
from archcalc.peers.tally import Tally
from archcalc.values.trace import Op, TensorSpec

Parts = Iterator[tuple[int, str]]
"""Mult-adds more than ours, and why."""


def count_call(op: Op, our_macs: int, replaced: frozenset[str]) -> Parts:
    """The difference of one call: counted are convolutions and the functions that are called by `replaced` names."""
    if op.kind in CONVOLUTIONS:
        yield _convolution(op) - our_macs, "convolutions with padding by name, by its own output size"
    elif op.spelling not in replaced:
        spelling = f"{op.kind} written as an operator" if op.spelling == "operator" else op.kind
        yield -our_macs, UNSEEN_ATTENTION if op.kind == ATTENTION else f"{spelling}, which it does not see"
    elif op.kind == "matmul":
        yield by_matmul(op) - our_macs, "matrix products, by the shapes of their factors"


def doubt_calls(counted: CountedTrace, replaced: frozenset[str], tally: Tally) -> None:
    """Doubt the calls whose name may be another than it seems, and those that such tools fail on."""
    for op, our_macs in counted.calls:
        if our_macs and op.spelling in replaced and op.spelling.startswith(("F.", "torch.")):
            doubt_names(counted, op, tally)
        if op.kind.endswith("_cell") and any(len(shape) == 1 for shape in counted.trace.modules[op.path].inputs):
            tally.doubt("it fails on a recurrent cell with an input without batch")
        if op.kind == "einsum" and not _is_equation_of_tensors(op):
            tally.doubt("it fails on an einsum whose operands are a list, or whose equation is none in writing")
        if op.kind in CONVOLUTIONS and len(op.inputs[0].shape) < len(shapes(op)[1]):
            tally.doubt("it fails on a convolution of an input without batch")


def _is_equation_of_tensors(op: Op) -> bool:
    """Whether an einsum is given as an equation and then its operands one by one."""
    operands = [argument for argument in op.args[1:] if isinstance(argument, TensorSpec)]
    return isinstance(argument(op, 0, "equation"), str) and len(operands) == len(op.inputs)


def _convolution(op: Op) -> int:
    """Mult-adds by the output size that the tool computes itself."""
    first, weight = shapes(op)[:2]
    axes = len(weight) - 2
    padding = argument(op, 4, "padding", 0)
    stride, dilation = (
        by_axis(argument(op, position, name, 1), axes) for position, name in ((3, "stride"), (5, "dilation"))
    )
    if isinstance(padding, str):
        same = padding == "same"
        padding = tuple(apart * (kernel - 1) // 2 * same for apart, kernel in zip(dilation, weight[2:], strict=True))
    sizes = zip(first[-axes:], by_axis(padding, axes), weight[2:], stride, dilation, strict=True)
    out = [(size + 2 * pad - (apart * (kernel - 1) + 1)) // step + 1 for size, pad, kernel, step, apart in sizes]
    return prod(first[:-axes]) // first[-axes - 1] * prod(weight) * prod(out)
