"""Shape rules: what the everyday calls put out, without running them.

The first operator that torch runs on the meta device imports its Python kernels and sympy, which takes as long
as importing torch itself. These rules cover what networks are mostly made of. A rule is asked only about tensors of
one floating dtype, and answers only where it is sure that torch would accept the call. Otherwise it answers None and
the call runs, so that torch itself gives the result or the error.
`tests/trace/test_shapes.py` holds every rule against torch's own kernel over random arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from archcalc.values.trace import Shape, TensorSpec

Rule = Callable[..., Shape | None]

RULES: dict[str, Rule] = {}
"""By kind: the arguments of the call, tensors as TensorSpec, to the output's shape; None to ask torch."""

ELEMENTWISE: set[str] = set()
"""Kinds whose every output element depends on one place of each operand."""

IN_PLACE: dict[str, int] = {}
"""Kinds of torch.nn.functional that take `inplace`, and its position."""


def rule(*kinds: str, elementwise: bool = False) -> Callable[[Rule], Rule]:
    """Register a rule for calls of these kinds; a second one for the same kind is an error."""

    def add(function: Rule) -> Rule:
        for kind in kinds:
            if kind in RULES:
                raise ValueError(f"there is a shape rule for {kind} already")
            RULES[kind] = function
        if elementwise:
            ELEMENTWISE.update(kinds)
        return function

    return add


def slide(
    sizes: Shape, kernel: Shape, stride: Shape, padding: Shape, dilation: Shape, ceil_mode: bool = False
) -> Shape | None:
    """Output size per axis of a sliding window, ⌊(size + 2·padding − extent)/stride⌋ + 1; None if none fits.

    With `ceil_mode` a last window may hang over the end, provided that it starts inside the input or its left padding.
    """
    out = []
    for n, k, s, p, d in zip(sizes, kernel, stride, padding, dilation, strict=True):
        room = n + 2 * p - d * (k - 1) - 1
        if room < 0 or s < 1 or d < 1 or p < 0 or k < 1:
            return None
        count = room // s + 1
        if ceil_mode and room % s and count * s < n + p:
            count += 1
        out.append(count)
    return tuple(out)


