"""torch's FlopCounterMode: formulas for the matrix products and convolutions of the dispatcher."""

from __future__ import annotations

from torch import nn

from archcalc.peers.counted_trace import CountedTrace
from archcalc.peers.dispatched_ops import missed
from archcalc.peers.peer import Args, Kwargs, Peer
from archcalc.peers.tally import Tally

_FORMULAS = frozenset(f"aten.{name}" for name in "mm addmm bmm baddbmm convolution _convolution".split())


def _rules(counted: CountedTrace) -> Tally:
    tally = Tally()
    for op, our_macs in counted.calls:
        macs, reason = missed(op, our_macs, _FORMULAS)
        tally.add(-macs, reason)
    return tally


def _run(module: nn.Module, args: Args, kwargs: Kwargs) -> int:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        module(*args, **kwargs)
    return int(counter.get_total_flops())


PEER = Peer(
    name="torch FlopCounterMode",
    position=2,
    unit="FLOPs",
    version="2.13",
    packages=("torch",),
    module="torch",
    rules=_rules,
    run=_run,
    with_gradients=True,
)
