"""What training needs of a run: zero the backward cost of calls that no output depends on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from torch.autograd.function import BackwardCFunction

from archcalc.trace.checkpoints import Region, with_recomputation
from archcalc.trace.record import Recorder
from archcalc.trace.tensors import tensors_in
from archcalc.values.trace import Checkpoint, Op, backward_unknown

HIDDEN = "saved bytes are a lower bound: what gradients that the forward takes by torch.func keep cannot be seen"


class Training(NamedTuple):
    """What training needs of a run.

    `ops` have no gradients where no output depends on them; `notes` are on backward passes that are unknown,
    `checkpoints` the regions that the backward pass runs again.
    """

    ops: list[Op]
    notes: tuple[str, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()


def what_training_needs(recorder: Recorder, result: Any) -> Training:
    """What training needs of the run that gave this result; what was saved after the last call belongs to it."""
    all_nodes = recorder.nodes()
    reachable = _reachable([tensor.grad_fn for tensor in tensors_in(result)], recorder.regions.all)
    ops = [
        op if any(id(node) in reachable for node in nodes) else _without_backward(op)
        for op, nodes in zip(recorder.ops, all_nodes, strict=True)
    ]
    saved, saved_again = recorder.tensors.take_saved()
    if ops and (saved or saved_again):
        ops[-1] = replace(ops[-1], saved=ops[-1].saved + saved, saved_again=ops[-1].saved_again + saved_again)
    run_again = {
        region
        for op, nodes in zip(ops, all_nodes, strict=True)
        if op.checkpoints and any(id(node) in reachable for node in nodes)
        for region in op.checkpoints
    }
    ops, checkpoints = with_recomputation(ops, recorder.regions.all, lambda region: region.number in run_again)
    custom_functions = [
        type(node).__name__.removesuffix("Backward")
        for node in reachable.values()
        if isinstance(node, BackwardCFunction)
    ]
    hidden = (HIDDEN,) if recorder.hides_saved_tensors else ()
    return Training(ops, (*backward_unknown(dict.fromkeys(custom_functions)), *hidden), checkpoints)


def _reachable(nodes: list[Any], regions: list[Region]) -> dict[int, Any]:
    """These nodes of the autograd graph and all that gradients reach from them, by id().

    Where a gradient reaches one output of a reentrant checkpoint, zeros come to its others.
    """
    together = {id(node): region.nodes for region in regions for node in region.nodes}
    reachable: dict[int, Any] = {}
    pending = [node for node in nodes if node is not None]
    while pending:
        node = pending.pop()
        if id(node) not in reachable:
            reachable[id(node)] = node
            pending += [following for following, _ in node.next_functions if following is not None]
            pending += together.get(id(node), ())
    return reachable


def _without_backward(op: Op) -> Op:
    if not any(aten.backward for aten in op.aten):
        return op
    return replace(op, aten=tuple(replace(aten, backward=0) for aten in op.aten))
