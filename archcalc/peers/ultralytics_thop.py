"""ultralytics-thop: modules of the classes in its list or derived from them, and products that run outside of these.

It is the maintained fork of thop, and is imported by the same name: only one of the two can be installed in a place.
"""

from __future__ import annotations

from math import prod

from archcalc.peers.calls import MULTI_HEAD, by_axis
from archcalc.peers.counted_trace import CountedTrace, ModuleRun, argument, shapes
from archcalc.peers.module_rules import PRODUCTS, Parts, Rule, call_in, count_modules
from archcalc.peers.peer import Peer
from archcalc.peers.tally import Tally
from archcalc.peers.thop import norm, prelu, profile_macs
from archcalc.values.trace import Module, Op, Shape

_SEEN = frozenset(
    """torch.matmul Tensor.matmul operator torch.bmm Tensor.bmm torch.einsum F.linear F.multi_head_attention_forward
    F.scaled_dot_product_attention""".split()
)
"""Calls that it counts where no module with a rule is running."""

_SOFTMAX = "softmax, 3 an element, less 1 a sum"


def _rules(counted: CountedTrace) -> Tally:
    tally = count_modules(counted, _rule_for, skip=lambda op: op.spelling in _SEEN)
    ruled = {path for path, module in counted.trace.modules.items() if module.runs and _rule_for(module)}
    for op, our_macs in counted.calls:
        if op.spelling not in _SEEN or op.path in ruled:
            continue
        if any(op.path.startswith(f"{path}.") or not path for path in ruled):
            tally.add(-our_macs, f"{op.kind} in a module that its parent's rule stands for")
        elif op.kind == "einsum":
            tally.add(_einsum(op) - our_macs, "einsum, by the sizes of its indices")
        elif op.kind == MULTI_HEAD:
            tally.add(_softmax_in(op), _SOFTMAX)
    return tally


def _rule_for(module: Module) -> Rule | None:
    return next((_RULES[name] for name in module.classes if name in _RULES), None)


# ---- functions


def _einsum(op: Op) -> int:
    """The product of the sizes of all indices, but for those that only one factor has and that are summed up in it."""
    factors = shapes(op)
    if len(factors) != 2:
        return 0
    inputs, arrow, output = "".join(str(op.args[0]).split()).partition("->")
    if not arrow:
        output = "..." + "".join(letter for letter in inputs if inputs.count(letter) == 1)
    first, second = (_sizes(term, shape) for term, shape in zip(inputs.split(","), factors, strict=True))
    kept = {index for index in first | second if (index in output if isinstance(index, str) else "..." in output)}
    counted = kept | (first.keys() & second.keys())
    return prod(size for index, size in (first | second).items() if index in counted)


def _sizes(term: str, shape: Shape) -> dict[str | int, int]:
    """Sizes by index, those of 1 left out; axes that an ellipsis stands for are numbered from the right."""
    before, _, after = term.partition("...")
    between = len(shape) - len(before) - len(after)
    indices = [*before, *range(between, 0, -1), *after]
    return {index: size for index, size in zip(indices, shape, strict=True) if size != 1}


def _softmax_in(op: Op) -> int:
    """Softmax in multi-head attention, over the keys and those that the module appends."""
    query, key = shapes(op)[:2]
    keys = key[0] + (argument(op, 7, "bias_k") is not None) + bool(argument(op, 9, "add_zero_attn"))
    return prod(query[:-1]) * int(argument(op, 4, "num_heads")) * (3 * keys - 1)


# ---- modules


def _convolution(run: ModuleRun) -> Parts:
    call = call_in(run, "conv")
    places = shapes(call)[0] if "transpose" in call.kind else call.outputs[0].shape
    yield prod(places) * prod(shapes(call)[1][1:]), PRODUCTS


def _linear(run: ModuleRun) -> Parts:
    call = call_in(run, "linear")
    yield prod(run.outputs[0]) * prod(shapes(call)[1][1:]), PRODUCTS


def _bilinear(run: ModuleRun) -> Parts:
    _, first, second = run.module.parameters["weight"]
    yield (first + 1) * second * prod(run.outputs[0]), PRODUCTS


def _softmax(run: ModuleRun) -> Parts:
    call, shape = call_in(run, "softm"), run.inputs[0]
    axis = argument(call, 1, "dim")
    if axis is None:  # torch's own choice
        axis = 0 if len(shape) in (0, 1, 3) else 1
    terms = shape[axis] if shape else 1
    sums = prod(shape) // terms
    yield sums * (3 * terms - 1), _SOFTMAX
    if call.kind == "softmin":
        yield prod(shape), "negation in softmin"
    elif call.kind == "log_softmax":
        yield sums, "logarithms in log-softmax"


