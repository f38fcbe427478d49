"""torchscan: childless modules of the classes in its list, and of those derived from them.

Its total of `macs`, which it calls partial where it met a module that it has no rule for.
"""

from __future__ import annotations

from math import prod

from torch import nn

from archcalc.peers.counted_trace import CountedTrace, ModuleRun, argument
from archcalc.peers.module_rules import PRODUCTS, Parts, Rule, call_in, count_modules
from archcalc.peers.peer import Args, Kwargs, Peer, PeerError
from archcalc.peers.tally import Tally
from archcalc.values.trace import Module


def _rules(counted: CountedTrace) -> Tally:
    tally = count_modules(counted, _rule_for)
    if "nn.Transformer" in counted.trace.modules[""].classes:
        tally.doubt("it looks at an nn.Transformer as a whole")
    ran = [module for module in counted.trace.modules.values() if module.runs]
    if not any(module.leaf or "nn.MultiheadAttention" in module.classes for module in ran):
        tally.doubt("it calls the number unavailable where no module runs that has no children")
    return tally


def _rule_for(module: Module) -> Rule | None:
    if not module.leaf:
        return None
    return next((rule for name, rule in _RULES.items() if name in module.classes), None)


def _linear(run: ModuleRun) -> Parts:
    yield run.module.parameters["weight"][1] * prod(run.outputs[0]), PRODUCTS


def _convolution(run: ModuleRun) -> Parts:
    weight, groups = run.module.parameters["weight"], argument(call_in(run, "conv"), 6, "groups", 1)
    yield prod(run.outputs[0]) * (run.inputs[0][1] // groups) * prod(weight[2:]), PRODUCTS


def _transposed(run: ModuleRun) -> Parts:
    yield from _convolution(run)
    axes = len(run.module.parameters["weight"]) - 2
    yield 4 * axes, "transposed convolutions, 4 an axis"


def _norm(run: ModuleRun) -> Parts:
    an_element = 2 if "weight" in run.module.parameters else 1
    yield an_element * prod(run.inputs[0]), f"batch norm, {an_element} an element"


def _pooled(run: ModuleRun) -> Parts:
    kernel = argument(call_in(run, "pool"), 1, "kernel_size")
    if isinstance(kernel, tuple):
        yield prod(run.outputs[0]) * (prod(kernel) + _more(run)), "windows of pooling"
    else:
        yield prod(run.outputs[0]) * (kernel + _more(run)), "windows of pooling, the kernel's side taken for its area"


def _more(run: ModuleRun) -> int:
    return len(run.inputs[0]) - 3 if "nn._AvgPoolNd" in run.module.classes else -1


def _adaptive(run: ModuleRun) -> Parts:
    into, out = run.inputs[0], run.outputs[0]
    window = [i // o if i % o == 0 else i % o + 1 for i, o in zip(into[2:], out[2:], strict=False)]
    more = len(window) - 1 if "nn._AdaptiveAvgPoolNd" in run.module.classes else -1
    yield prod(out) * (prod(window) + more), "windows of adaptive pooling"


_RULES: dict[str, Rule] = {
    "nn.Linear": _linear,
    "nn._ConvTransposeNd": _transposed,
    "nn._ConvNd": _convolution,
    "nn._BatchNorm": _norm,
    "nn._MaxPoolNd": _pooled,
    "nn._AvgPoolNd": _pooled,
    "nn._AdaptiveMaxPoolNd": _adaptive,
    "nn._AdaptiveAvgPoolNd": _adaptive,
}


def _run(module: nn.Module, args: Args, kwargs: Kwargs) -> int:
    from torchscan import crawl_module

    macs = crawl_module(module, args=args, kwargs=kwargs)["totals"]["macs"]["known_value"]
    if macs is None:
        raise PeerError("it calls the number unavailable")
    return int(macs)


PEER = Peer(
    name="torchscan",
    position=9,
    unit="MACs",
    version="0.2.0",
    packages=("torchscan",),
    module="torchscan",
    rules=_rules,
    run=_run,
)
