"""What several tools need to know of a call."""

from __future__ import annotations

from math import prod

from archcalc.peers.tally import Facts, Tally, argument, shapes
from archcalc.values.trace import Op

CONVOLUTIONS = frozenset(f"conv{axes}d" for axes in (1, 2, 3))
TRANSPOSED = frozenset(f"conv_transpose{axes}d" for axes in (1, 2, 3))
ATTENTION = "scaled_dot_product_attention"
MULTI_HEAD = "multi_head_attention_forward"


def parts_of(op: Op) -> tuple[int, int]:
    """Mult-adds of the projections and of the attention itself in multi-head attention."""
    linear = sum(aten.flops or 0 for aten in op.aten if aten.name in ("aten.mm", "aten.addmm")) // 2
    return linear, sum(aten.flops or 0 for aten in op.aten) // 2 - linear


def is_fused(op: Op) -> bool:
    """Whether multi-head attention is one kernel inside: nobody asked for its weights."""
    return not argument(op, 15, "need_weights", True)


def masked(op: Op) -> bool:
    """Whether multi-head attention adds a mask to its scores in the product itself."""
    return not is_fused(op) and (argument(op, 14, "key_padding_mask") or argument(op, 16, "attn_mask")) is not None


def doubt_names(facts: Facts, op: Op, tally: Tally) -> None:
    """Doubt where a model's own code calls a function: a tool replaces F.relu, not what was imported from there."""
    if not "".join(facts.trace.modules[op.path].classes[:1]).startswith("nn."):
        tally.doubt("functions are taken to be called as F.name or torch.name, not by a name imported from there")


def by_matmul(op: Op) -> int:
    """The mult-adds that a tool finds that takes the first shape times the last axis of the second."""
    first, second = shapes(op)[:2]
    return prod(first) * second[-1]


def fused_on_the_cpu(op: Op) -> bool:
    """Whether attention runs as one CPU kernel; else it is taken apart into matrix products."""
    if argument(op, 4, "dropout_p", 0.0):
        return False
    q, k, v = shapes(op)[:3]
    if not (len(q) == len(k) == len(v) == 4 and q[0] == k[0] == v[0] and q[3] == k[3] == v[3]):
        return False
    return q[1] == k[1] == v[1] or bool(op.kwargs.get("enable_gqa"))