def _average(run: ModuleRun) -> Parts:
    call = call_in(run, "avg_pool")
    given, out = run.inputs[0], run.outputs[0]
    axes = int(call.kind[-2])
    kernel = by_axis(argument(call, 1, "kernel_size"), axes)
    stride = by_axis(argument(call, 2, "stride") or kernel, axes)
    padding = by_axis(argument(call, 3, "padding", 0), axes)
    with_padding = argument(call, 5, "count_include_pad", True)
    inputs = prod(given[:-axes])
    for size, places, window, step, pad in zip(given[-axes:], out[-axes:], kernel, stride, padding, strict=True):
        low, high = (-pad, size + pad) if with_padding else (0, size)
        starts = [place * step - pad for place in range(places)]
        inputs *= sum(max(min(start + window, high) - max(start, low), 0) for start in starts)
    yield inputs + prod(out), "inputs and outputs of average pooling"


def _adaptive(run: ModuleRun) -> Parts:
    given, out = run.inputs[0], run.outputs[0]
    inputs = 1
    for size, places in zip(given, out, strict=True):
        # place i covers [floor(i * size / places), ceil((i + 1) * size / places))
        windows = [-(-(place + 1) * size // places) - place * size // places for place in range(places)]
        inputs *= size if size == places else sum(windows)
    yield inputs + prod(out), "inputs and outputs of adaptive average pooling"


def _upsample(run: ModuleRun) -> Parts:
    mode = str(argument(call_in(run, "interpolate"), 3, "mode", "nearest"))
    an_output = {"linear": 5, "bilinear": 11, "trilinear": 31, "bicubic": 259}.get(mode, 0)
    yield an_output * prod(run.outputs[0]), f"outputs of upsampling, {an_output} each"


def _multi_head(run: ModuleRun) -> Parts:
    if run.module.classes[0] != "nn.MultiheadAttention":
        raise LookupError  # a forward of its own, whose result the rule may not be able to read
    yield run.our_macs, PRODUCTS
    yield _softmax_in(call_in(run, MULTI_HEAD)), _SOFTMAX


def _recurrent(gates: int, products: int) -> Rule:
    """A recurrent layer of so many gates, and so many products of vectors besides."""

    def rule(run: ModuleRun) -> Parts:
        parameters = run.module.parameters
        biases = 2 * any(name.startswith("bias") for name in parameters)
        step = 0
        for name, weight in parameters.items():
            if name.startswith("weight_ih"):
                hidden, recurrent = weight[0] // gates, parameters[name.replace("ih", "hh")][1]
                step += gates * (hidden * (weight[1] + recurrent) + hidden + biases * hidden) + products * hidden
            elif name.startswith("weight_hr"):
                step += prod(weight)
        yield step * prod(run.inputs[0][:-1]), PRODUCTS

    return rule


_RULES: dict[str, Rule] = (
    {f"nn.{kind}{axes}d": _convolution for kind in ("Conv", "ConvTranspose") for axes in (1, 2, 3)}
    | {f"nn.AvgPool{axes}d": _average for axes in (1, 2, 3)}
    | {f"nn.AdaptiveAvgPool{axes}d": _adaptive for axes in (1, 2, 3)}
    | dict.fromkeys(("nn._NormBase", "nn.LayerNorm", "nn.GroupNorm", "nn.RMSNorm"), norm)
    | dict.fromkeys(("nn.Softmax", "nn.LogSoftmax", "nn.Softmin", "nn.Softmax2d"), _softmax)
    | dict.fromkeys(("nn.RNN", "nn.RNNCell"), _recurrent(1, 0))
    | dict.fromkeys(("nn.GRU", "nn.GRUCell"), _recurrent(3, 4))
    | dict.fromkeys(("nn.LSTM", "nn.LSTMCell"), _recurrent(4, 4))
    | {"nn.Linear": _linear, "nn.Bilinear": _bilinear, "nn.PReLU": prelu, "nn.Upsample": _upsample}
    | {"nn.MultiheadAttention": _multi_head}
)


PEER = Peer(
    name="ultralytics-thop",
    position=10,
    unit="MACs",
    version="2.2.3",
    packages=("ultralytics-thop",),
    module="thop",
    rules=_rules,
    run=profile_macs,
)
