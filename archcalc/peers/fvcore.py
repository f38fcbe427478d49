"""fvcore's FlopCountAnalysis: one formula for each op of a jit trace that it knows, 0 for the others."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from archcalc.peers.calls import (
    ATTENTION,
    CONVOLUTIONS,
    MULTI_HEAD,
    TRANSPOSED,
    adds_mask_in_product,
    by_matmul,
    is_fused,
    split_multi_head,
)
from archcalc.peers.counted_trace import CountedTrace, argument, has_tensor, shapes
from archcalc.peers.peer import Args, Kwargs, Peer, PeerError
from archcalc.peers.tally import Tally
from archcalc.values.trace import Op

if TYPE_CHECKING:
    from torch import nn

_UNSEEN = "fused attention, which it does not see"


def _rules(counted: CountedTrace) -> Tally:
    tally = Tally()
    taken = {spec.producer for op, _ in counted.calls for spec in op.inputs}
    taken |= {spec.producer for spec in counted.trace.outputs}
    for op, our_macs in counted.calls:
        _call(op, our_macs, tally)
        if our_macs and op.index not in taken:
            tally.doubt("a jit trace leaves out what no output depends on")
    return tally


def _call(op: Op, our_macs: int, tally: Tally) -> None:
    kind, out = op.kind, op.outputs[0].numel
    if kind in _AS_WE_DO or kind in TRANSPOSED:
        return
    if kind in CONVOLUTIONS:
        if isinstance(argument(op, 4, "padding"), str):
            tally.add(-our_macs, "convolutions with padding by name, which it does not see")
    elif kind in ("matmul", "linalg_matmul"):
        if len(shapes(op)[1]) == 1:
            tally.doubt("it fails on a product with a vector")
        else:
            tally.add(by_matmul(op) - our_macs, "matrix products in which the first factor is repeated")
    elif kind == "einsum":
        _einsum(op, our_macs, tally)
    elif kind == MULTI_HEAD:
        attention = split_multi_head(op)[1]
        if is_fused(op):
            tally.add(-attention, _UNSEEN)
        elif adds_mask_in_product(op):
            tally.add(-attention // 2, "attention scores with a mask, which it does not see")
    elif kind in _NORMS:
        training = kind == "batch_norm" and argument(op, 5, "training", False)
        an_element, affine = _norm(op, training)
        what = _NORMS[kind]
        tally.add((an_element + affine) * _first_numel(op), f"{what}, {an_element + affine} an element")
    elif kind == "adaptive_avg_pool2d":
        tally.add(_first_numel(op), "inputs of adaptive average pooling")
    elif kind == "interpolate":
        an_output = {"nearest": 1, "bilinear": 4}.get(str(argument(op, 3, "mode", "nearest")), 0)
        if len(op.outputs[0].shape) == 4:
            tally.add(an_output * out, f"outputs of interpolation, {an_output} each")
    elif kind in ("grid_sample", "grid_sampler"):
        tally.add(4 * out, "outputs of grid sampling, 4 each")
    else:
        if kind.startswith("aten."):
            tally.doubt(f"{kind} runs where a jit trace may not see it")
        elif kind.startswith("max_unpool"):
            tally.doubt("it fails on unpooling, whose size a jit trace makes a tensor")
        tally.add(-our_macs, _UNSEEN if kind == ATTENTION else f"{kind}, which it does not see")


def _einsum(op: Op, our_macs: int, tally: Tally) -> None:
    """It asks numpy, which prints a count with four digits, except for two equations."""
    inputs, _, output = "".join(str(op.args[0]).split()).partition("->")
    factors, given = inputs.split(","), shapes(op)
    sizes: dict[str, int] = {}
    for factor, shape in zip(factors, given, strict=False):
        sizes.update(zip(factor, shape, strict=False))
    if len(factors) != 2 or "." in inputs or set(inputs) - {","} <= set(output) or prod(sizes.values()) != our_macs:
        tally.doubt("it asks numpy for the count of an einsum")
    elif _renamed(f"{inputs}->{output}") not in ("abc,abd->acd", "abc,adc->adb"):
        tally.add(int(float(f"{2 * our_macs:.3e}") / 2) - our_macs, "einsum, rounded to four digits")


_AS_WE_DO = frozenset("linear mm bmm addmm lstm_cell gru_cell rnn_tanh_cell rnn_relu_cell".split())
_NORMS = {
    "batch_norm": "batch norm",
    "layer_norm": "layer norm",
    "group_norm": "group norm",
    "instance_norm": "instance norm",
}
_WEIGHT_AT = {"batch_norm": 3, "layer_norm": 2, "group_norm": 2, "instance_norm": 3}


def _norm(op: Op, training: bool) -> tuple[int, int]:
    """FLOPs that fvcore counts for an element of a normalisation, and in addition for scale and shift."""
    return 1 if op.kind == "batch_norm" and not training else 4, int(has_tensor(op, _WEIGHT_AT[op.kind], "weight"))


def _first_numel(op: Op) -> int:
    """Elements of the first tensor that goes in."""
    return op.inputs[0].numel


def _renamed(equation: str) -> str:
    letters = list(dict.fromkeys(letter for letter in equation if letter.isalpha()))
    return equation.translate({ord(letter): 97 + index for index, letter in enumerate(letters)})


def _run(module: nn.Module, args: Args, kwargs: Kwargs) -> int:
    from fvcore.nn import FlopCountAnalysis

    if kwargs:
        raise PeerError("it takes no inputs by name")
    return int(FlopCountAnalysis(module, args).total())


PEER = Peer(
    name="fvcore",
    position=1,
    unit="MACs",
    version="0.1.5",
    packages=("fvcore",),
    module="fvcore",
    rules=_rules,
    run=_run,
    with_gradients=True,
)
