"""fvcore: the ops of a jit trace."""

from __future__ import annotations

from math import prod

from archcalc.peers.calls import ATTENTION, CONVOLUTIONS, MULTI_HEAD, TRANSPOSED, by_matmul, is_fused, masked, parts_of
from archcalc.peers.tally import Facts, Tally, argument, has, shapes
from archcalc.values.trace import Op

UNSEEN = "fused attention, which it does not see"


def fvcore(facts: Facts) -> Tally:
    """Fvcore's FlopCountAnalysis follows a jit trace: one formula for each op that it knows, 0 for the others."""
    tally = Tally()
    for op, own in facts.calls:
        _fvcore(op, own, tally)
    return tally


def _fvcore(op: Op, own: int, tally: Tally) -> None:
    kind, out = op.kind, op.outputs[0].numel
    if kind in _AS_WE_DO or kind in TRANSPOSED:
        return
    if kind in CONVOLUTIONS:
        if isinstance(argument(op, 4, "padding"), str):
            tally.add(-own, "convolutions with padding by name, which it does not see")
    elif kind == "matmul":
        if len(shapes(op)[1]) == 1:
            tally.doubt("it fails on a product with a vector")
        else:
            tally.add(by_matmul(op) - own, "matrix products in which the first factor is repeated")
    elif kind == "einsum":
        _einsum(op, own, tally)
    elif kind == MULTI_HEAD:
        attention = parts_of(op)[1]
        if is_fused(op):
            tally.add(-attention, UNSEEN)
        elif masked(op):
            tally.add(-attention // 2, "attention scores with a mask, which it does not see")
    elif kind in _FVCORE_NORMS:
        training = kind == "batch_norm" and argument(op, 5, "training", False)
        each, affine = _norm(op, training)
        what = _FVCORE_NORMS[kind]
        tally.add((each + affine) * shapes_first(op), f"{what}, {each + affine} an element")
    elif kind == "adaptive_avg_pool2d":
        tally.add(shapes_first(op), "inputs of adaptive average pooling")
    elif kind == "interpolate":
        each = {"nearest": 1, "bilinear": 4}.get(str(argument(op, 3, "mode", "nearest")), 0)
        if len(op.outputs[0].shape) == 4:
            tally.add(each * out, f"outputs of interpolation, {each} each")
    elif kind in ("grid_sample", "grid_sampler"):
        tally.add(4 * out, "outputs of grid sampling, 4 each")
    else:
        if kind.startswith("aten."):
            tally.doubt(f"{kind} runs where a jit trace may not see it")
        tally.add(-own, UNSEEN if kind == ATTENTION else f"{kind}, which it does not see")


def _einsum(op: Op, own: int, tally: Tally) -> None:
    """It asks numpy, which prints a count with four digits, except for two equations."""
    inputs, _, output = "".join(str(op.args[0]).split()).partition("->")
    factors, given = inputs.split(","), shapes(op)
    sizes: dict[str, int] = {}
    for factor, shape in zip(factors, given, strict=False):
        sizes.update(zip(factor, shape, strict=False))
    if len(factors) != 2 or "." in inputs or set(inputs) - {","} <= set(output) or prod(sizes.values()) != own:
        tally.doubt("it asks numpy for the count of an einsum")
    elif _renamed(f"{inputs}->{output}") not in ("abc,abd->acd", "abc,adc->adb"):
        tally.add(int(float(f"{2 * own:.3e}") / 2) - own, "einsum, rounded to four digits")


_AS_WE_DO = frozenset("linear mm bmm addmm lstm_cell gru_cell rnn_tanh_cell rnn_relu_cell".split())
_FVCORE_NORMS = {
    "batch_norm": "batch norm",
    "layer_norm": "layer norm",
    "group_norm": "group norm",
    "instance_norm": "instance norm",
}
_WEIGHT_AT = {"batch_norm": 3, "layer_norm": 2, "group_norm": 2, "instance_norm": 3}


def _norm(op: Op, training: bool) -> tuple[int, int]:
    """What fvcore takes for an element of a normalisation, and what more for its scale and shift."""
    return 1 if op.kind == "batch_norm" and not training else 4, int(has(op, _WEIGHT_AT[op.kind], "weight"))


def shapes_first(op: Op) -> int:
    """Elements of the first tensor that goes in."""
    return op.inputs[0].numel


def _renamed(equation: str) -> str:
    letters = list(dict.fromkeys(letter for letter in equation if letter.isalpha()))
    return equation.translate({ord(letter): 97 + at for at, letter in enumerate(letters)})
