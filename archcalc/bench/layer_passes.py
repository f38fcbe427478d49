"""The time of every row of a network's table, measured within passes of the whole network.

Forward, a function mode marks the moments before and after every call that is a row. Backward, a prehook on every
autograd node that a row created marks the moment when autograd reaches it. A node's time lasts until the next mark, so
the rows' times add up to the whole pass, sums of gradients where branches meet included.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from time import perf_counter
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from archcalc.bench.clock import Marks
from archcalc.bench.network import Workload
from archcalc.bench.rows import Grouped, Key, matched
from archcalc.trace.calls import classify
from archcalc.trace.modules import ModuleStack, forward_hooks
from archcalc.trace.tensors import tensors_in
from archcalc.values.errors import ModelError
from archcalc.values.samples import Samples


class LayerPasses:
    """Marked passes of one network; a Measurement."""

    def __init__(self, owner: object, label: str, workload: Workload, marks: Marks) -> None:
        self.owner = owner
        self.label = label
        self._workload = workload
        self._marks = marks
        self._training = workload.network.training
        with self._context():
            keys = _calls(workload)
        self.groups: tuple[Grouped, ...]
        self.groups, self._positions = matched(workload.report.rows, keys)
        self.forward: list[list[float]] = [[] for _ in self.groups]
        self.backward: list[list[float]] = [[] for _ in self.groups]
        self._wholes: list[tuple[float, float]] = []
        self._has_backward: set[int] = set()
        self._pass()
        for samples in (*self.forward, *self.backward, self._wholes):
            samples.clear()  # type: ignore[attr-defined]

    @property
    def count(self) -> int:
        """Passes so far."""
        return len(self._wholes)

    @property
    def wholes(self) -> tuple[Samples, Samples | None]:
        """Seconds of the passes as wholes, marks included: forward, and backward in training."""
        forward, backward = zip(*self._wholes, strict=True)
        return Samples((tuple(forward),)), Samples((tuple(backward),)) if self._training else None

    def samples_of(self, group: int) -> tuple[Samples | None, Samples | None]:
        """The samples of a group, forward and backward; None where nothing of it runs."""
        forward, backward = (Samples((tuple(times[group]),)) for times in (self.forward, self.backward))
        return forward if self.groups[group].timed else None, backward if group in self._has_backward else None

    def sample(self, seconds: float) -> None:
        """Run passes until they make up `seconds` together."""
        begun = perf_counter()
        self._pass()
        while perf_counter() - begun < seconds:
            self._pass()

    def _context(self) -> AbstractContextManager[Any]:
        return nullcontext() if self._training else torch.inference_mode()

    def _pass(self) -> None:
        marks, workload = self._marks, self._workload
        workload.network.clear()
        mode = _MarkingMode(marks, self._positions, backward=self._training)
        with self._context(), _without_fast_attention():
            marks.hold()
            begin = marks.mark()
            with mode:
                outputs = workload.outputs()
            end = marks.mark()
        if mode.number != len(self._positions):
            raise ModelError("its calls differ from run to run, so its layers cannot be told apart")
        back: list[Any] = []
        if self._training:
            mode.mark_the_rest(outputs)
            marks.hold()
            back.append(marks.mark())
            workload.differentiate(outputs)
            back.append(marks.mark())
        marks.done()
        self._add_samples(mode, (begin, end), back)

    def _add_samples(self, mode: _MarkingMode, forward: tuple[Any, Any], back: list[Any]) -> None:
        """Append the seconds between the marks, added up for each group."""
        seconds = self._marks.seconds
        totals = [[0.0] * len(self.groups), [0.0] * len(self.groups)]
        for group, begin, end in mode.spans:
            totals[0][group] += seconds(begin, end)
        moments = mode.moments
        for (owner, moment), after in zip(moments, [*(m for _, m in moments[1:]), *back[1:]], strict=bool(back)):
            if owner is not None:
                self._has_backward.add(owner)
                totals[1][owner] += seconds(moment, after)
        for times, total in zip((self.forward, self.backward), totals, strict=True):
            for samples, second in zip(times, total, strict=True):
                samples.append(second)
        self._wholes.append((seconds(*forward), seconds(*back) if back else 0.0))


class _MarkingMode(TorchFunctionMode):
    """Marks the calls of a forward pass, counted in order, and the autograd nodes that they create."""

    def __init__(self, marks: Marks, positions: Sequence[int | None], *, backward: bool) -> None:
        super().__init__()
        self.number = 0
        self.spans: list[tuple[int, Any, Any]] = []
        self.moments: list[tuple[int | None, Any]] = []
        self._mark = marks.mark
        self._positions = positions
        self._backward = backward
        self._owned: set[Any] = set()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if classify(func).records_nothing:
            return func(*args, **(kwargs or {}))
        group = self._positions[self.number] if self.number < len(self._positions) else None
        self.number += 1
        if group is None:
            return func(*args, **(kwargs or {}))
        begin = self._mark()
        result = func(*args, **(kwargs or {}))
        self.spans.append((group, begin, self._mark()))
        if self._backward:
            # `x[i] = y` returns nothing and changes its first argument
            self._claim(group, tensors_in(result) or tensors_in(args[:1]))
        return result

    def mark_the_rest(self, outputs: list[Tensor]) -> None:
        """Mark the nodes that no row created too; otherwise their time would be added to the row before them."""
        self._claim(None, outputs)

    def _claim(self, owner: int | None, tensors: list[Tensor]) -> None:
        """Assign every node reachable from these tensors that has no owner yet.

        A hook must not hold this mode, which holds the nodes: the collector cannot see a cycle through autograd.
        """
        moments, mark = self.moments, self._mark

        def reached(gradients: Any) -> None:
            moments.append((owner, mark()))

        nodes = [tensor.grad_fn for tensor in tensors if tensor.grad_fn is not None]
        while nodes:
            node = nodes.pop()
            if node in self._owned:
                continue
            self._owned.add(node)
            node.register_prehook(reached)
            nodes += [parent for parent, _ in node.next_functions if parent is not None]


class _ListingMode(TorchFunctionMode):
    """Lists every call of a pass with the module that makes it."""

    def __init__(self, paths: dict[int, str]) -> None:
        super().__init__()
        self.keys: list[Key] = []
        self.stack = ModuleStack(paths)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kind = classify(func)
        if not kind.records_nothing:
            self.keys.append(Key(*self.stack.running[-1], kind.name))
        return func(*args, **(kwargs or {}))


def _calls(workload: Workload) -> list[Key]:
    """Every call of one real pass, in order."""
    listed = _ListingMode({id(child): path for path, child in workload.network.module.named_modules()})
    with _without_fast_attention(), forward_hooks(listed.stack.enter, listed.stack.leave), listed:
        workload.outputs()
    return listed.keys


@contextmanager
def _without_fast_attention() -> Iterator[None]:
    """Disables attention's fast path, which would hide the calls that are rows of the table."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)
