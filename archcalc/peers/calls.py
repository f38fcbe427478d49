"""Facts about single calls that the rules of several tools need."""

from __future__ import annotations

from math import prod

from archcalc.peers.counted_trace import CountedTrace, argument, shapes
from archcalc.peers.tally import Tally
from archcalc.values.trace import Op, Shape

CONVOLUTIONS = frozenset(f"conv{axes}d" for axes in (1, 2, 3))
TRANSPOSED = frozenset(f"conv_transpose{axes}d" for axes in (1, 2, 3))
ATTENTION = "scaled_dot_product_attention"
MULTI_HEAD = "multi_head_attention_forward"
UNSEEN_ATTENTION = "attention, which it does not see"


def split_multi_head(op: Op) -> tuple[int, int]:
    """Mult-adds of the projections and of the attention itself in multi-head attention."""
    projections = sum(aten.flops or 0 for aten in op.aten if aten.name in ("aten.mm", "aten.addmm")) // 2
    return projections, sum(aten.flops or 0 for aten in op.aten) // 2 - projections


def is_fused(op: Op) -> bool:
    """Whether multi-head attention is one kernel inside, which it is where its weights are not asked for."""
    return not argument(op, 15, "need_weights", True)


def adds_mask_in_product(op: Op) -> bool:
    """Whether multi-head attention adds a mask to its scores in the product itself."""
    return not is_fused(op) and (argument(op, 14, "key_padding_mask") or argument(op, 16, "attn_mask")) is not None


def doubt_names(counted: CountedTrace, op: Op, tally: Tally) -> None:
    """Doubt where a model's own code calls a function: a tool replaces F.relu, not what was imported from there."""
    if not "".join(counted.trace.modules[op.path].classes[:1]).startswith("nn."):
        tally.doubt("functions are taken to be called as F.name or torch.name, not by a name imported from there")


def by_matmul(op: Op) -> int:
    """Mult-adds of a product as the first factor's elements times the last axis of the second."""
    first, second = shapes(op)[:2]
    return prod(first) * second[-1]


def by_axis(value: int | Shape, axes: int) -> Shape:
    """One number an axis from one for all or a sequence."""
    return tuple(value) * (axes // len(value)) if isinstance(value, tuple) else (value,) * axes


def fused_on_the_cpu(op: Op) -> bool:
    """Whether attention runs as one CPU kernel; else it is decomposed into matrix products."""
    if argument(op, 4, "dropout_p", 0.0):
        return False
    q, k, v = shapes(op)[:3]
    if not (len(q) == len(k) == len(v) == 4 and q[0] == k[0] == v[0] and q[3] == k[3] == v[3]):
        return False
    return q[1] == k[1] == v[1] or bool(op.kwargs.get("enable_gqa"))
