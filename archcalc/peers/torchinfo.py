"""torchinfo: parameters of childless modules, by their names and the names of classes."""

from __future__ import annotations

from math import prod

from archcalc.peers.module_rules import BIAS, PRODUCTS, Parts, watched
from archcalc.peers.tally import Facts, Run, Tally


def torchinfo(facts: Facts) -> Tally:
    """torchinfo: parameters of childless modules by name, times the places of the output where the class says Conv."""
    tally = watched(facts, lambda module: _torchinfo if module.leaf else None)
    for path, module in facts.trace.modules.items():
        if any(name.endswith("_orig") for name in module.parameters):
            tally.doubt(f"{path} is pruned: it counts the weights that are left")
        if module.leaf and module.runs and module.parameters and module.outputs == ((),):
            tally.doubt(f"it fails on {path or 'the model'}, which puts out a scalar")
    return tally


def _torchinfo(run: Run) -> Parts:
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
