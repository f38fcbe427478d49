"""TorchLens: FLOPs of every function that runs, two a mult-add, and of the others so many an element by its table."""

from __future__ import annotations

from collections.abc import Iterator
from math import log2, prod
from typing import TYPE_CHECKING

from archcalc.peers.calls import ATTENTION, CONVOLUTIONS, MULTI_HEAD, TRANSPOSED, is_fused, split_multi_head
from archcalc.peers.counted_trace import CountedTrace, argument, has_tensor, shapes
from archcalc.peers.peer import Args, Kwargs, Peer
from archcalc.peers.tally import Tally
from archcalc.values.trace import Op, TensorSpec, Trace

if TYPE_CHECKING:
    from torch import nn

_WITH_CONSTANTS = ("batch_norm", "instance_norm", "lstm", "gru", "rnn")
"""These take running statistics and zeros, which cost nothing to have."""

Flops = tuple[int, str]
"""Operations of a call that are no mult-adds, and what they are."""

_PRODUCTS = frozenset("matmul mm bmm".split())
_ADDED_PRODUCTS = frozenset("addmm addbmm baddbmm".split())
_BIASED = CONVOLUTIONS | TRANSPOSED | {"linear"}
_COMPOSED = frozenset(
    """lp_pool1d lp_pool2d lp_pool3d gumbel_softmax tensordot chain_matmul triplet_margin_with_distance_loss
    gaussian_nll_loss multilabel_soft_margin_loss stft istft cov corrcoef""".split()
)
"""Written in Python in torch: it counts the functions that are called inside."""

_AN_OUTPUT = (
    dict.fromkeys(
        """add sub subtract mul multiply div divide true_divide floor_divide remainder fmod mod neg negative pos
        positive abs absolute sign sgn signbit ceil floor round trunc frac fix reciprocal square clamp clamp_min
        clamp_max clip nan_to_num eq ne gt lt ge le greater greater_equal less less_equal not_equal isclose maximum
        minimum fmax fmin where masked_fill masked_scatter logical_and logical_or logical_not logical_xor bitwise_and
        bitwise_or bitwise_not bitwise_xor bitwise_left_shift bitwise_right_shift and or xor invert lshift rshift rmod
        isnan isinf isfinite isneginf isposinf isreal relu relu6 threshold _threshold hardtanh leaky_relu rrelu prelu
        heaviside deg2rad rad2deg scatter_add scatter_reduce index_add index_reduce cumsum cumprod cummax
        cummin cumulative_trapezoid""".split(),
        1,
    )
    | dict.fromkeys("pow float_power sqrt rsqrt copysign nextafter softshrink hardshrink".split(), 2)
    | dict.fromkeys("dropout dropout1d dropout2d dropout3d alpha_dropout feature_alpha_dropout".split(), 2)
    | dict.fromkeys("addcdiv addcmul lerp hypot hardsigmoid softsign".split(), 3)
    | dict.fromkeys("sigmoid hardswish expit interpolate grid_sample grid_sampler affine_grid".split(), 4)
    | dict.fromkeys(
        "silu logsigmoid log_sigmoid softmax batch_norm layer_norm rms_norm group_norm instance_norm".split(), 5
    )
    | dict.fromkeys("tanh log_softmax softmin".split(), 6)
    | dict.fromkeys("tanhshrink".split(), 7)
    | dict.fromkeys(
        """exp exp2 expm1 log log2 log10 log1p sin cos tan asin acos atan arcsin arccos arctan atan2 arctan2 sinh cosh
        asinh acosh atanh arcsinh arccosh arctanh erf erfc erfinv i0 i0e i1 i1e mish""".split(),
        8,
    )
    | dict.fromkeys("celu elu softplus".split(), 9)
    | dict.fromkeys("xlogy xlog1py sinc selu".split(), 10)
    | dict.fromkeys("lgamma digamma polygamma mvlgamma logit".split(), 12)
    | {"gelu": 14}
)
"""FLOPs an element of the output, by kind of call."""

_AN_INPUT = (
    dict.fromkeys(
        """sum mean nanmean nansum prod max min amax amin aminmax argmax argmin any all count_nonzero logsumexp
        logcumsumexp nll_loss hinge_embedding_loss margin_ranking_loss cosine_embedding_loss triplet_margin_loss
        multi_margin_loss multilabel_margin_loss soft_margin_loss poisson_nll_loss kl_div ctc_loss""".split(),
        1,
    )
    | {f"adaptive_{kind}_pool{axes}d": 1 for kind in ("avg", "max") for axes in (1, 2, 3)}
    | dict.fromkeys("norm vector_norm matrix_norm cosine_similarity pairwise_distance pdist cdist".split(), 2)
    | dict.fromkeys("var std var_mean std_mean mse_loss l1_loss smooth_l1_loss huber_loss".split(), 3)
    | {"cross_entropy": 6, "binary_cross_entropy": 10, "binary_cross_entropy_with_logits": 10}
)
"""FLOPs an element of the first input, for each output, by kind of call."""

