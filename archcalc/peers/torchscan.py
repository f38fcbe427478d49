"""torchscan: childless modules of the classes in its list, and of those derived from them."""

from __future__ import annotations

from math import prod

from archcalc.peers.module_rules import PRODUCTS, Parts, Rule, call_in, watched
from archcalc.peers.tally import Facts, Run, Tally, argument
from archcalc.values.trace import Module


def torchscan(facts: Facts) -> Tally:
    """The total of `macs`; torchscan calls it partial where it met a module that it has no rule for."""
    tally = watched(facts, _rule_for)
    if "nn.Transformer" in facts.trace.modules[""].classes:
        tally.doubt("it looks at an nn.Transformer as a whole")
    ran = [module for module in facts.trace.modules.values() if module.runs]
    if not any(module.leaf or "nn.MultiheadAttention" in module.classes for module in ran):
        tally.doubt("it calls the number unavailable where no module runs that has no children")
    return tally


def _rule_for(module: Module) -> Rule | None:
    if not module.leaf:
        return None
    return next((rule for name, rule in _RULES.items() if name in module.classes), None)


def _linear(run: Run) -> Parts:
    yield run.module.parameters["weight"][1] * prod(run.outputs[0]), PRODUCTS


def _convolution(run: Run) -> Parts:
    weight, groups = run.module.parameters["weight"], argument(call_in(run, "conv"), 6, "groups", 1)
    yield prod(run.outputs[0]) * (run.inputs[0][1] // groups) * prod(weight[2:]), PRODUCTS


def _transposed(run: Run) -> Parts:
    yield from _convolution(run)
    axes = len(run.module.parameters["weight"]) - 2
    yield 4 * axes, "transposed convolutions, 4 an axis"


def _norm(run: Run) -> Parts:
    each = 2 if "weight" in run.module.parameters else 1
    yield each * prod(run.inputs[0]), f"batch norm, {each} an element"


def _pooled(run: Run) -> Parts:
    kernel = argument(call_in(run, "pool"), 1, "kernel_size")
    if isinstance(kernel, tuple):
        yield prod(run.outputs[0]) * (prod(kernel) + _more(run)), "windows of pooling"
    else:
        yield prod(run.outputs[0]) * (kernel + _more(run)), "windows of pooling, the kernel's side taken for its area"


def _more(run: Run) -> int:
    return len(run.inputs[0]) - 3 if "nn._AvgPoolNd" in run.module.classes else -1


def _adaptive(run: Run) -> Parts:
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
