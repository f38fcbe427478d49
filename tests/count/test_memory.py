"""Memory and the backward pass: against real autograd, torch's counter, and values derived by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

import archcalc
from archcalc.count.memory import largest_batch
from archcalc.sources.load import load
from archcalc.values.budget import Budget, Peak
from archcalc.zoo.registry import architecture, build
from tests.cli.test_cli import rows, run
from tests.oracle.test_oracles import BIG
from tests.trace.test_trace import Of

QUICK = [
    "lenet5",
    "alexnet",
    "googlenet",
    "resnet18",
    "resnet20",
    "nin-cifar10",
    "inception-module",
    "residual-projection",
]
DEEP = ["resnet1202", "preresnet1001", "preresnet164", "preresnet110", "resnet110", "plain110"]
"""Quick on the meta device, these are not."""


def really_saved(net: nn.Module, *inputs: Tensor) -> int:
    """Bytes that autograd keeps, each memory once, those of parameters left out."""
    kept = {parameter.untyped_storage()._cdata: 0 for parameter in net.parameters()}
    storages = []

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        storages.append(storage)
        kept.setdefault(storage._cdata, storage.nbytes())
        return tensor.detach()  # an output that its own graph holds would never be let go

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = net(*inputs)
    del result
    return sum(kept.values())


def marked(name: str, slow: bool) -> Any:
    return pytest.param(name, marks=pytest.mark.oracle if slow else ())


@pytest.mark.sweep
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", [marked(name, name not in QUICK) for name in archcalc.names()])
def test_saved_bytes_are_those_of_real_autograd(name: str, training: bool) -> None:
    image = torch.rand(2, *architecture(name).input_shape)
    report = archcalc.analyze(name, batch_size=2, training=training, backward=True)
    assert report.total("saved_bytes") == really_saved(build(name).train(training), image)


def test_vgg16_saves_what_the_design_says_but_for_a_pool_that_the_paper_has_not() -> None:
    # The design's 73,355,264 bytes are those of a network with an adaptive pool before fc6, as frameworks ship it,
    # which keeps its input of 512×7×7 floats; the dropout masks are those of training.
    saved = archcalc.analyze("vgg16", training=True, backward=True).total("saved_bytes")
    assert saved + 512 * 7 * 7 * 4 == 73_355_264


@pytest.mark.sweep
@pytest.mark.parametrize("name", [marked(name, name in (*DEEP, *BIG)) for name in archcalc.names()])
def test_backward_macs_are_what_torch_counts(name: str) -> None:
    grouped = any(isinstance(m, nn.Conv2d) and m.groups > 1 for m in load(name, {}).module.modules())
    if grouped:
        pytest.skip("torch 2.13 counts the weight gradient of a grouped convolution groups times too high")
    net = load(name, {}).module.to("meta").train()
    image = torch.empty(2, *architecture(name).input_shape, device="meta")
    with FlopCounterMode(display=False) as counter:
        outputs = net(image)
        forward = counter.get_total_flops()
        found = outputs if isinstance(outputs, tuple) else (outputs,)
        if any(out.requires_grad for out in found):
            torch.autograd.backward([out.sum() for out in found])
    report = archcalc.analyze(name, batch_size=2, training=True, backward=True)
    assert 2 * report.total("backward_macs") == counter.get_total_flops() - forward


def test_backward_of_grouped_and_transposed_convolutions_by_hand() -> None:
    # each gradient, of the input and of the weight, has one multiply-add for each of the forward pass
    grouped, transposed = nn.Conv2d(4, 6, 3, groups=2), nn.ConvTranspose2d(6, 4, 2, stride=2)
    report = archcalc.analyze(nn.Sequential(grouped, transposed), (1, 4, 8, 8), backward=True)
    forward = [6 * 6 * 6 * (3 * 3 * 2), 6 * 6 * 6 * (2 * 2 * 4)]
    assert [row.macs for row in report.rows] == forward
    assert [row.backward_macs for row in report.rows] == [forward[0], 2 * forward[1]]  # the image needs none


def test_frozen_weights_need_no_gradient_and_what_lies_before_them_neither() -> None:
    net = nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 6), nn.Linear(6, 7))
    net[0].requires_grad_(False)
    net[2].requires_grad_(False)
    report = archcalc.analyze(net, (1, 4), backward=True)
    assert [row.backward_macs for row in report.rows] == [0, 5 * 6, 6 * 7]


ATTENTION: dict[str, tuple[Callable[[], nn.Module], int]] = {
    # projections T×D by D×D: the first three need no gradient of the input; then scores and values, both factors
    "nn.MultiheadAttention": (
        lambda: Of(lambda s, x: s.a(x, x, x)[0], a=nn.MultiheadAttention(8, 2, batch_first=True)),
        3 * 5 * 8 * 8 + 2 * (2 * 5 * 5 * 8) + 2 * (5 * 8 * 8),
    ),
    "products of activations": (
        lambda: Of(lambda s, x: s.q(x) @ s.q(x).mT, q=nn.Linear(8, 8)),
        2 * 5 * 8 * 8 + 2 * 5 * 5 * 8,
    ),
}


@pytest.mark.parametrize("case", ATTENTION)
def test_backward_of_attention(case: str) -> None:
    build_net, macs = ATTENTION[case]
    assert archcalc.analyze(build_net(), (1, 5, 8), backward=True).total("backward_macs") == macs


# ---- peaks, by hand on small nets


def budget(net: nn.Module, *shape: int, optimizer: str = "sgd") -> Budget:
    return archcalc.memory(net, shape, optimizer=optimizer)


def test_parts_of_a_chain() -> None:
    net = nn.Sequential(nn.Linear(10, 20), nn.ReLU(), nn.Linear(20, 5))
    found = budget(net, 3, 10, optimizer="adam")
    weights = 4 * (10 * 20 + 20 + 20 * 5 + 5)
    assert (found.weights, found.gradients, found.optimizer_state) == (weights, weights, 2 * weights)
    assert found.input == 4 * 3 * 10
    # the input for the first layer's weight; the ReLU's result for itself and for the last layer's weight
    assert found.saved == 4 * 3 * (10 + 20)
    assert found.inference == Peak(4 * 3 * (10 + 20 + 20), "1")  # input, what the ReLU reads and what it gives
    last = 4 * 3 * (10 + 20) + 4 * 3 * (5 + 20) + 4 * (20 * 5 + 5)  # saved, gradients in and out, the weights' own
    first = 4 * 3 * 10 + 4 * 3 * 20 + weights
    assert found.training == Peak(max(last, first), "2" if last >= first else "0")


def test_in_place_calls_and_views_take_no_memory() -> None:
    plain = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.Flatten())
    in_place = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(inplace=True), nn.Flatten())
    image, maps = 4 * 3 * 64, 4 * 4 * 64
    assert budget(plain, 1, 3, 8, 8).inference.nbytes == image + 2 * maps
    assert budget(in_place, 1, 3, 8, 8).inference.nbytes == image + maps


def test_a_shortcut_keeps_its_tensor_alive() -> None:
    net = Of(lambda s, x: s.a(x) + s.c(s.b(s.a(x))), a=nn.Linear(8, 8), b=nn.Linear(8, 64), c=nn.Linear(64, 8))
    # while c runs: the input, the first a, b's result, c's result
    assert budget(net, 1, 8).inference.nbytes == 4 * (8 + 8 + 64 + 8)


def test_weights_and_state_by_optimizer() -> None:
    states = {
        name: archcalc.memory("lenet5", optimizer=name).optimizer_state for name in ("none", "sgd", "momentum", "adam")
    }
    assert states == {"none": 0, "sgd": 0, "momentum": 4 * 60000, "adam": 8 * 60000}
    with pytest.raises(archcalc.UsageError, match="did you mean adam"):
        archcalc.memory("lenet5", optimizer="adm")


@pytest.mark.sweep
@pytest.mark.parametrize("slope", [1, 7, 1000])
@pytest.mark.parametrize("limit", [0, 99, 100, 101, 106, 107, 5000, 123456])
def test_the_largest_batch_is_the_largest(slope: int, limit: int) -> None:
    def total(batch: int) -> int:
        return 100 + slope * batch

    def of_batch(batch: int) -> Any:
        return SimpleNamespace(training_total=total(batch))

    best = max((batch for batch in range(1, 130000 // slope) if total(batch) <= limit), default=0)
    found = largest_batch(limit, of_batch, "training_total")
    assert found == best


def cpu_peak(call: Callable[[], Any]) -> int:
    """The most bytes that the CPU's allocator held at once above where it began, through torch's profiler."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        call()
    assert profiler.profiler is not None
    events = profiler.profiler.kineto_results.events()
    live = highest = 0
    for _, size in sorted((event.start_ns(), event.nbytes()) for event in events if event.name() == "[memory]"):
        live += size
        highest = max(highest, live)
    return highest


