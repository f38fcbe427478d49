"""ptflops with backend="aten": four ops of the dispatcher, with the bias where the op has one."""

from __future__ import annotations

from functools import partial

from archcalc.peers.calls import CONVOLUTIONS, TRANSPOSED
from archcalc.peers.counted_trace import CountedTrace, has_tensor
from archcalc.peers.dispatched_ops import is_one_kernel, missed
from archcalc.peers.peer import Peer
from archcalc.peers.ptflops import complexity
from archcalc.peers.tally import Tally

_FORMULAS = frozenset(f"aten.{name}" for name in "mm addmm bmm convolution".split())


def _rules(counted: CountedTrace) -> Tally:
    tally = Tally()
    if len(counted.trace.inputs) != 1:
        tally.doubt("it takes one tensor")
    for op, our_macs in counted.calls:
        macs, reason = missed(op, our_macs, _FORMULAS)
        tally.add(-macs, reason)
        out = op.outputs[0]
        if op.kind in CONVOLUTIONS | TRANSPOSED:
            tally.add(out.numel * has_tensor(op, 2, "bias"), "biases of convolutions")
        elif op.aten:
            with_bias = sum(aten.output_elements for aten in op.aten if aten.name == "aten.addmm")
            tally.add(0 if is_one_kernel(op) else with_bias, "biases of linear layers")
        elif op.kind == "linear":
            tally.add(out.numel * has_tensor(op, 2, "bias"), "biases of linear layers")
    return tally


PEER = Peer(
    name="ptflops aten",
    position=5,
    unit="MACs",
    version="0.7.5",
    packages=("ptflops",),
    module="ptflops",
    rules=_rules,
    run=partial(complexity, "aten"),
    with_gradients=True,
)
