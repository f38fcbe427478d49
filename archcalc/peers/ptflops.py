"""ptflops with its usual backend: modules of exactly the classes in its list, and functions that it replaces.

The modules call those functions themselves, so that what is in both lists, such as a ReLU, counts twice. The modules'
part is divided by the batch, the functions' part is not.
"""

from __future__ import annotations

from functools import partial
from itertools import zip_longest
from math import prod
from typing import TYPE_CHECKING

from archcalc.peers.calls import MULTI_HEAD, adds_mask_in_product, by_matmul, doubt_names, is_fused, split_multi_head
from archcalc.peers.counted_trace import CountedTrace, ModuleRun, argument, shapes
from archcalc.peers.module_rules import BIAS, PRODUCTS, Parts, Rule, call_in, count_modules
from archcalc.peers.peer import Args, Kwargs, Peer, PeerError
from archcalc.peers.tally import Tally
from archcalc.values.trace import Op, Shape, TensorSpec

if TYPE_CHECKING:
    from torch import nn

_POOLS = [f"{kind}_pool{axes}d" for kind in ("avg", "max", "adaptive_avg", "adaptive_max") for axes in (1, 2, 3)]
_ELEMENTS = frozenset(f"F.{name}" for name in ["relu", "elu", "relu6", "gelu", "silu", "softmax", *_POOLS])
_ELEMENTS |= frozenset(f"F.{name}_with_indices" for name in _POOLS if "max" in name)
_ELEMENTS |= frozenset(["torch.prelu", "torch.avg_pool1d", "torch.adaptive_avg_pool1d"])  # F has them under this name
_RESIZES = frozenset(["F.interpolate", "F.upsample"])
_PRODUCTS = frozenset(f"{where}.{name}" for where in ("torch", "Tensor") for name in ("matmul", "mm", "bmm"))
_ADDED = frozenset(["torch.addmm", "torch.baddbmm", "Tensor.addmm"])
_PAIRS = frozenset(f"{where}.{name}" for where in ("torch", "Tensor") for name in ("add", "mul"))

_REPLACED = _ELEMENTS | _RESIZES | _PRODUCTS | _ADDED | _PAIRS
_COMPOSED = frozenset("lp_pool1d lp_pool2d lp_pool3d gumbel_softmax softmin".split())
_BOUND_EARLY = ("TransformerEncoderLayer", "TransformerDecoderLayer")
"""They store F.relu when they are constructed, so ptflops' patch of it misses their activation."""

_TWICE = "elements of activations and inputs of pooling, in functions"


