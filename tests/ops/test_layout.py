"""Where results lie in memory: every rule against the CPU's own kernel, over operands of random layouts."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from archcalc.ops import definition, parse
from archcalc.ops.layout import contiguous_strides, strides_of
from archcalc.trace.tensors import tensors_in
from archcalc.values.trace import TensorSpec
from tests.ops.test_shapes import CALLS

ROUNDS = 150
ONLY_CONTIGUOUS = "conv1d conv3d max_pool1d max_pool3d avg_pool1d adaptive_avg_pool1d adaptive_avg_pool3d".split()
ONLY_CONTIGUOUS += ["group_norm", "local_response_norm"]


def real(rng: random.Random, tensor: Tensor) -> Tensor:
    """Random values of that shape: as they come, permuted, a part of a larger one, repeated, or channels last."""
    shape = list(tensor.shape)
    if not tensor.is_floating_point():
        return torch.zeros(shape, dtype=tensor.dtype)
    how = rng.choice(["plain", "permuted", "part", "repeated", "channels last"])
    if how == "channels last" and len(shape) == 4:
        return torch.rand(shape).contiguous(memory_format=torch.channels_last)
    if how == "part" and shape:
        axis = rng.randrange(len(shape))
        larger = [size + 2 * (at == axis) for at, size in enumerate(shape)]
        return torch.rand(larger).narrow(axis, 1, shape[axis])
    if how == "repeated" and shape:
        axis = rng.randrange(len(shape))
        return torch.rand([1 if at == axis else size for at, size in enumerate(shape)]).expand(shape)
    if how == "plain" or not shape:
        return torch.rand(shape)
    order = rng.sample(range(len(shape)), len(shape))
    return torch.rand([shape[axis] for axis in order]).permute([order.index(axis) for axis in range(len(shape))])


def mapped(change: Callable[[Tensor], Any], value: Any) -> Any:
    if isinstance(value, Tensor):
        return change(value)
    return type(value)(mapped(change, item) for item in value) if type(value) in (tuple, list) else value


def spec(tensor: Tensor) -> TensorSpec:
    return TensorSpec(tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."))


@pytest.mark.sweep
@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.filterwarnings("ignore")
def test_a_result_lies_where_the_cpu_puts_it(kind: str) -> None:
    rng = random.Random(kind)
    answered = False
    for _ in range(ROUNDS):
        function, args, kwargs = CALLS[kind](rng)
        args = mapped(lambda tensor: real(rng, tensor), args)
        described = [tuple(each) if type(each) is list else each for each in mapped(spec, args)]
        shape = parse(kind, tuple(described), kwargs).shape()
        if shape is None:
            continue
        operands = [tensor for tensor in tensors_in(args) if tensor.is_floating_point()]
        keys = [(tuple(each.shape), each.stride(), each.dtype) for each in operands]
        contiguous = all(each.stride() == contiguous_strides(tuple(each.shape)) for each in operands)
        said = strides_of(definition(kind).layout, shape, keys, contiguous)
        if said is None:
            continue
        with torch.no_grad():
            found = function(*args, **kwargs)
        places = [
            (size, stride) for size, stride in zip(shape, said, strict=True) if size > 1
        ]  # one place lies anywhere
        assert places == [pair for pair in zip(found.shape, found.stride(), strict=True) if pair[0] > 1], (keys, kwargs)
        answered |= not contiguous
    assert answered is (kind not in ONLY_CONTIGUOUS)
