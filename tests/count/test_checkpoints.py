"""Activation checkpointing: against real autograd, torch's counter, and the memory that a real step holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint, checkpoint_sequential, create_selective_checkpoint_contexts
from torch.utils.flop_counter import FlopCounterMode

import archcalc
from archcalc.count.explain import of_row
from archcalc.count.memory import budget
from archcalc.trace.run import trace
from archcalc.values.trace import TensorSpec
from archcalc.zoo.registry import build
from tests.count.test_memory import cpu_peak, really_saved
from tests.trace.test_trace import Of

WIDE = 256


def block() -> nn.Sequential:
    return nn.Sequential(nn.Linear(16, WIDE), nn.ReLU(), nn.Linear(WIDE, WIDE), nn.GELU(), nn.Linear(WIDE, 16))


def conv_block() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(16, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 16, 1))


def again(function: Any, *args: Any, reentrant: bool, **named: Any) -> Any:
    return checkpoint(function, *args, use_reentrant=reentrant, **named)


def chain(s: Any, x: Tensor, reentrant: bool) -> Any:
    x = s.first(x)
    for part in (s.a, s.b, s.c):
        x = again(part, x, reentrant=reentrant)
    return x


def early(s: Any, x: Tensor, reentrant: bool) -> Any:
    return s.c(s.b(again(s.a, s.first(x), reentrant=reentrant)))


def late(s: Any, x: Tensor, reentrant: bool) -> Any:
    return again(s.c, s.b(s.a(s.first(x))), reentrant=reentrant)


def twice(s: Any, x: Tensor, reentrant: bool) -> Any:
    return again(s.a, again(s.a, s.first(x), reentrant=reentrant), reentrant=reentrant)


def nested(s: Any, x: Tensor, reentrant: bool) -> Any:
    def outer(y: Tensor) -> Any:
        return s.c(again(s.b, s.a(y), reentrant=reentrant))

    return again(outer, s.first(x), reentrant=reentrant)


def segments(s: Any, x: Tensor, reentrant: bool) -> Any:
    return checkpoint_sequential([s.a, s.b, s.c], 2, s.first(x), use_reentrant=reentrant)


def residual(s: Any, x: Tensor, reentrant: bool) -> Any:
    x = s.first(x)
    for part in (s.a, s.b, s.c):
        x = again(lambda y, part=part: torch.relu(y + part(y)), x, reentrant=reentrant)
    return x


def unused(s: Any, x: Tensor, reentrant: bool) -> Any:
    x = s.first(x)
    again(s.a, x, reentrant=reentrant)
    return s.b(x)


FORWARDS = (chain, early, late, twice, nested, segments, residual, unused)


def net(forward: Any, reentrant: bool) -> nn.Module:
    return Of(partial(forward, reentrant=reentrant), first=nn.Linear(16, 16), a=block(), b=block(), c=block())


def convolutions(reentrant: bool) -> nn.Module:
    first = nn.Conv2d(3, 16, 1)
    return Of(partial(residual, reentrant=reentrant), first=first, a=conv_block(), b=conv_block(), c=conv_block())


def transformer(reentrant: bool) -> nn.Module:
    parts = {name: nn.TransformerEncoderLayer(16, 2, 64, dropout=0.0, batch_first=True) for name in "abc"}
    return Of(partial(chain, reentrant=reentrant), first=nn.Linear(16, 16), **parts)


NETS: dict[str, tuple[Any, tuple[int, ...]]] = {
    **{forward.__name__: (partial(net, forward), (64, 16)) for forward in FORWARDS},
    "convolutions": (convolutions, (4, 3, 12, 12)),
    "transformer": (transformer, (2, 8, 16)),
}
UNCOUNTED = {"transformer": 3 * (2 + 1) * 2 * (2 * 8 * 8 * 16)}
"""torch's counter has no formula for the CPU's attention: 3 blocks, two products, each twice back and once again."""

KINDS = pytest.mark.parametrize("reentrant", [False, True])


def backward_macs(module: nn.Module, image: Tensor) -> int:
    """Multiply-adds of a real backward pass, by torch's counter."""
    with FlopCounterMode(display=False) as counter:
        output = module(image)
        forward = counter.get_total_flops()
        output.sum().backward()
    return (counter.get_total_flops() - forward) // 2


@KINDS
@pytest.mark.parametrize("name", NETS)
@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")
def test_backward_and_saved_bytes_are_those_of_a_real_step(name: str, reentrant: bool) -> None:
    build, shape = NETS[name]
    module, image = build(reentrant).train(), torch.rand(shape)
    report = archcalc.analyze(module, shape, training=True, backward=True)
    assert report.total("saved_bytes") == really_saved(module, image)
    assert report.total("backward_macs") == backward_macs(module, image) + UNCOUNTED.get(name, 0)
    assert any("checkpointed region" in note for note in report.notes)


class Checkpointed(nn.Module):
    """A module of one input whose forward pass runs again."""

    def __init__(self, inner: nn.Module, reentrant: bool) -> None:
        super().__init__()
        self.inner, self.reentrant = inner, reentrant

    def forward(self, x: Tensor) -> Any:
        """Whatever the module gives."""
        return checkpoint(self.inner, x, use_reentrant=self.reentrant)


