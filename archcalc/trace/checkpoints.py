"""Activation checkpointing: which calls the backward pass runs again, and what is kept only while it does.

torch's checkpoint keeps the inputs of a region and runs its forward again in the backward pass. While a trace follows
autograd, the region runs once, with its graph, and what autograd saves in it is noted as the region's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from threading import get_ident
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.utils import checkpoint as torch_checkpoint
from torch.utils._python_dispatch import _get_current_dispatch_mode_stack

from archcalc.trace.tensors import tensors_in
from archcalc.values.trace import Checkpoint, Op

if TYPE_CHECKING:
    from archcalc.trace.record import Recorder


class Region:
    """One run of a checkpointed function.

    Its backward pass runs again what ran before the place `stop`: a call and how many torch ops had run beneath it.
    Ops whose results a selective policy keeps, `kept_ops`, do not run again. `nodes` are the autograd nodes
    of its outputs, where the backward pass of one brings about that of all.
    """

    def __init__(self, number: int, first: int, reentrant: bool) -> None:
        self.number = number
        self.first = first
        self.reentrant = reentrant
        self.stop = (first, 0)
        self.saved: set[int] = set()
        self.nodes: list[Any] = []
        self.kept_ops: set[tuple[int, int]] = set()
        self.results: list[tuple[int, int, list[int]]] = []
        self.cache: Any = None

    def runs_again(self, op: int, aten: int) -> bool:
        """Whether the backward pass runs again the torch op at a place beneath a call."""
        return (op, aten) < self.stop and (op, aten) not in self.kept_ops

    def on_save(self, op: int, aten: int) -> None:
        """Autograd keeps a tensor of the region's: what has run before it runs again."""
        self.stop = (op, aten)
        if self.cache is None:
            modes = _get_current_dispatch_mode_stack()
            caches = [mode.storage for mode in modes if isinstance(mode, torch_checkpoint._CachingTorchDispatchMode)]
            self.cache = caches[-1] if caches else None

    def cached_results(self) -> list[Tensor]:
        """What a selective policy keeps of the region's results; empty without one."""
        by_key = [] if self.cache is None else self.cache.values()
        cached = [result for by_number in by_key for result in by_number.values()]
        leaves = [leaf for result in cached for leaf in torch.utils._pytree.tree_leaves(result)]
        return [leaf.val for leaf in leaves if isinstance(getattr(leaf, "val", None), Tensor)]


class Regions:
    """The checkpointed regions of a trace: all of them, and those that are running, outermost first."""

    def __init__(self, recorder: Recorder) -> None:
        self.all: list[Region] = []
        self.running: list[Region] = []
        self._recorder = recorder

    def place(self) -> tuple[int, int]:
        """Where the run is: at which call, and how many torch ops have run beneath it."""
        return len(self._recorder.ops), len(self._recorder.aten_ops or ())

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of the running regions, outermost first."""
        return tuple([region.number for region in self.running])

    @contextmanager
    def region(self, reentrant: bool, early_stop: bool) -> Iterator[Region]:
        """A region runs within it."""
        recorder = self._recorder
        region = Region(len(self.all), len(recorder.ops), reentrant)
        self.all.append(region)
        self.running.append(region)
        try:
            yield region
        finally:
            self.running.pop()
            if not early_stop:
                region.stop = (len(recorder.ops), 0)
            self._keep_cached(region)

    def _keep_cached(self, region: Region) -> None:
        """What a selective policy keeps stays until the backward pass, which does not compute it again."""
        cached = region.cached_results()
        if not cached or len(self._recorder.ops) == region.first:
            return
        tensors = self._recorder.tensors
        numbers = {tensors.storage(tensor) for tensor in cached}
        region.kept_ops = {(op, aten) for op, aten, results in region.results if not numbers.isdisjoint(results)}
        pending, pending_again = tensors.take_saved()
        for tensor in cached:
            tensors.save(tensor)
        saved, saved_again = tensors.take_saved()
        last = self._recorder.ops[-1]
        self._recorder.ops[-1] = replace(
            last,
            saved=last.saved + pending + saved,
            saved_again=last.saved_again + pending_again + saved_again,
        )

    def on_aten_op(self, result: Any) -> None:
        """A torch op is about to be noted: what it gave may be kept by a selective policy."""
        op, aten = self.place()
        storages = [self._recorder.tensors.storage(tensor) for tensor in tensors_in(result)]
        for region in self.running:
            region.results.append((op, aten, storages))


@contextmanager
def recorded_checkpoints(recorder: Recorder) -> Iterator[None]:
    """Within it checkpointed functions that this thread runs are regions of the recorder's."""
    thread = get_ident()
    plain_function, plain_hook = torch_checkpoint.CheckpointFunction, torch_checkpoint._checkpoint_hook

    def apply(function: Callable[..., Any], preserve: bool, *args: Any) -> Any:
        if get_ident() != thread:
            return plain_function.apply(function, preserve, *args)  # type: ignore[no-untyped-call]  # torch's own
        given = [arg for arg in args if isinstance(arg, Tensor)]
        torch_checkpoint.check_backward_validity(args)
        if not torch.is_grad_enabled() or not any(tensor.requires_grad for tensor in given):
            with torch.no_grad():  # without an input that needs a gradient this kind gives none to the weights either
                return function(*args)
        with torch._C.DisableTorchFunction():
            for tensor in given:
                recorder.tensors.save(tensor)
        with recorder.regions.region(reentrant=True, early_stop=False) as region:
            result = function(*args)
            outputs = tensors_in(result) if isinstance(result, (tuple, Tensor)) else []
            region.nodes = [node for output in outputs if (node := output.grad_fn) is not None]
        return result

    def hook(frame: Any) -> AbstractContextManager[Any]:
        if get_ident() != thread:
            plain: AbstractContextManager[Any] = plain_hook(frame)
            return plain
        return recorder.regions.region(reentrant=False, early_stop=frame.early_stop)

    replaced: Any = torch_checkpoint
    replaced.CheckpointFunction, replaced._checkpoint_hook = SimpleNamespace(apply=apply), hook
    try:
        yield
    finally:
        replaced.CheckpointFunction, replaced._checkpoint_hook = plain_function, plain_hook


def with_recomputation(
    ops: list[Op], regions: list[Region], reached: Callable[[Region], bool]
) -> tuple[list[Op], tuple[Checkpoint, ...]]:
    """The calls with how often the backward pass runs them again, and the regions by number."""
    run_again = {region.number: region for region in regions if reached(region)}
    marked = []
    for op in ops:
        around = [run_again[number] for number in op.checkpoints if number in run_again]
        if around:
            times = [sum(region.runs_again(op.index, at) for region in around) for at in range(len(op.aten))]
            aten = [replace(one, recomputations=count) for one, count in zip(op.aten, times, strict=True)]
            op = replace(op, aten=tuple(aten))
        marked.append(op)
    checkpoints = [
        Checkpoint(region.first, region.stop[0] + (region.stop[1] > 0), region.reentrant)
        if region.number in run_again
        else Checkpoint(region.first, region.first, region.reentrant)
        for region in regions
    ]
    return marked, tuple(checkpoints)
