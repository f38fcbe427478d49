"""DeepSpeed's flops profiler: MACs of the functions that it replaces, attention among them."""

from __future__ import annotations

from torch import nn

from archcalc.peers.calls import MULTI_HEAD, TRANSPOSED
from archcalc.peers.counted_trace import CountedTrace
from archcalc.peers.function_rules import count_call, doubt_calls
from archcalc.peers.peer import Args, Kwargs, Peer
from archcalc.peers.tally import Tally

_REPLACED = frozenset(
    """F.linear torch.matmul Tensor.matmul torch.addmm Tensor.addmm torch.baddbmm operator torch.mm Tensor.mm
    torch.bmm Tensor.bmm F.scaled_dot_product_attention""".split()
)


def _rules(counted: CountedTrace) -> Tally:
    tally = Tally()
    doubt_calls(counted, _REPLACED, tally)
    for op, our_macs in counted.calls:
        if op.kind != MULTI_HEAD and op.kind not in TRANSPOSED:
            for macs, reason in count_call(op, our_macs, _REPLACED):
                tally.add(macs, reason)
    return tally


def _run(module: nn.Module, args: Args, kwargs: Kwargs) -> int:
    from deepspeed.profiling.flops_profiler import get_model_profile

    _, macs, _ = get_model_profile(module, args=list(args), kwargs=kwargs, print_profile=False, as_string=False)
    return int(macs)


PEER = Peer(
    name="DeepSpeed",
    position=8,
    unit="MACs",
    version="0.19.8",
    packages=("DeepSpeed",),
    module="deepspeed",
    rules=_rules,
    run=_run,
    with_gradients=True,
)