@KINDS
def test_a_whole_resnet_with_every_block_checkpointed(reentrant: bool) -> None:
    module, image = build("resnet20").train(), torch.rand(2, 3, 32, 32)
    blocks = [(stage, name) for stage in module.children() for name, one in stage.named_children()]
    for stage, name in blocks:
        setattr(stage, name, Checkpointed(getattr(stage, name), reentrant))
    assert len(blocks) == (20 - 2) // 2  # two convolutions each, but for the first and the last layer
    report = archcalc.analyze(module, tuple(image.shape), training=True, backward=True)
    assert report.total("saved_bytes") == really_saved(module, image)
    assert report.total("backward_macs") == backward_macs(module, image)


@KINDS
@pytest.mark.parametrize("name", NETS)
@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")
def test_the_peak_is_that_of_a_real_step(name: str, reentrant: bool) -> None:
    build, shape = NETS[name]
    shape = (16 * shape[0], *shape[1:])
    module, image = build(reentrant).train(), torch.rand(shape)
    measured = cpu_peak(lambda: module(image).sum().backward())
    budget = archcalc.memory(module, shape, optimizer="none")
    ours = budget.training.nbytes - budget.input
    # the backward pass of a convolution lays a gradient of one layer out anew, with checkpoints and without
    workspace = 4 * 64 * 16 * 12 * 12 if name == "convolutions" else 0
    assert abs(ours + workspace - measured) < 0.05 * measured


def test_a_selective_policy_keeps_results_that_are_not_computed_again() -> None:
    policy = partial(create_selective_checkpoint_contexts, [torch.ops.aten.addmm.default])
    module = Of(
        lambda s, x: checkpoint(s.a, s.first(x), use_reentrant=False, context_fn=policy),
        first=nn.Linear(16, 16),
        a=block(),
    )
    image = torch.rand(64, 16)
    report = archcalc.analyze(module, tuple(image.shape), backward=True)
    assert report.total("backward_macs") == backward_macs(module, image)
    # the network's input and the region's, and what the policy caches: the results of the three products
    assert report.total("saved_bytes") == 4 * 64 * (16 + 16 + WIDE + WIDE + 16)


def test_outside_of_the_backward_pass_checkpointing_changes_nothing() -> None:
    shape = (64, 16)
    plain = archcalc.analyze(nn.Sequential(nn.Linear(16, 16), block(), block(), block()), shape)
    assert archcalc.analyze(net(chain, reentrant=False), shape).total("macs") == plain.total("macs")


def test_every_output_says_what_checkpointing_costs() -> None:
    module = net(chain, reentrant=True)
    macs = 3 * 64 * (16 * WIDE + WIDE * WIDE + WIDE * 16)  # three blocks of 64 rows, once each
    note = f"3 checkpointed regions: the backward pass computes {macs:,} mult-adds again"
    assert any(line.startswith(note) for line in archcalc.memory(module, (64, 16)).notes)
    assert any(line.startswith(note) for line in archcalc.analyze(module, (64, 16), backward=True).notes)
    assert note in " ".join(str(archcalc.memory(module, (64, 16))).split())


def test_the_derivation_tells_gradients_from_running_again() -> None:
    report = archcalc.analyze(net(chain, reentrant=True), (64, 16), backward=True)
    macs = 64 * 16 * WIDE
    assert report.rows[1].recomputed_macs == macs
    derivations = [step.derivation for step in of_row(report, report.rows[1])]
    assert f"(2 gradients + 1 more forward) × {macs:,} = {3 * macs:,}" in derivations


def test_torch_has_its_own_checkpoint_back() -> None:
    before = torch.utils.checkpoint.CheckpointFunction, torch.utils.checkpoint._checkpoint_hook
    archcalc.analyze(net(chain, reentrant=True), (64, 16), backward=True)
    assert (torch.utils.checkpoint.CheckpointFunction, torch.utils.checkpoint._checkpoint_hook) == before


class Counted(tuple[TensorSpec, ...]):
    """Inputs of a call that count how often they are gone through."""

    times = 0

    def __iter__(self) -> Iterator[TensorSpec]:
        Counted.times += 1
        return super().__iter__()


class Chain(nn.Module):
    """One checkpointed block behind the other, of the kind that keeps what it gives."""

    def __init__(self, blocks: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([nn.Sequential(nn.Linear(4, 4), nn.ReLU()) for _ in range(blocks)])

    def forward(self, x: Tensor) -> Tensor:
        """N×4 to N×4."""
        for block in self.blocks:
            x = checkpoint(block, x, use_reentrant=True)
        return x


def test_many_regions_grow_in_a_line() -> None:
    def readings_of(blocks: int) -> int:
        recorded = trace(Chain(blocks), (torch.zeros(2, 4, requires_grad=True),), autograd=True)
        Counted.times = 0
        budget(replace(recorded, ops=tuple(replace(op, inputs=Counted(op.inputs)) for op in recorded.ops)))
        return Counted.times

    work = [readings_of(blocks) for blocks in (5, 15, 25)]
    assert work[2] - work[1] < 1.1 * (work[1] - work[0])
