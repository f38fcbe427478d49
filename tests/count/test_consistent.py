"""A trace that contradicts itself is one clear error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import nn

from archcalc import UsageError
from archcalc.count.report import build_report
from archcalc.trace.run import trace
from archcalc.values.trace import Checkpoint, Op, TensorSpec, Trace


@pytest.fixture(scope="module")
def two_calls() -> Trace:
    return trace(nn.Sequential(nn.Linear(4, 4), nn.ReLU()), (torch.empty(2, 4),))


def second(**changes: object) -> Callable[[Trace], Trace]:
    return lambda trace: replace(trace, ops=(trace.ops[0], replace(trace.ops[1], **changes)))  # type: ignore[arg-type]


def made_by(producer: int, output: int = 0) -> tuple[TensorSpec, ...]:
    return (TensorSpec((2, 4), "float32", "call", producer, output),)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (second(index=5), "call 1, relu, has the index 5"),
        (second(modules=()), "call 1, relu, has no modules"),
        (second(outputs=()), "call 1, relu, has no outputs"),
        (second(inputs=made_by(1)), "call 1, relu, comes from call 1, which is not one before it"),
        (second(inputs=made_by(-1)), "comes from call -1"),
        (second(inputs=made_by(0, 3)), "is output 3 of call 0"),
        (second(checkpoints=(0,)), "in the checkpointed region 0, and there are 0"),
        (second(saved_again=((2, 0, 8),)), "in the checkpointed region 2"),
        (lambda trace: replace(trace, outputs=made_by(2)), "an output of the network comes from call 2"),
        (lambda trace: replace(trace, checkpoints=(Checkpoint(1, 9, False),)), "region 0 goes from call 1 to 9"),
    ],
)
def test_a_contradiction_is_named_with_its_place(
    two_calls: Trace, broken: Callable[[Trace], Trace], message: str
) -> None:
    read = Trace.from_json(broken(two_calls).to_json())  # it has the form of a trace
    with pytest.raises(UsageError, match=message):
        build_report(read)


def test_a_trace_that_was_recorded_is_consistent(two_calls: Trace) -> None:
    ops: tuple[Op, ...] = two_calls.ops
    assert len(build_report(two_calls).rows) == len(ops)