_SORTS = frozenset("sort argsort msort topk kthvalue median nanmedian mode searchsorted".split())


def _rules(counted: CountedTrace) -> Tally:
    tally = Tally()
    for op, our_macs in counted.calls:
        its_macs, reason = _macs(op, our_macs)
        tally.add(its_macs - our_macs, reason)
        for count, reason in _others(op):
            tally.add_flops(count, reason)
        if op.kind in _COMPOSED:
            tally.doubt(f"{op.kind} calls functions inside that it counts")
        if op.kind == MULTI_HEAD and _converts_masks(op):
            tally.doubt("what it takes to turn the masks of attention into one counts as well")
        if _takes_constants(op, counted.trace):
            tally.doubt("what it takes to compute constants in the forward pass counts as well")
    return tally


def _converts_masks(op: Op) -> bool:
    """Whether multi-head attention makes its mask of others: it takes one of floats as it is."""
    mask = argument(op, 16, "attn_mask")
    return has_tensor(op, 14, "key_padding_mask") or (isinstance(mask, TensorSpec) and mask.dtype == "bool")


def _takes_constants(op: Op, trace: Trace) -> bool:
    """Whether a call takes a tensor that may have been computed from constants, which are no calls of a trace."""
    given = [spec for spec in op.inputs if spec.producer is None and spec.param is None and spec not in trace.inputs]
    return bool(given) and not op.kind.startswith(_WITH_CONSTANTS)


def _name(op: Op) -> str:
    """What it calls the function: torch.linalg.norm and torch.special.erf are norm and erf."""
    return op.kind.removeprefix("linalg_").removeprefix("special_")


def _macs(op: Op, our_macs: int) -> tuple[int, str]:
    """The mult-adds that it counts in a call, and why these are not ours."""
    if op.kind == "einsum":
        return _einsum(op)[0], "einsum, by the sizes of its indices"
    if not our_macs:
        return 0, ""
    if op.kind in _BIASED:
        weights = [spec.shape for spec in op.inputs if spec.param is not None]
        if not weights or len(weights[0]) < (2 if op.kind == "linear" else 3):
            return 0, f"{op.kind} with a weight that is computed, which it has no rule for"
        return our_macs, ""
    if op.kind == MULTI_HEAD:
        return _multi_head_macs(op), "projections in attention with slices of a weight, which it has no rule for"
    if _name(op) in _PRODUCTS | _ADDED_PRODUCTS or (op.kind == ATTENTION and len(op.args) > 2):
        return our_macs, ""
    return 0, f"{op.kind}, which it has no rule for"


def _others(op: Op) -> Iterator[Flops]:
    """The FLOPs that it counts in a call besides mult-adds."""
    name, out = _name(op), sum(spec.numel for spec in op.outputs)
    first = op.args[0] if op.args and isinstance(op.args[0], TensorSpec) else None
    if name in _BIASED:
        parameters = [spec for spec in op.inputs if spec.param is not None]
        if len(parameters) > 1:
            yield (out, "biases, 1 FLOP an output")
    elif name in _ADDED_PRODUCTS:
        yield (out, f"{name}, 1 FLOP an output besides its products")
    elif name == ATTENTION:
        if len(op.args) < 3:  # given by name, which it does not read
            return
        query, key = shapes(op)[:2]
        yield (6 * prod(query[:-1]) * key[-2], "scale and softmax in attention, 6 FLOPs a score")
    elif name == MULTI_HEAD:
        yield from _multi_head_others(op)
    elif name == "einsum":
        yield (_einsum(op)[1], "einsum without a sum, 1 FLOP an output")
    elif name == "local_response_norm":
        an_output = 6 + int(argument(op, 1, "size"))
        yield (an_output * out, f"response normalisation, {an_output} FLOPs an output")
    elif op.spelling == "torch.__rdiv__":
        yield (2 * out, "reciprocal and mul, 1 FLOP an output each")
    elif name == "normalize":
        norms = out // op.outputs[0].shape[argument(op, 2, "dim", 1)]
        yield (3 * out + norms, "normalize, 3 FLOPs an output and 1 a norm")
    elif name in _AN_OUTPUT:
        an_output = _AN_OUTPUT[name]
        yield (an_output * out, f"{name}, {_flops(an_output)} an output")
    elif name in _AN_INPUT:
        an_input = _AN_INPUT[name]
        outputs = 2 if "adaptive_max" in name else len(op.outputs)  # torch computes the indices in any case
        if first is not None and first.shape:
            yield (an_input * first.numel * outputs, f"{name}, {_flops(an_input)} an input")
    elif name in _SORTS:
        yield (sum(int(n * log2(max(n, 2))) for n in (spec.numel for spec in op.outputs)), f"{name}, n log2(n)")
    elif "pool" in name and name not in _COMPOSED:
        yield _pooled(op, out)


