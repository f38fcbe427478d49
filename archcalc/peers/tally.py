"""What the rules of every tool work on: a trace with our count of each call, and a tally of differences to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from archcalc.count.cost import cost
from archcalc.values.trace import Module, Op, Shape, TensorSpec, Trace


class Run(NamedTuple):
    """One run of a module: the shapes that go in and come out, and the mult-adds that we count in it."""

    module: Module
    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]
    calls: tuple[Op, ...]
    macs: int


@dataclass
class Tally:
    """The terms of one tool while they are being collected."""

    terms: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    unsure: dict[str, None] = field(default_factory=dict)

    def add(self, macs: int, reason: str) -> None:
        """Takes note of mult-adds that the tool counts and we do not, or the other way round if negative."""
        self.terms[reason] += macs

    def doubt(self, reason: str) -> None:
        """Takes note of why the tool may print something else."""
        self.unsure[reason] = None


class Facts:
    """A trace with our count of each call."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.calls = [(op, cost(op)[0].macs) for op in trace.ops]
        self.macs = sum(own for _, own in self.calls)

    @cached_property
    def has_frozen_attention(self) -> bool:
        """Whether there is multi-head attention of which no weight is trained."""
        trained = {parameter.name for parameter in self.trace.params if parameter.trainable}
        return any(
            op.kind == "multi_head_attention_forward" and not any(spec.param in trained for spec in op.inputs)
            for op, _ in self.calls
        )

    @cached_property
    def _within(self) -> dict[str, dict[int, list[tuple[Op, int]]]]:
        found: dict[str, dict[int, list[tuple[Op, int]]]] = defaultdict(lambda: defaultdict(list))
        for op, own in self.calls:
            found[op.path][op.call].append((op, own))
        return found

    def runs(self, path: str, tally: Tally) -> Iterator[Run]:
        """The runs of a module."""
        module = self.trace.modules[path]
        within = self._within.get(path, {})
        for run in range(module.runs):
            calls = within.get(run, [])
            inputs, outputs = module.inputs, module.outputs
            if calls and not inputs:  # other shapes from run to run, or given by name
                inputs = tuple(spec.shape for spec in calls[0][0].inputs if spec.param is None)
            if calls and not outputs:
                outputs = tuple(spec.shape for spec in calls[-1][0].outputs)
            yield Run(module, inputs, outputs, tuple(op for op, _ in calls), sum(own for _, own in calls))


def argument(op: Op, at: int, name: str, default: Any = None) -> Any:
    """An argument of a call, given by position or by name."""
    return op.args[at] if at < len(op.args) else op.kwargs.get(name, default)


def shapes(op: Op) -> list[Shape]:
    """The shapes of all tensors that go into a call, weights included."""
    return [spec.shape for spec in op.inputs]


def has(op: Op, at: int, name: str) -> bool:
    """Whether an optional tensor, such as a bias, was given."""
    return isinstance(argument(op, at, name), TensorSpec)
