"""torchinfo: parameters of childless modules by name, times the places of the output where the class says Conv."""

from __future__ import annotations

from math import prod

from torch import nn

from archcalc.peers.counted_trace import CountedTrace, ModuleRun
from archcalc.peers.module_rules import BIAS, PRODUCTS, Parts, count_modules
from archcalc.peers.peer import Args, Kwargs, Peer
from archcalc.peers.tally import Tally


def _rules(counted: CountedTrace) -> Tally:
    tally = count_modules(counted, lambda module: _module if module.leaf else None)
    for path, module in counted.trace.modules.items():
        if any(name.endswith("_orig") for name in module.parameters):
            tally.doubt(f"{path} is pruned: it counts the weights that are left")
        if module.leaf and module.runs and module.parameters and module.outputs == ((),):
            tally.doubt(f"it fails on {path or 'the model'}, which puts out a scalar")
    return tally


def _module(run: ModuleRun) -> Parts:
    if not run.module.parameters:
        return
    out, kind = run.outputs[0], run.module.kind
    for name, shape in run.module.parameters.items():
        if name in ("weight", "bias"):
            times = prod(out[:1] + out[2:]) if "Conv" in kind else out[0]
        elif "weight" in name or "bias" in name:
            times = prod(out[:2])
        else:
            continue
        macs = times * prod(shape)
        if "Norm" in kind:
            yield macs, "scales and shifts of normalisation"
        elif "Embedding" in kind:
            yield macs, "embedding tables, once a sample"
        else:
            yield macs, BIAS if "bias" in name else PRODUCTS


def _run(module: nn.Module, args: Args, kwargs: Kwargs) -> int:
    from torchinfo import summary

    inputs = dict(kwargs) if kwargs and not args else list(args)
    return int(summary(module, input_data=inputs, verbose=0, cache_forward_pass=False).total_mult_adds)


PEER = Peer(
    name="torchinfo",
    position=3,
    unit="MACs",
    version="1.8.0",
    packages=("torchinfo",),
    module="torchinfo",
    rules=_rules,
    run=_run,
)
