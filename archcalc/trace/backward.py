"""What training needs of a run: only what the outputs really come from is differentiated."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch.autograd.function import BackwardCFunction

from archcalc.trace.record import Recorder
from archcalc.trace.tensors import tensors_in
from archcalc.values.trace import Op, backward_unknown


def trained(recorder: Recorder, result: Any) -> tuple[list[Op], tuple[str, ...]]:
    """The calls, no gradients for those that no output needs, and what is to be said of them.

    What was saved after the last of them belongs to it.
    """
    reached = _behind([tensor.grad_fn for tensor in tensors_in(result)])
    ops = [
        op if any(id(node) in reached for node in nodes) else _untrained(op)
        for op, nodes in zip(recorder.ops, recorder.nodes, strict=True)
    ]
    if ops and (left := recorder.tensors.just_saved()):
        ops[-1] = replace(ops[-1], saved=ops[-1].saved + left)
    own = [
        type(node).__name__.removesuffix("Backward") for node in reached.values() if isinstance(node, BackwardCFunction)
    ]
    return ops, backward_unknown(dict.fromkeys(own))


def _behind(nodes: list[Any]) -> dict[int, Any]:
    """Every node of the graph that gradients come through, by id()."""
    found: dict[int, Any] = {}
    left = [node for node in nodes if node is not None]
    while left:
        node = left.pop()
        if id(node) not in found:
            found[id(node)] = node
            left += [following for following, _ in node.next_functions if following is not None]
    return found


def _untrained(op: Op) -> Op:
    if not any(aten.backward for aten in op.aten):
        return op
    return replace(op, aten=tuple(replace(aten, backward=0) for aten in op.aten))
