"""calflops: MACs of the functions that it replaces; a module with several parents counts once for each of them."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from archcalc.peers.calls import MULTI_HEAD, TRANSPOSED, UNSEEN_ATTENTION, adds_mask_in_product, split_multi_head
from archcalc.peers.counted_trace import CountedTrace, argument, shapes
from archcalc.peers.function_rules import Parts, count_call, doubt_calls
from archcalc.peers.peer import Args, Kwargs, Peer
from archcalc.peers.tally import Tally
from archcalc.values.trace import Op

if TYPE_CHECKING:
    from torch import nn

_REPLACED = frozenset("F.linear torch.matmul Tensor.matmul torch.addmm Tensor.addmm torch.baddbmm".split())
_SHARED = "modules with several parents, counted once for each"


def _rules(counted: CountedTrace) -> Tally:
    tally = Tally()
    if not counted.trace.params:
        tally.doubt("it fails on a model without parameters")
    doubt_calls(counted, _REPLACED, tally)
    for op, our_macs in counted.calls:
        its_macs = our_macs
        for macs, reason in _call(op, our_macs):
            its_macs += macs
            tally.add(macs, reason)
        tally.add((counted.trace.modules[op.path].places - 1) * its_macs, _SHARED)
    return tally


def _call(op: Op, our_macs: int) -> Parts:
    if op.kind == MULTI_HEAD:
        attention = split_multi_head(op)[1]
        yield -(attention // 2 if adds_mask_in_product(op) else attention), UNSEEN_ATTENTION
    elif op.kind in TRANSPOSED:
        first, weight = shapes(op)[:2]
        groups = argument(op, 6, "groups", 1)
        by_its_rule = prod(first) * (weight[1] // groups) * prod(weight[2:])
        yield by_its_rule - our_macs, "transposed convolutions with groups, divided by the groups twice"
    else:
        yield from count_call(op, our_macs, _REPLACED)


def _run(module: nn.Module, args: Args, kwargs: Kwargs) -> int:
    from calflops import calculate_flops

    _, macs, _ = calculate_flops(module, args=list(args), kwargs=kwargs, print_results=False, output_as_string=False)
    return int(macs)


PEER = Peer(
    name="calflops",
    position=7,
    unit="MACs",
    version="0.3.2",
    packages=("calflops", "transformers"),  # it imports transformers and does not say so
    module="calflops",
    rules=_rules,
    run=_run,
    with_gradients=True,
)
