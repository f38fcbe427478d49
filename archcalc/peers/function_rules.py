"""calflops and DeepSpeed: functions that are replaced, under the names by which they are called."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from archcalc.peers.calls import (
    ATTENTION,
    CONVOLUTIONS,
    MULTI_HEAD,
    TRANSPOSED,
    by_matmul,
    doubt_names,
    masked,
    parts_of,
)
from archcalc.peers.tally import Facts, Tally, argument, shapes
from archcalc.values.trace import Op, Shape

_CALFLOPS = frozenset("F.linear torch.matmul Tensor.matmul torch.addmm Tensor.addmm torch.baddbmm".split())
_MORE = frozenset("operator torch.mm Tensor.mm torch.bmm Tensor.bmm F.scaled_dot_product_attention".split())
_DEEPSPEED = _CALFLOPS | _MORE

UNSEEN = "attention, which it does not see"
SHARED = "modules with several parents, counted once for each"

Parts = Iterator[tuple[int, str]]


def calflops(facts: Facts) -> Tally:
    """calflops: MACs of the functions that it replaces; a module with several parents counts once for each of them."""
    tally = Tally()
    if not facts.trace.params:
        tally.doubt("it fails on a model without parameters")
    _doubt(facts, _CALFLOPS, tally)
    for op, own in facts.calls:
        counted = own
        for macs, reason in _calflops(op, own):
            counted += macs
            tally.add(macs, reason)
        tally.add((facts.trace.modules[op.path].places - 1) * counted, SHARED)
    return tally


def _calflops(op: Op, own: int) -> Parts:
    if op.kind == MULTI_HEAD:
        attention = parts_of(op)[1]
        yield -(attention // 2 if masked(op) else attention), UNSEEN
    elif op.kind in TRANSPOSED:
        first, weight = shapes(op)[:2]
        groups = argument(op, 6, "groups", 1)
        by_its_rule = prod(first) * (weight[1] // groups) * prod(weight[2:])
        yield by_its_rule - own, "transposed convolutions with groups, divided by the groups twice"
    else:
        yield from _by_name(op, own, _CALFLOPS)


def deepspeed(facts: Facts) -> Tally:
    """DeepSpeed's flops profiler: the same idea with more names, attention among them."""
    tally = Tally()
    _doubt(facts, _DEEPSPEED, tally)
    for op, own in facts.calls:
        if op.kind != MULTI_HEAD and op.kind not in TRANSPOSED:
            for macs, reason in _by_name(op, own, _DEEPSPEED):
                tally.add(macs, reason)
    return tally


def _doubt(facts: Facts, names: frozenset[str], tally: Tally) -> None:
    for op, own in facts.calls:
        if own and op.spelling in names and op.spelling.startswith(("F.", "torch.")):
            doubt_names(facts, op, tally)
        if op.kind in CONVOLUTIONS and len(op.inputs[0].shape) < len(shapes(op)[1]):
            tally.doubt("it fails on a convolution of an input without batch")


def _by_name(op: Op, own: int, names: frozenset[str]) -> Parts:
    """Counted are convolutions and the functions that are called by these names."""
    if op.kind in CONVOLUTIONS:
        yield _convolution(op) - own, "convolutions with padding by name, by its own output size"
    elif op.spelling not in names:
        spelling = f"{op.kind} written as an operator" if op.spelling == "operator" else op.kind
        yield -own, UNSEEN if op.kind == ATTENTION else f"{spelling}, which it does not see"
    elif op.kind == "matmul":
        yield by_matmul(op) - own, "matrix products, by the shapes of their factors"


def _convolution(op: Op) -> int:
    """Multiply-adds by the output size that the tool computes itself."""
    first, weight = shapes(op)[:2]
    axes = len(weight) - 2
    padding = argument(op, 4, "padding", 0)
    stride, dilation = (_each(argument(op, at, name, 1), axes) for at, name in ((3, "stride"), (5, "dilation")))
    if isinstance(padding, str):
        same = padding == "same"
        padding = tuple(apart * (kernel - 1) // 2 * same for apart, kernel in zip(dilation, weight[2:], strict=True))
    sizes = zip(first[-axes:], _each(padding, axes), weight[2:], stride, dilation, strict=True)
    out = [(size + 2 * pad - (apart * (kernel - 1) + 1)) // step + 1 for size, pad, kernel, step, apart in sizes]
    return prod(first[:-axes]) // first[-axes - 1] * prod(weight) * prod(out)


def _each(value: int | Shape, axes: int) -> Shape:
    return tuple(value) * (axes // len(value)) if isinstance(value, tuple) else (value,) * axes
