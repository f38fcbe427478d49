"""thop: modules of exactly the classes in its list."""

from __future__ import annotations

from math import prod

from archcalc.peers.module_rules import PRODUCTS, Parts, Rule, call_in, watched
from archcalc.peers.tally import Facts, Run, Tally, argument


def thop(facts: Facts) -> Tally:
    """thop: modules of exactly the classes in its list; under several parents it counts every way twice over."""
    return watched(facts, lambda module: _RULES.get(module.classes[0]) if module.classes else None, lambda n: n * n)


def _convolution(run: Run) -> Parts:
    weight = run.module.parameters["weight"]
    groups = argument(call_in(run, "conv"), 6, "groups", 1)
    yield prod(run.outputs[0]) * (run.inputs[0][1] // groups) * prod(weight[2:]), PRODUCTS


def _linear(run: Run) -> Parts:
    yield run.module.parameters["weight"][1] * prod(run.outputs[0]), PRODUCTS


def _norm(run: Run) -> Parts:
    each = 4 if "weight" in run.module.parameters else 2
    yield each * prod(run.inputs[0]), f"normalisation, {each} an element"


def _average(run: Run) -> Parts:
    yield prod(run.outputs[0]), "outputs of average pooling"


def _adaptive(run: Run) -> Parts:
    into, out = run.inputs[0], run.outputs[0]
    window = 1.0
    for size_in, size_out in zip(into[2:], out[2:], strict=True):
        window *= size_in / size_out
    yield int((window + 1) * prod(out)), "windows and outputs of adaptive average pooling"


def _softmax(run: Run) -> Parts:
    size = prod(run.inputs[0])
    axis = argument(call_in(run, "softmax"), 1, "dim")
    yield 3 * size - size // run.inputs[0][axis], "softmax, 3 an element, less 1 a sum"


def _prelu(run: Run) -> Parts:
    yield prod(run.inputs[0]), "elements of PReLU"


def _upsample(run: Run) -> Parts:
    mode = str(argument(call_in(run, "interpolate"), 3, "mode", "nearest"))
    each = {"nearest": 1, "linear": 5, "bilinear": 11, "bicubic": 259}.get(mode, 0)
    yield each * prod(run.outputs[0]), f"outputs of upsampling, {each} each"


def _recurrent(hidden_more: int, bias_gates: int, gates: int) -> Rule:
    """Thop's rule of a recurrent layer: so many gates, and so many products of vectors besides."""

    def rule(run: Run) -> Parts:
        held, shape = run.module.parameters, run.inputs[0]
        one_step = 0
        for name, weight in held.items():
            if name.startswith("weight_ih"):
                hidden = weight[0] // gates
                one_step += gates * (hidden * (weight[1] + hidden) + hidden) + hidden_more * hidden
                one_step += 2 * bias_gates * hidden * any(each.startswith("bias") for each in held)
        steps = shape[0] * (1 if run.module.kind.endswith("Cell") else shape[1])
        yield one_step * steps, PRODUCTS

    return rule


_RULES: dict[str, Rule] = (
    {f"nn.Conv{axes}d": _convolution for axes in (1, 2, 3)}
    | {f"nn.ConvTranspose{axes}d": _convolution for axes in (1, 2, 3)}
    | {f"nn.{kind}Norm{axes}d": _norm for kind in ("Batch", "Instance") for axes in (1, 2, 3)}
    | {f"nn.AvgPool{axes}d": _average for axes in (1, 2, 3)}
    | {f"nn.AdaptiveAvgPool{axes}d": _adaptive for axes in (1, 2, 3)}
    | dict.fromkeys(("nn.LayerNorm", "nn.SyncBatchNorm"), _norm)
    | dict.fromkeys(("nn.Upsample", "nn.UpsamplingBilinear2d", "nn.UpsamplingNearest2d"), _upsample)
    | dict.fromkeys(("nn.RNN", "nn.RNNCell"), _recurrent(0, 1, 1))
    | dict.fromkeys(("nn.GRU", "nn.GRUCell"), _recurrent(4, 3, 3))
    | dict.fromkeys(("nn.LSTM", "nn.LSTMCell"), _recurrent(4, 4, 4))
    | {"nn.Linear": _linear, "nn.Softmax": _softmax, "nn.PReLU": _prelu}
)