def _rules(counted: CountedTrace) -> Tally:
    by_function = _PRODUCTS | _ADDED
    tally = count_modules(
        counted,
        lambda module: _RULES.get(module.classes[0]) if module.classes else None,
        times=lambda parents: parents,
        skip=lambda op: op.spelling in by_function,
    )
    batch = counted.trace.inputs[0].shape[0] if counted.trace.inputs and counted.trace.inputs[0].shape else 1
    if len(counted.trace.inputs) != 1:
        tally.doubt("it takes one tensor")
    if batch > 1:
        whole = (
            sum(tally.terms.values())
            + counted.macs
            - sum(our_macs for op, our_macs in counted.calls if op.spelling in by_function)
        )
        tally.add(whole // batch - whole, f"modules counted for one sample of the {batch}")
    for op, our_macs in counted.calls:
        module = counted.trace.modules[op.path]
        if module.kind in _BOUND_EARLY and op.spelling in _ELEMENTS:
            continue
        if op.spelling.startswith(("F.", "torch.")) and op.spelling in _REPLACED:
            doubt_names(counted, op, tally)
        elif op.kind in _COMPOSED:
            tally.doubt(f"{op.kind} calls functions inside that it counts")
        if op.kind.startswith("conv") and len(op.inputs[0].shape) < len(shapes(op)[1]):
            tally.doubt("it takes the channels of an input without batch for its batch")
        _function(op, our_macs, tally)
    return tally


def _function(op: Op, our_macs: int, tally: Tally) -> None:
    """What a replaced function adds; inside of others, such as response normalisation, there are replaced ones too."""
    first = op.inputs[0] if op.inputs else None
    if first is None:
        return
    if op.spelling in _ELEMENTS:
        tally.add(first.numel, _TWICE)
    elif op.spelling in _RESIZES:
        tally.add(_resized(op), "outputs of interpolation, in functions")
    elif op.spelling in _PRODUCTS:
        tally.add(by_matmul(op) - our_macs, "matrix products, by the shapes of their factors")
    elif op.spelling in _ADDED:
        added, a, b = shapes(op)[:3]
        tally.add(prod(a) * b[-1] - our_macs + prod(added) * (op.kwargs.get("beta", 1) != 0), BIAS)
    elif op.spelling in _PAIRS:
        tally.add(_pair(op), "elements of add and mul, written as functions")
    elif op.kind == "local_response_norm":
        size, sides = argument(op, 1, "size"), first.shape
        padded = first.numel // sides[1] * (sides[1] + size - 1) if len(sides) > 3 else first.numel // sides[-2]
        if len(sides) == 3:
            padded *= sides[1] + size - 1
        tally.add(3 * first.numel + padded, "response normalisation: its products, sum and average pooling")
    elif op.kind == MULTI_HEAD:
        _attention(op, our_macs, tally)


def _attention(op: Op, our_macs: int, tally: Tally) -> None:
    """The functions inside multi-head attention."""
    attention = split_multi_head(op)[1]
    if adds_mask_in_product(op):
        tally.doubt("the size of an attention mask counts as well")
    elif not is_fused(op):
        width = op.inputs[0].shape[-1] // argument(op, 4, "num_heads")
        tally.add(attention, "attention products, in functions")
        tally.add(attention // 2 // width, "elements of softmax, in functions")


def _resized(op: Op) -> int:
    size, scale, shape = argument(op, 1, "size"), argument(op, 2, "scale_factor"), op.inputs[0].shape
    axes = len(shape) - 2
    if size is not None:
        return (prod(size) if isinstance(size, tuple) else int(size) ** axes) * prod(shape[:2])
    if isinstance(scale, tuple) and len(scale) == axes:
        return prod(shape) * prod(map(int, scale))
    return int(prod(shape) * float(scale) ** axes)


def _pair(op: Op) -> int:
    a, b = argument(op, 0, "input"), argument(op, 1, "other")
    sizes: list[Shape] = [operand.shape for operand in (a, b) if isinstance(operand, TensorSpec)]
    return prod(max(pair) for pair in zip_longest(*sizes, fillvalue=1)) if sizes else 1


# ---- modules


def _elements(run: ModuleRun) -> Parts:
    yield prod(run.outputs[0]), "elements of activations"


def _pooled(run: ModuleRun) -> Parts:
    yield prod(run.inputs[0]), "inputs of pooling"


def _norm(run: ModuleRun) -> Parts:
    an_element = 2 if "weight" in run.module.parameters and run.module.kind != "LayerNorm" else 1
    yield an_element * prod(run.inputs[0]), f"normalisation, {an_element} an element"


def _convolution(run: ModuleRun) -> Parts:
    weight = run.module.parameters["weight"]
    places = run.inputs[0] if "Transpose" in run.module.kind else run.outputs[0]
    yield places[0] * prod(places[2:]) * prod(weight), PRODUCTS
    if "bias" in run.module.parameters:
        yield prod(run.outputs[0]), BIAS


def _linear(run: ModuleRun) -> Parts:
    rows = prod(run.inputs[0][:-1])
    yield rows * prod(run.module.parameters["weight"]), PRODUCTS
    if "bias" in run.module.parameters:
        yield rows * run.module.parameters["weight"][0], BIAS


def _upsampled(run: ModuleRun) -> Parts:
    yield prod(run.outputs[0][1:]), "outputs of upsampling, of one sample"


def _recurrent(gates: int, more: int) -> Rule:
    """A recurrent layer of so many gates and so many products of vectors besides."""

    def rule(run: ModuleRun) -> Parts:
        parameters, shape = run.module.parameters, run.inputs[0]
        if len(shape) == 1:
            raise LookupError  # a cell without batch, which it fails on
        one_step = 0
        for name, weight in parameters.items():
            if name.startswith(("weight_ih", "weight_hh", "bias")) and "reverse" not in name:
                one_step += prod(weight)
            if name.startswith("weight_ih") and "reverse" not in name:
                one_step += more * (weight[0] // gates)
        directions = 2 if any("reverse" in name for name in parameters) else 1
        yield one_step * shape[0] * (1 if run.module.kind.endswith("Cell") else shape[1]) * directions, PRODUCTS

    return rule


def _multi_head(run: ModuleRun) -> Parts:
    call = call_in(run, MULTI_HEAD)
    if len(shapes(call)[0]) == 2:
        raise LookupError  # without batch, which it takes the length for
    (length, batch, width), (keys, _, key_width), (values, _, value_width) = shapes(call)[:3]
    heads = argument(call, 4, "num_heads")
    products = length * width**2 + keys * key_width**2 + values * value_width**2 + length * value_width**2
    products += heads * length * keys * (width // heads + value_width // heads)
    yield batch * products, PRODUCTS
    projected = length + keys + values if "in_proj_bias" in run.module.parameters else 0
    yield batch * (projected * width + length * value_width), BIAS
    yield batch * length * (width + heads * keys), "scaling and softmax in attention"


_RULES: dict[str, Rule] = (
    {f"nn.{kind}{axes}d": _convolution for kind in ("Conv", "ConvTranspose") for axes in (1, 2, 3)}
    | {f"nn.{kind}Norm{axes}d": _norm for kind in ("Batch", "Instance") for axes in (1, 2, 3)}
    | {f"nn.{kind}Pool{n}d": _pooled for kind in ("Max", "Avg", "AdaptiveMax", "AdaptiveAvg") for n in (1, 2, 3)}
    | dict.fromkeys([f"nn.{kind}" for kind in ("ReLU", "PReLU", "ELU", "LeakyReLU", "ReLU6", "GELU")], _elements)
    | dict.fromkeys(("nn.GroupNorm", "nn.LayerNorm"), _norm)
    | dict.fromkeys(("nn.RNN", "nn.RNNCell"), _recurrent(1, 1))
    | dict.fromkeys(("nn.GRU", "nn.GRUCell"), _recurrent(3, 7))
    | dict.fromkeys(("nn.LSTM", "nn.LSTMCell"), _recurrent(4, 10))
    | {"nn.Linear": _linear, "nn.Upsample": _upsampled, "nn.MultiheadAttention": _multi_head}
)


# ---- how it is run


def complexity(backend: str, module: nn.Module, args: Args, kwargs: Kwargs) -> int:
    """What ptflops prints with one of its backends; raises PeerError if it cannot."""
    from ptflops import get_model_complexity_info
    from torch import Tensor

    if kwargs or len(args) != 1 or not isinstance(args[0], Tensor):
        raise PeerError("it takes one tensor")
    macs, _ = get_model_complexity_info(
        module,
        tuple(args[0].shape[1:]) or (1,),
        print_per_layer_stat=False,
        as_strings=False,
        input_constructor=lambda _: args[0],
        backend=backend,
    )
    if macs is None:
        raise PeerError("it fails, see what it says above")
    return int(macs)


PEER = Peer(
    name="ptflops",
    position=4,
    unit="MACs",
    version="0.7.5",
    packages=("ptflops",),
    module="ptflops",
    rules=_rules,
    run=partial(complexity, "pytorch"),
    with_gradients=True,
)