def per_axis(value: Any, axes: int) -> Shape | None:
    """One integer an axis from a single one or a sequence; None where it is neither."""
    if isinstance(value, int):
        return (value,) * axes
    if isinstance(value, (tuple, list)) and len(value) in (1, axes) and all(isinstance(v, int) for v in value):
        return tuple(value) * (axes // len(value))
    return None


def broadcast(shapes: Iterable[Shape]) -> Shape | None:
    """The common shape of operands, by torch's rule; None where they do not fit."""
    out: list[int] = []
    for shape in shapes:
        out[:0] = [1] * (len(shape) - len(out))
        for axis, size in enumerate(reversed(shape), start=1):
            if out[-axis] == 1:
                out[-axis] = size
            elif size not in (1, out[-axis]):
                return None
    return tuple(out)


def _convolution(
    axes: int,
    input: TensorSpec,
    weight: TensorSpec,
    bias: TensorSpec | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Shape | None:
    steps, pads, gaps = per_axis(stride, axes), per_axis(padding, axes), per_axis(dilation, axes)
    if len(input.shape) != axes + 2 or len(weight.shape) != axes + 2 or not (steps and pads and gaps):
        return None
    if groups < 1 or input.shape[1] != weight.shape[1] * groups or weight.shape[0] % groups:
        return None
    if bias is not None and bias.shape != weight.shape[:1]:
        return None
    out = slide(input.shape[2:], weight.shape[2:], steps, pads, gaps)
    return out and (input.shape[0], weight.shape[0], *out)


@rule("linear")
def _linear(input: TensorSpec, weight: TensorSpec, bias: TensorSpec | None = None) -> Shape | None:
    if len(weight.shape) != 2 or not input.shape or input.shape[-1] != weight.shape[1]:
        return None
    if bias is not None and bias.shape != weight.shape[:1]:
        return None
    return (*input.shape[:-1], weight.shape[0])


@rule("matmul", "bmm", "mm")
def _matmul(input: TensorSpec, other: TensorSpec) -> Shape | None:
    if len(input.shape) != len(other.shape) or len(input.shape) < 2:
        return None
    if input.shape[-1] != other.shape[-2] or input.shape[:-2] != other.shape[:-2]:
        return None
    return (*input.shape[:-1], other.shape[-1])


@rule("batch_norm")
def _batch_norm(
    input: TensorSpec,
    running_mean: TensorSpec | None,
    running_var: TensorSpec | None,
    weight: TensorSpec | None = None,
    bias: TensorSpec | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Shape | None:
    shape = input.shape
    if len(shape) < 2 or (training and input.numel == shape[1]):
        return None
    if (running_mean is None) is not (running_var is None) or (not training and running_mean is None):
        return None
    vectors = (running_mean, running_var, weight, bias)
    return shape if all(vector is None or vector.shape == shape[1:2] for vector in vectors) else None


@rule("layer_norm")
def _layer_norm(
    input: TensorSpec,
    normalized_shape: Any,
    weight: TensorSpec | None = None,
    bias: TensorSpec | None = None,
    eps: float = 1e-5,
) -> Shape | None:
    last = tuple(normalized_shape)
    fits = last and input.shape[-len(last) :] == last
    return input.shape if fits and all(v is None or v.shape == last for v in (weight, bias)) else None


@rule("rms_norm")
def _rms_norm(
    input: TensorSpec, normalized_shape: Any, weight: TensorSpec | None = None, eps: float | None = None
) -> Shape | None:
    return _layer_norm(input, normalized_shape, weight)


@rule("group_norm")
def _group_norm(
    input: TensorSpec,
    num_groups: int,
    weight: TensorSpec | None = None,
    bias: TensorSpec | None = None,
    eps: float = 1e-5,
) -> Shape | None:
    shape = input.shape
    if len(shape) < 3 or num_groups < 1 or shape[1] % num_groups or input.numel == num_groups:
        return None
    return shape if all(vector is None or vector.shape == shape[1:2] for vector in (weight, bias)) else None


@rule("embedding")
def _embedding(
    input: TensorSpec,
    weight: TensorSpec,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Shape | None:
    fits = len(weight.shape) == 2 and max_norm is None and (padding_idx is None or abs(padding_idx) < weight.shape[0])
    return (*input.shape, weight.shape[1]) if fits else None


@rule("scaled_dot_product_attention")
def _attention(
    query: TensorSpec,
    key: TensorSpec,
    value: TensorSpec,
    attn_mask: TensorSpec | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Shape | None:
    images, width = query.shape[:2], query.shape[-1:]
    if attn_mask is not None or dropout_p or enable_gqa or len(query.shape) != 4 or key.shape != value.shape:
        return None
    return query.shape if len(key.shape) == 4 and key.shape[:2] == images and key.shape[3:] == width else None


@rule("local_response_norm")
def _local_response_norm(
    input: TensorSpec, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Shape | None:
    return input.shape if len(input.shape) >= 3 and size >= 1 else None


def _activation(*kinds: str, inplace_at: int | None = None, may_take: int = 8) -> None:
    """Kinds that keep the shape of their only tensor; `inplace_at` is where torch's signature has `inplace`."""

    def same(input: TensorSpec, *args: Any, **kwargs: Any) -> Shape | None:
        plain = all(value is None or isinstance(value, (bool, int, float, str)) for value in (*args, *kwargs.values()))
        return input.shape if plain and len(args) + len(kwargs) <= may_take else None

    rule(*kinds, elementwise=True)(same)
    if inplace_at is not None:
        IN_PLACE.update(dict.fromkeys(kinds, inplace_at))


_activation("relu", "relu6", "silu", "mish", "selu", "hardswish", "hardsigmoid", inplace_at=1)
_activation("leaky_relu", "elu", "celu", inplace_at=2)
_activation("hardtanh", inplace_at=3)
_activation("gelu")
_activation("tanh", "sigmoid", "exp", "sqrt", "rsqrt", "square", "abs", "neg", may_take=0)


@rule("dropout", elementwise=True)
def _dropout(input: TensorSpec, p: float = 0.5, training: bool = True, inplace: bool = False) -> Shape | None:
    return input.shape if 0 <= p <= 1 and training else None  # else torch hands back the very tensor


IN_PLACE["dropout"] = 3


@rule("softmax", "log_softmax")
def _softmax(input: TensorSpec, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Shape | None:
    known = isinstance(dim, int) and isinstance(_stacklevel, int) and -len(input.shape) <= dim < len(input.shape)
    return input.shape if known and dtype is None else None


@rule("add", "sub", "mul", "div", elementwise=True)
def _arithmetic(input: TensorSpec | float, other: TensorSpec | float) -> Shape | None:
    operands = (input, other)
    if any(not isinstance(o, (TensorSpec, int, float)) or isinstance(o, bool) for o in operands):
        return None
    tensors = [o for o in operands if isinstance(o, TensorSpec)]
    return broadcast(tensor.shape for tensor in tensors)


@rule("pow", elementwise=True)
def _power(input: TensorSpec, exponent: float) -> Shape | None:
    return input.shape if isinstance(input, TensorSpec) and type(exponent) in (int, float) else None


@rule("cat", "concat", "concatenate")
def _cat(tensors: tuple[TensorSpec, ...], dim: int = 0) -> Shape | None:
    if not tensors or not all(isinstance(t, TensorSpec) for t in tensors) or not isinstance(dim, int):
        return None
    first = tensors[0].shape
    if not -len(first) <= dim < len(first):
        return None
    axis = dim % len(first)
    rest = first[:axis] + first[axis + 1 :]
    for tensor in tensors:
        if len(tensor.shape) != len(first) or tensor.shape[:axis] + tensor.shape[axis + 1 :] != rest:
            return None
    return (*first[:axis], sum(tensor.shape[axis] for tensor in tensors), *first[axis + 1 :])


def _max_pool(
    axes: int,
    input: TensorSpec,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Shape | None:
    return None if return_indices else _pool(axes, input, kernel_size, stride, padding, dilation, ceil_mode)


def _avg_pool(
    axes: int,
    input: TensorSpec,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Shape | None:
    return _pool(axes, input, kernel_size, stride, padding, 1, ceil_mode)


def _pool(
    axes: int, input: TensorSpec, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> Shape | None:
    kernel, pads, gaps = per_axis(kernel_size, axes), per_axis(padding, axes), per_axis(dilation, axes)
    steps = kernel if stride is None or stride == () else per_axis(stride, axes)
    if len(input.shape) != axes + 2 or not (kernel and steps and pads and gaps):
        return None
    if any(2 * p > k for p, k in zip(pads, kernel, strict=True)):
        return None
    out = slide(input.shape[2:], kernel, steps, pads, gaps, ceil_mode)
    return out and input.shape[:2] + out


def _adaptive_avg_pool(axes: int, input: TensorSpec, output_size: Any) -> Shape | None:
    out = per_axis(output_size, axes)
    return input.shape[:2] + out if out and min(out) > 0 and len(input.shape) == axes + 2 else None


for _axes in (1, 2, 3):
    rule(f"conv{_axes}d")(partial(_convolution, _axes))
    rule(f"max_pool{_axes}d")(partial(_max_pool, _axes))
    if _axes < 3:  # in three dimensions torch turns away images smaller than the kernel, padding or not
        rule(f"avg_pool{_axes}d")(partial(_avg_pool, _axes))
    rule(f"adaptive_avg_pool{_axes}d")(partial(_adaptive_avg_pool, _axes))


@rule("mean", "sum")
def _reduction(
    input: TensorSpec, dim: Any = None, keepdim: bool = False, *, axis: Any = None, dtype: Any = None
) -> Shape | None:
    rank = len(input.shape)
    dims = (dim,) if isinstance(dim, int) else dim
    if not isinstance(dims, (tuple, list)) or not dims or axis is not None or dtype is not None:
        return None
    if (
        not isinstance(keepdim, bool)
        or not all(isinstance(d, int) and -rank <= d < rank for d in dims)
        or len({d % rank for d in dims}) < len(dims)
    ):
        return None
    gone = {d % rank for d in dims}
    kept = [1 if axis in gone else size for axis, size in enumerate(input.shape) if keepdim or axis not in gone]
    return tuple(kept)
