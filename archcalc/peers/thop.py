"""thop: modules of exactly the classes in its list; under several parents it counts every way twice over."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from archcalc.peers.counted_trace import CountedTrace, ModuleRun, argument
from archcalc.peers.module_rules import PRODUCTS, Parts, Rule, call_in, count_modules
from archcalc.peers.peer import Args, Kwargs, Peer, PeerError
from archcalc.peers.tally import Tally

if TYPE_CHECKING:
    from torch import nn


def _rules(counted: CountedTrace) -> Tally:
    return count_modules(
        counted,
        lambda module: _RULES.get(module.classes[0]) if module.classes else None,
        times=lambda parents: parents**2,
    )


def _convolution(run: ModuleRun) -> Parts:
    weight = run.module.parameters["weight"]
    groups = argument(call_in(run, "conv"), 6, "groups", 1)
    yield prod(run.outputs[0]) * (run.inputs[0][1] // groups) * prod(weight[2:]), PRODUCTS


def _linear(run: ModuleRun) -> Parts:
    yield run.module.parameters["weight"][1] * prod(run.outputs[0]), PRODUCTS


def norm(run: ModuleRun) -> Parts:
    """4 an element of the input of a normalisation, 2 without scale and shift."""
    an_element = 4 if "weight" in run.module.parameters else 2
    yield an_element * prod(run.inputs[0]), f"normalisation, {an_element} an element"


def _average(run: ModuleRun) -> Parts:
    yield prod(run.outputs[0]), "outputs of average pooling"


def _adaptive(run: ModuleRun) -> Parts:
    into, out = run.inputs[0], run.outputs[0]
    window = 1.0
    for size_in, size_out in zip(into[2:], out[2:], strict=True):
        window *= size_in / size_out
    yield int((window + 1) * prod(out)), "windows and outputs of adaptive average pooling"


def _softmax(run: ModuleRun) -> Parts:
    size = prod(run.inputs[0])
    axis = argument(call_in(run, "softmax"), 1, "dim")
    if axis is None:
        raise LookupError  # which it fails on
    yield 3 * size - size // run.inputs[0][axis], "softmax, 3 an element, less 1 a sum"


def prelu(run: ModuleRun) -> Parts:
    """1 an element of the input of a PReLU."""
    yield prod(run.inputs[0]), "elements of PReLU"


def _upsample(run: ModuleRun) -> Parts:
    mode = str(argument(call_in(run, "interpolate"), 3, "mode", "nearest"))
    an_output = {"nearest": 1, "linear": 5, "bilinear": 11, "bicubic": 259}.get(mode, 0)
    yield an_output * prod(run.outputs[0]), f"outputs of upsampling, {an_output} each"


def _recurrent(hidden_more: int, bias_gates: int, gates: int) -> Rule:
    """The rule of a recurrent layer: so many gates, and so many products of vectors besides."""

    def rule(run: ModuleRun) -> Parts:
        parameters, shape = run.module.parameters, run.inputs[0]
        directions = 2 if any("reverse" in name for name in parameters) else 1
        has_bias = any(name.startswith("bias") for name in parameters)
        one_step = 0
        for name, weight in parameters.items():
            if name.startswith("weight_ih"):
                hidden = weight[0] // gates
                is_first = name.partition("_l")[2].partition("_")[0] in ("", "0")
                read = weight[1] if is_first else directions * hidden  # it takes no account of projections
                one_step += gates * (hidden * (read + hidden) + hidden) + hidden_more * hidden
                one_step += 2 * bias_gates * hidden * has_bias
        steps = shape[0] * (1 if run.module.kind.endswith("Cell") else shape[1])
        yield one_step * steps, PRODUCTS

    return rule


_RULES: dict[str, Rule] = (
    {f"nn.Conv{axes}d": _convolution for axes in (1, 2, 3)}
    | {f"nn.ConvTranspose{axes}d": _convolution for axes in (1, 2, 3)}
    | {f"nn.{kind}Norm{axes}d": norm for kind in ("Batch", "Instance") for axes in (1, 2, 3)}
    | {f"nn.AvgPool{axes}d": _average for axes in (1, 2, 3)}
    | {f"nn.AdaptiveAvgPool{axes}d": _adaptive for axes in (1, 2, 3)}
    | dict.fromkeys(("nn.LayerNorm", "nn.SyncBatchNorm"), norm)
    | dict.fromkeys(("nn.Upsample", "nn.UpsamplingBilinear2d", "nn.UpsamplingNearest2d"), _upsample)
    | dict.fromkeys(("nn.RNN", "nn.RNNCell"), _recurrent(0, 1, 1))
    | dict.fromkeys(("nn.GRU", "nn.GRUCell"), _recurrent(4, 3, 3))
    | dict.fromkeys(("nn.LSTM", "nn.LSTMCell"), _recurrent(4, 4, 4))
    | {"nn.Linear": _linear, "nn.Softmax": _softmax, "nn.PReLU": prelu}
)


def profile_macs(module: nn.Module, args: Args, kwargs: Kwargs) -> int:
    """What the installed package that brings the module `thop` prints."""
    from thop import profile

    if kwargs:
        raise PeerError("it takes no inputs by name")
    return int(profile(module, args, verbose=False)[0])


PEER = Peer(
    name="thop",
    position=6,
    unit="MACs",
    version="0.1.1",
    packages=("thop",),
    module="thop",
    rules=_rules,
    run=profile_macs,
)