def _pooled(op: Op, out: int) -> Flops:
    kernel = op.args[1] if len(op.args) > 1 else 1
    if "fractional" in op.kind and len(op.outputs) == 1:
        out *= 2  # torch computes the indices in any case
    if isinstance(kernel, tuple):
        return (out * prod(kernel), "windows of pooling, 1 FLOP an element")
    if isinstance(kernel, int):
        return (out * kernel, "windows of pooling, the kernel's side taken for its area")
    return (out, "outputs of unpooling")


def _multi_head_macs(op: Op) -> int:
    """The projections count where they are one product or have weights of their own, and not where one is sliced."""
    projections, attention = split_multi_head(op)
    products = sum(aten.name in ("aten.mm", "aten.addmm") for aten in op.aten)
    if products == 2 or argument(op, 17, "use_separate_proj_weight", False):
        return projections + attention
    query = op.inputs[0]
    return query.numel * query.shape[-1] + attention  # the projection of the result


def _multi_head_others(op: Op) -> Iterator[Flops]:
    query, key = shapes(op)[:2]
    rows = prod(query[:-1])
    keys = key[0] + has_tensor(op, 7, "bias_k") + bool(argument(op, 9, "add_zero_attn"))
    scores = rows * int(argument(op, 4, "num_heads")) * keys
    products = sum(aten.name in ("aten.mm", "aten.addmm") for aten in op.aten)
    biases = prod(query) * has_tensor(op, 12, "out_proj_bias")
    if products == 2:
        biases += 3 * prod(query) * has_tensor(op, 6, "in_proj_bias")
    yield (biases, "biases, 1 FLOP an output")
    if is_fused(op):
        yield (6 * scores, "scale and softmax in attention, 6 FLOPs a score")
        return
    yield (prod(query) + 5 * scores, "scale and softmax in attention, 1 FLOP a query and 5 a score")
    if argument(op, 16, "attn_mask") is not None:
        yield (scores, "masks of attention, 1 FLOP a score")
    if argument(op, 23, "average_attn_weights", True):
        yield (scores, "the mean of attention over heads, 1 FLOP a score")


def _einsum(op: Op) -> tuple[int, int]:
    """Mult-adds and other FLOPs of an einsum of two factors; nothing for one that it does not read."""
    inputs, arrow, output = "".join(str(op.args[0]).split()).partition("->")
    terms, factors = inputs.split(","), shapes(op)
    if len(terms) != 2 or len(factors) != 2:
        return 0, 0
    if not all(term.isalpha() and len(set(term)) == len(term) for term in terms):
        return 0, 0
    sizes: dict[str, int] = {}
    for term, shape in zip(terms, factors, strict=True):
        for letter, size in zip(term, shape, strict=True):
            sizes[letter] = max(size, sizes.get(letter, 1))
    if not arrow:
        output = "".join(sorted(letter for letter in sizes if inputs.count(letter) == 1))
    if not output.isalpha():
        return 0, 0
    summed = [size for letter, size in sizes.items() if letter not in output]
    out = op.outputs[0].numel
    return (out * prod(summed), 0) if summed else (0, out)


def _flops(count: int) -> str:
    return f"{count} FLOP{'s' * (count > 1)}"


def _run(module: nn.Module, args: Args, kwargs: Kwargs) -> int:
    from torchlens.backends.torch.wrappers import unwrap_torch
    from torchlens.report import flops_report

    try:
        return int(flops_report(module, list(args), kwargs).forward_flops or 0)
    finally:
        unwrap_torch()


PEER = Peer(
    name="TorchLens",
    position=11,
    unit="FLOPs",
    version="2.36",
    packages=("torchlens",),
    module="torchlens",
    rules=_rules,
    run=_run,
)
