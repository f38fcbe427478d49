"""torch's FlopCounterMode and ptflops' aten backend: the ops that reach the dispatcher, on the CPU."""

from __future__ import annotations

from archcalc.peers.calls import (
    ATTENTION,
    CONVOLUTIONS,
    MULTI_HEAD,
    TRANSPOSED,
    fused_on_the_cpu,
    is_fused,
    masked,
    parts_of,
)
from archcalc.peers.tally import Facts, Tally, has
from archcalc.values.trace import Op, tensor_specs

_REGISTRY = frozenset(f"aten.{name}" for name in "mm addmm bmm baddbmm convolution _convolution".split())
_ATEN = frozenset(f"aten.{name}" for name in "mm addmm bmm convolution".split())


def torch_registry(facts: Facts) -> Tally:
    """torch.utils.flop_counter: formulas for the matrix products and convolutions of the dispatcher."""
    tally = Tally()
    for op, own in facts.calls:
        missed, reason = _missed(op, own, _REGISTRY)
        tally.add(-missed, reason)
    return tally


def _missed(op: Op, own: int, known: frozenset[str]) -> tuple[int, str]:
    """Of a call the mult-adds that run on the CPU under names that are not known to a tool."""
    if op.kind == ATTENTION:
        return own if fused_on_the_cpu(op) else 0, "attention in one CPU kernel, which it has no formula for"
    if op.kind == MULTI_HEAD:
        if is_fused(op):
            return parts_of(op)[1], "attention in one CPU kernel, which it has no formula for"
        scores = parts_of(op)[1] // 2 if masked(op) and "aten.baddbmm" not in known else 0
        return scores, "attention scores with a mask, which it has no formula for"
    if _is_one_kernel(op):
        return own, "lstm in one CPU kernel, which it has no formula for"
    if not op.aten:
        return 0, ""
    counted = sum(aten.flops or 0 for aten in op.aten if aten.name in known) // 2
    return own - counted, f"{op.kind}, which it has no formula for"


def _is_one_kernel(op: Op) -> bool:
    """Whether it is an LSTM that runs as one kernel; one with projections is taken apart."""
    if op.kind != "lstm":
        return False
    recurrent = [spec.shape for spec in tensor_specs(op.args[2:]) if len(spec.shape) == 2][1:2]
    return all(rows == 4 * columns for rows, columns in recurrent)


def ptflops_aten(facts: Facts) -> Tally:
    """ptflops, backend="aten": four ops of the dispatcher, with the bias where the op has one."""
    tally = Tally()
    if len(facts.trace.inputs) != 1:
        tally.doubt("it takes one tensor")
    for op, own in facts.calls:
        missed, reason = _missed(op, own, _ATEN)
        tally.add(-missed, reason)
        out = op.outputs[0]
        if op.kind in CONVOLUTIONS | TRANSPOSED:
            tally.add(out.numel * has(op, 2, "bias"), "biases of convolutions")
        elif op.aten:
            added = sum(aten.output_elements for aten in op.aten if aten.name == "aten.addmm")
            tally.add(0 if _is_one_kernel(op) else added, "biases of linear layers")
        elif op.kind == "linear":
            tally.add(out.numel * has(op, 2, "bias"), "biases of linear layers")
    return tally