@pytest.mark.oracle
@pytest.mark.parametrize("name", ["alexnet", "resnet18", "resnet50", "googlenet", "vgg11"])
def test_the_peak_of_a_training_step_is_the_cpu_allocators(name: str) -> None:
    image = torch.rand(4, *architecture(name).input_shape)
    net = build(name).train()

    def step() -> None:
        outputs = net(image)
        sum(out.sum() for out in (outputs if isinstance(outputs, tuple) else (outputs,))).backward()

    found = archcalc.memory(name, batch_size=4, optimizer="none")
    ours, measured = found.training.nbytes - found.input, cpu_peak(step)
    assert 0.95 * measured < ours <= measured  # what a call allocates and frees again comes on top


# ---- the command line


def test_memory_in_every_format() -> None:
    found = {row["part"]: int(row["bytes"]) for row in rows(run("memory", "vgg16", "-b", "4", "-f", "csv"))}
    assert found["weights"] == 4 * 138357544
    assert json.loads(run("memory", "vgg16", "-b", "4", "-f", "json").stdout)["weights"] == 4 * 138357544
    text = run("memory", "lenet5", "--fits", "1MiB").stdout
    assert "training fits 1MiB up to a batch of" in text
    for line in ("memory lenet5 --fits lots", "memory lenet5 --optimizer magic", "memory lenet"):
        assert run(*line.split()).exit_code == 2


