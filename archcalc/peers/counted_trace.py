"""A trace with our count of each call: what the rules of every tool start from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

from archcalc.count.cost import cost
from archcalc.values.trace import Module, Op, Shape, TensorSpec, Trace


class ModuleRun(NamedTuple):
    """One run of a module: the shapes that go in and come out, its own calls, and our count of their mult-adds."""

    module: Module
    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]
    calls: tuple[Op, ...]
    our_macs: int


class CountedTrace:
    """A trace with our count of each call: `calls` pairs each with its mult-adds, `macs` is their sum."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.calls = [(op, cost(op)[0].macs) for op in trace.ops]
        self.macs = sum(our_macs for _, our_macs in self.calls)

    @cached_property
    def has_frozen_attention(self) -> bool:
        """Whether there is multi-head attention of which no weight is trained."""
        trained = {parameter.name for parameter in self.trace.params if parameter.trainable}
        return any(
            op.kind == "multi_head_attention_forward" and not any(spec.param in trained for spec in op.inputs)
            for op, _ in self.calls
        )

    @cached_property
    def _calls_by_run(self) -> dict[tuple[str, int], list[tuple[Op, int]]]:
        by_run: dict[tuple[str, int], list[tuple[Op, int]]] = defaultdict(list)
        for op, our_macs in self.calls:
            by_run[op.path, op.call].append((op, our_macs))
        return by_run

    def runs(self, path: str) -> Iterator[ModuleRun]:
        """The runs of a module, in order."""
        module = self.trace.modules[path]
        for run in range(module.runs):
            calls = self._calls_by_run.get((path, run), [])
            inputs, outputs = module.inputs, module.outputs
            if calls and not inputs:  # other shapes from run to run, or given by name
                inputs = tuple(spec.shape for spec in calls[0][0].inputs if spec.param is None)
            if calls and not outputs:
                outputs = tuple(spec.shape for spec in calls[-1][0].outputs)
            ops = tuple(op for op, _ in calls)
            yield ModuleRun(module, inputs, outputs, ops, sum(our_macs for _, our_macs in calls))


def argument(op: Op, position: int, name: str, default: Any = None) -> Any:
    """An argument of a call, given by position or by name."""
    return op.args[position] if position < len(op.args) else op.kwargs.get(name, default)


def shapes(op: Op) -> list[Shape]:
    """The shapes of all tensors that go into a call, weights included."""
    return [spec.shape for spec in op.inputs]


def has_tensor(op: Op, position: int, name: str) -> bool:
    """Whether an optional tensor, such as a bias, was given."""
    return isinstance(argument(op, position, name), TensorSpec)
