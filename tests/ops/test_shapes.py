"""Every shape rule against torch's own meta kernel, over random arguments, right ones and wrong ones."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from archcalc.ops import DEFINITIONS, Definition, define, parse
from archcalc.ops.definition import counts
from archcalc.ops.shapes import broadcast, window_positions
from archcalc.values.trace import TensorSpec

Call = tuple[Callable[..., Tensor], tuple[Any, ...], dict[str, Any]]
ROUNDS = 150


def empty(*shape: int) -> Tensor:
    return torch.empty(shape, device="meta")


def spec(value: Any) -> Any:
    if isinstance(value, Tensor):
        return TensorSpec(tuple(value.shape), str(value.dtype).removeprefix("torch."))
    return tuple(map(spec, value)) if isinstance(value, (tuple, list)) else value


def sizes(rng: random.Random, axes: int, low: int = 1, high: int = 12) -> list[int]:
    return [rng.randint(low, high) for _ in range(axes)]


def one_or_many(rng: random.Random, axes: int, low: int, high: int) -> Any:
    return rng.choice([rng.randint(low, high), tuple(sizes(rng, axes, low, high))])


def convolution(rng: random.Random, axes: int) -> Call:
    groups = rng.choice([1, 1, 2, 3])
    c_in, c_out = groups * rng.randint(1, 3), groups * rng.randint(1, 3)
    weight = empty(c_out, c_in // groups, *sizes(rng, axes, 1, 4))
    channels = rng.choice([c_in, c_in, c_in, c_in + 1])
    shape = [rng.randint(1, 3), channels, *sizes(rng, axes)]
    bias = rng.choice([None, empty(c_out), empty(c_out), empty(c_out + 1)])
    options = {
        "stride": one_or_many(rng, axes, 1, 3),
        "padding": one_or_many(rng, axes, 0, 2),
        "dilation": one_or_many(rng, axes, 1, 2),
        "groups": rng.choice([groups, groups, groups, groups + 1]),
    }
    return getattr(torch, f"conv{axes}d"), (empty(*shape[rng.random() < 0.1 :]), weight, bias), options


def pool(rng: random.Random, axes: int, name: str) -> Call:
    shape = [rng.randint(1, 3), rng.randint(1, 3), *sizes(rng, axes)]
    options: dict[str, Any] = {"kernel_size": one_or_many(rng, axes, 1, 4)}
    if rng.random() < 0.7:
        options["stride"] = one_or_many(rng, axes, 1, 4)
    options |= {"padding": one_or_many(rng, axes, 0, 2), "ceil_mode": rng.random() < 0.5}
    if name == "max_pool":
        options["dilation"] = one_or_many(rng, axes, 1, 2)
    return getattr(F, f"{name}{axes}d"), (empty(*shape[rng.random() < 0.1 :]),), options


def adaptive(rng: random.Random, axes: int) -> Call:
    shape = [rng.randint(1, 3), rng.randint(1, 3), *sizes(rng, axes)]
    return getattr(F, f"adaptive_avg_pool{axes}d"), (empty(*shape), one_or_many(rng, axes, 1, 4)), {}


def linear(rng: random.Random) -> Call:
    n = rng.randint(1, 4)
    weight = empty(rng.randint(1, 4), rng.choice([n, n, n, n + 1]))
    bias = rng.choice([None, empty(weight.shape[0]), empty(weight.shape[0] + 1)])
    return F.linear, (empty(*sizes(rng, rng.randint(0, 3)), n), weight, bias), {}


def matmul(rng: random.Random) -> Call:
    batch = sizes(rng, rng.randint(0, 2), 1, 3)
    k = rng.randint(1, 4)
    other = rng.choice([batch, batch, batch[1:], [2, *batch]])
    return torch.matmul, (empty(*batch, 3, k), empty(*other, rng.choice([k, k, k + 1]), 2)), {}


def bmm(rng: random.Random) -> Call:
    return torch.bmm, (empty(*sizes(rng, 3, 1, 2)), empty(*sizes(rng, 3, 1, 2))), {}


def mm(rng: random.Random) -> Call:
    return torch.mm, (empty(*sizes(rng, 2, 1, 2)), empty(*sizes(rng, 2, 1, 2))), {}


def batch_norm(rng: random.Random) -> Call:
    x = empty(*sizes(rng, rng.randint(2, 4), 1, 3))
    vectors = [rng.choice([empty(x.shape[1])] * 4 + [None]) for _ in range(4)]
    return F.batch_norm, (x, *vectors), {"training": rng.random() < 0.5}


def layer_norm(rng: random.Random) -> Call:
    x = empty(*sizes(rng, 3, 1, 3))
    last = tuple(x.shape[rng.randint(0, 2) :]) if rng.random() < 0.8 else (rng.randint(1, 3),)
    return F.layer_norm, (x, last, rng.choice([None, empty(*last), empty(4)])), {}


def rms_norm(rng: random.Random) -> Call:
    x = empty(*sizes(rng, 3, 1, 3))
    last = tuple(x.shape[rng.randint(0, 2) :]) if rng.random() < 0.8 else (rng.randint(1, 3),)
    return F.rms_norm, (x, last, rng.choice([None, empty(*last), empty(4)])), {"eps": rng.choice([None, 1e-6])}


def group_norm(rng: random.Random) -> Call:
    x = empty(*sizes(rng, rng.randint(2, 4), 1, 4))
    vectors = [rng.choice([empty(x.shape[1]), empty(x.shape[1]), None, empty(3)]) for _ in range(2)]
    return F.group_norm, (x, rng.randint(1, 3), *vectors), {}


def embedding(rng: random.Random) -> Call:
    words = rng.randint(1, 5)
    ids = torch.zeros(sizes(rng, rng.randint(0, 3), 1, 3), dtype=rng.choice([torch.int64, torch.int32]), device="meta")
    return F.embedding, (ids, empty(*sizes(rng, rng.choice([2, 2, 2, 1]))), rng.choice([None, -1, 2, words])), {}


def attention(rng: random.Random) -> Call:
    *batch, length, other, width = sizes(rng, rng.choice([5, 5, 4]), 1, 3)
    keys = empty(*batch, other, rng.choice([width, width, width + 1]))
    values = empty(*batch, other, rng.choice([width, width, width + 1]))
    return (
        F.scaled_dot_product_attention,
        (empty(*batch, length, width), keys, values),
        {
            "is_causal": rng.random() < 0.5,
            "scale": rng.choice([None, 0.5]),
        },
    )


def response_norm(rng: random.Random) -> Call:
    return F.local_response_norm, (empty(*sizes(rng, rng.randint(2, 5), 1, 6)), rng.randint(1, 5)), {}


def pointwise(function: Callable[..., Tensor], *arguments: Any) -> Callable[[random.Random], Call]:
    return lambda rng: (function, (empty(*sizes(rng, rng.randint(0, 4))), *arguments), {})


def arithmetic(function: Callable[..., Tensor]) -> Callable[[random.Random], Call]:
    def call(rng: random.Random) -> Call:
        left, right = (empty(*(rng.choice([1, 2, 3]) for _ in range(rng.randint(0, 3)))) for _ in range(2))
        return function, rng.choice([(left, right), (left, right), (left, 2.5), (left, 2), (left, True)]), {}

    return call


def softmax(rng: random.Random) -> Call:
    return F.softmax, (empty(*sizes(rng, rng.randint(1, 3))), rng.randint(-4, 3)), {}


def cat(rng: random.Random) -> Call:
    shape = sizes(rng, rng.randint(1, 4), 1, 3)
    dim = rng.randint(-len(shape) - 1, len(shape))
    parts = []
    for _ in range(rng.randint(1, 4)):
        part = list(shape)
        part[dim % len(shape)] = rng.randint(1, 3)
        if rng.random() < 0.1:
            part[0] += 1
        parts.append(empty(*part))
    return torch.cat, (parts, dim), {}


def reduction(function: Callable[..., Tensor]) -> Callable[[random.Random], Call]:
    def call(rng: random.Random) -> Call:
        x = empty(*sizes(rng, rng.randint(1, 4), 1, 3))
        dim = rng.choice([rng.randint(-4, 3), tuple(rng.randint(-3, 3) for _ in range(rng.randint(1, 3))), None])
        return function, (x, dim, rng.random() < 0.5), {}

    return call


CALLS: dict[str, Callable[[random.Random], Call]] = {
    **{f"conv{n}d": partial(convolution, axes=n) for n in (1, 2, 3)},
    **{f"max_pool{n}d": partial(pool, axes=n, name="max_pool") for n in (1, 2, 3)},
    **{f"avg_pool{n}d": partial(pool, axes=n, name="avg_pool") for n in (1, 2)},
    **{f"adaptive_avg_pool{n}d": partial(adaptive, axes=n) for n in (1, 2, 3)},
    "linear": linear,
    "matmul": matmul,
    "bmm": bmm,
    "mm": mm,
    "batch_norm": batch_norm,
    "layer_norm": layer_norm,
    "rms_norm": rms_norm,
    "group_norm": group_norm,
    "embedding": embedding,
    "scaled_dot_product_attention": attention,
    "pow": pointwise(torch.pow, 2),
    "local_response_norm": response_norm,
    "dropout": pointwise(F.dropout, 0.3),
    "softmax": softmax,
    "log_softmax": lambda rng: (F.log_softmax, *softmax(rng)[1:]),
    "cat": cat,
    "mean": reduction(torch.mean),
    "sum": reduction(torch.sum),
    "leaky_relu": pointwise(F.leaky_relu, 0.1),
    "hardtanh": pointwise(F.hardtanh, 0.0, 6.0),
    "elu": pointwise(F.elu, 0.5),
    "celu": pointwise(F.celu, 0.5),
    **{name: arithmetic(getattr(torch, name)) for name in ("add", "sub", "mul", "div")},
    **{
        name: pointwise(getattr(F, name))
        for name in "relu relu6 silu mish selu hardswish hardsigmoid gelu tanh sigmoid".split()
    },
    **{name: pointwise(getattr(torch, name)) for name in "exp sqrt rsqrt square abs neg".split()},
}


WITH_SHAPE = {kind for kind, definition in DEFINITIONS.items() if definition.shape is not Definition.shape}


def shape_of(kind: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[int, ...] | None:
    return parse(kind, spec(args), kwargs).shape()


def test_every_rule_is_tested_here() -> None:
    untested = {"concat", "concatenate"}  # other names of cat
    untested |= {"avg_pool3d", *(f"max_pool{axes}d_with_indices" for axes in (1, 2, 3))}  # torch is always asked
    assert WITH_SHAPE - CALLS.keys() == untested


def test_every_kind_with_a_rule_has_a_cost() -> None:
    # A call that did not run left nothing beneath it to count from.
    assert all(map(counts, WITH_SHAPE))


@pytest.mark.sweep
@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.filterwarnings("ignore")  # torch warns of deprecated uses that the random arguments happen on
def test_a_rule_says_what_torch_says(kind: str) -> None:
    rng = random.Random(kind)
    answered = 0
    for _ in range(ROUNDS):
        function, args, kwargs = CALLS[kind](rng)
        try:
            real = function(*args, **kwargs)
        except (RuntimeError, ValueError, IndexError, TypeError, AssertionError):
            real = None
        said = shape_of(kind, args, kwargs)
        if said is None:
            continue  # torch is asked
        assert real is not None, (args, kwargs)
        assert said == tuple(real.shape), (args, kwargs)
        assert real.is_contiguous() or kind == "scaled_dot_product_attention"
        assert real.dtype is torch.float32
        answered += 1
    assert answered > ROUNDS // 10  # a rule that never answers is no rule


def test_a_second_rule_for_a_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="a definition of relu already"):
        define("relu")(Definition)


def test_the_window_arithmetic_of_the_papers() -> None:
    # ⌊(227 − 11)/4⌋ + 1 = 55, and with ceil_mode ⌈(112 − 3)/2⌉ + 1 = 56
    assert window_positions((227,), (11,), (4,), (0,), (1,)) == (55,)
    assert window_positions((112,), (3,), (2,), (0,), (1,), ceil_mode=True) == (56,)
    assert window_positions((5,), (11,), (4,), (0,), (1,)) is None


def test_broadcast_follows_numpy() -> None:
    assert broadcast([(2, 1, 3), (4, 1), ()]) == (2, 4, 3)
    assert broadcast([(2, 3), (4, 3)]) is None