def test_backward_and_roofline_columns_on_the_table() -> None:
    backward = rows(run("table", "alexnet", "--backward", "-f", "csv"))
    assert int(backward[0]["backward_macs"]) == int(backward[0]["macs"])  # the image needs no gradient
    conv2 = next(row for row in backward if row["path"] == "conv2")
    assert int(conv2["backward_macs"]) == 2 * int(conv2["macs"])
    roofline = rows(run(*"table alexnet --peak 1e12 --bandwidth 1e10 -f csv".split()))
    fc6 = next(row for row in roofline if row["path"] == "fc6")
    moved = 4 * (9216 + 37752832 + 4096)
    assert fc6["bound"] == "memory"
    assert float(fc6["least_ms"]) == pytest.approx(1000 * moved / 1e10)
    assert float(fc6["intensity"]) == pytest.approx(2 * 37748736 / moved)
    assert next(row for row in roofline if row["path"] == "conv2")["bound"] == "arithmetic"
    for line in ("--peak 1e12", "--device h9000", "--device h100-bf16 --peak 1", "--peak -1 --bandwidth 1"):
        assert run("table", "alexnet", *line.split()).exit_code == 2


# ---- on a GPU


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("name", ["alexnet", "vgg16", "googlenet", "resnet50"])
def test_the_peak_of_a_training_step_is_the_allocators(name: str) -> None:
    found = archcalc.memory(name, batch_size=16, optimizer="none")
    net = build(name).cuda().train()
    image = torch.rand(16, *architecture(name).input_shape, device="cuda")
    torch.backends.cudnn.benchmark = False
    for _ in range(2):
        net.zero_grad(set_to_none=True)
        torch.cuda.reset_peak_memory_stats()
        outputs = net(image)
        sum(out.sum() for out in (outputs if isinstance(outputs, tuple) else (outputs,))).backward()
    measured = torch.cuda.max_memory_allocated()
    assert found.training_total <= measured * 1.02  # what is not counted, workspace, can only add
    assert measured <= 1.5 * found.training_total
