"""What training needs of a run: zero the backward cost of calls that no output depends on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch.autograd.function import BackwardCFunction

from archcalc.trace.record import Recorder
from archcalc.trace.tensors import tensors_in
from archcalc.values.trace import Op, backward_unknown


def drop_unused_gradients(recorder: Recorder, result: Any) -> tuple[list[Op], tuple[str, ...]]:
    """The calls, without gradients where no output depends on them, and notes on backward passes that are unknown.

    What was saved after the last of the calls belongs to it.
    """
    reachable = _reachable([tensor.grad_fn for tensor in tensors_in(result)])
    ops = [
        op if any(id(node) in reachable for node in nodes) else _without_backward(op)
        for op, nodes in zip(recorder.ops, recorder.nodes, strict=True)
    ]
    if ops and (saved := recorder.tensors.take_saved()):
        ops[-1] = replace(ops[-1], saved=ops[-1].saved + saved)
    custom_functions = [
        type(node).__name__.removesuffix("Backward")
        for node in reachable.values()
        if isinstance(node, BackwardCFunction)
    ]
    return ops, backward_unknown(dict.fromkeys(custom_functions))


def _reachable(nodes: list[Any]) -> dict[int, Any]:
    """These nodes of the autograd graph and all that gradients reach from them, by id()."""
    reachable: dict[int, Any] = {}
    pending = [node for node in nodes if node is not None]
    while pending:
        node = pending.pop()
        if id(node) not in reachable:
            reachable[id(node)] = node
            pending += [following for following, _ in node.next_functions if following is not None]
    return reachable


def _without_backward(op: Op) -> Op:
    if not any(aten.backward for aten in op.aten):
        return op
    return replace(op, aten=tuple(replace(aten, backward=0) for aten in op.aten))
