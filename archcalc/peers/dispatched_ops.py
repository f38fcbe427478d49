"""Tools that count the ops that reach torch's dispatcher on the CPU: FlopCounterMode and ptflops' aten backend."""

from __future__ import annotations

from archcalc.peers.calls import (
    ATTENTION,
    MULTI_HEAD,
    adds_mask_in_product,
    fused_on_the_cpu,
    is_fused,
    split_multi_head,
)
from archcalc.values.trace import Op, tensor_specs

_FUSED = "attention in one CPU kernel, which it has no formula for"


def missed(op: Op, our_macs: int, formulas: frozenset[str]) -> tuple[int, str]:
    """Of a call the mult-adds in ops of the dispatcher that a tool has no formula for, and why they are missed."""
    if op.kind == ATTENTION:
        return our_macs if fused_on_the_cpu(op) else 0, _FUSED
    if op.kind == MULTI_HEAD:
        attention = split_multi_head(op)[1]
        if is_fused(op):
            return attention, _FUSED
        scores = attention // 2 if adds_mask_in_product(op) and "aten.baddbmm" not in formulas else 0
        return scores, "attention scores with a mask, which it has no formula for"
    if is_one_kernel(op):
        return our_macs, "lstm in one CPU kernel, which it has no formula for"
    if not op.aten:
        return 0, ""
    counted = sum(aten.flops or 0 for aten in op.aten if aten.name in formulas) // 2
    return our_macs - counted, f"{op.kind}, which it has no formula for"


def is_one_kernel(op: Op) -> bool:
    """Whether it is an LSTM that runs as one kernel; one with projections is decomposed."""
    if op.kind != "lstm":
        return False
    recurrent = [spec.shape for spec in tensor_specs(op.args[2:]) if len(spec.shape) == 2][1:2]
    return all(rows == 4 * columns for rows, columns in recurrent)
