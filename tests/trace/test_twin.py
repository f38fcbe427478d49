"""What is traced is a twin: the module itself is not touched, not even while another thread runs it."""

from __future__ import annotations

import gc
import random
import weakref
from collections import OrderedDict, deque
from functools import partial
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import archcalc
from archcalc.trace.twin import twin_of
from tests.trace.test_trace import Of


class Cache:
    def __init__(self) -> None:
        self.seen: list[Tensor] = []


def test_a_twin_shares_weights_and_nothing_that_a_forward_may_set() -> None:
    net: Any = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.LSTM(2, 3))
    net.parent, net.bound, net.part = weakref.ref(net[0]), net[0].forward, partial(net[1], 1)
    net.nested, net.queue, net.cache = ([1, [2]], {"a": {3}}), deque([[4]]), Cache()
    net.array, net.drawn, net.dice = np.zeros(2), torch.Generator(), random.Random(0)
    net[0].register_forward_hook(net[1].forward)
    copy, twins = twin_of(net)
    twin: Any = copy
    assert [twins[id(module)] for module in net.modules()] == list(twin.modules())
    assert list(twin.parameters()) == list(net.parameters())  # the very same, as identity is what == falls back on
    assert all(one is other for one, other in zip(twin.parameters(), net.parameters(), strict=True))
    assert all(one is other for one, other in zip(twin.buffers(), net.buffers(), strict=True))
    assert twin.parent() is twin.bound.__self__ is twin[0]
    assert twin.part.func is twin[1]
    assert next(iter(twin[0]._forward_hooks.values())).__self__ is twin[1]
    assert twin[2]._flat_weights[0] is net[2]._flat_weights[0]
    twin.eval()
    twin.nested[0][1].append(0)
    twin.nested[1]["a"].add(0)
    twin.queue[0].append(0)
    twin.cache.seen.append(torch.ones(1))
    twin.array += 1
    twin[2]._flat_weights.clear()
    torch.rand(1, generator=twin.drawn)
    twin.dice.random()
    assert all(module.training for module in net.modules())
    assert (net.nested, net.queue, net.cache.seen) == (([1, [2]], {"a": {3}}), deque([[4]]), [])
    assert not net.array.any()
    assert net[2]._flat_weights
    assert torch.equal(net.drawn.get_state(), torch.Generator().get_state())
    assert net.dice.random() == random.Random(0).random()


class Fields(OrderedDict[str, Any]):
    """A dict whose keys are attributes as well, which its `copy` does not set, as configurations are in libraries."""

    def __init__(self, fields: dict[str, Any] | None = None) -> None:
        super().__init__(fields or {})
        self.__dict__.update(self)


def test_a_container_with_attributes_keeps_them() -> None:
    net: Any = nn.Linear(2, 2)
    net.config = Fields({"widths": [4]})
    twin: Any = twin_of(net)[0]
    assert twin.config.widths is twin.config["widths"]
    twin.config.widths.append(8)
    assert net.config.widths == [4]


def test_buffers_of_its_own_stay_tied() -> None:
    net = nn.Module()
    net.register_buffer("a", tied := torch.zeros(2))
    net.register_buffer("b", tied)
    twin, _ = twin_of(net, own_buffers=True)
    assert twin.a is twin.b is not net.a


def test_a_network_deeper_than_the_stack_has_a_twin() -> None:
    net: nn.Module = nn.Identity()
    for _ in range(3000):
        net = nn.Sequential(net)
    twin, twins = twin_of(net)
    assert type(twin) is nn.Sequential
    assert len(twins) == 3001


def test_nesting_that_the_bare_model_runs_at_is_analyzed() -> None:
    net: nn.Module = nn.Linear(2, 2)
    for _ in range(240):
        net = nn.Sequential(net)
    macs: list[int] = []

    def run() -> None:
        net(torch.ones(1, 2))
        macs.append(archcalc.analyze(net, (1, 2)).total("macs"))

    thread = Thread(target=run)  # on a stack of its own, not on pytest's
    thread.start()
    thread.join()
    assert macs == [2 * 2]


@pytest.mark.filterwarnings("ignore")
def test_a_closure_over_the_module_itself_is_followed_or_refused() -> None:
    inner = nn.Linear(2, 3).eval()
    outer = Of(lambda self, x: inner(x), inner=inner).eval()
    (row,) = archcalc.analyze(outer, (1, 2)).rows
    assert (row.path, row.params, row.macs) == ("inner", 2 * 3 + 3, 2 * 3)
    with pytest.raises(archcalc.ModelError, match=r"reaches the module itself through a closure: call train\(\) on it"):
        archcalc.analyze(outer, (1, 2), training=True)


@pytest.mark.filterwarnings("ignore")
def test_an_empty_container_in_a_closure_has_its_path() -> None:
    inner = nn.Sequential().eval()  # falsy, as it has no length
    outer = Of(lambda self, x: inner(x) + 1, inner=inner).eval()
    (row,) = archcalc.analyze(outer, (1, 2)).rows
    assert (row.path, row.module) == ("add", "")
    assert archcalc.analyze(outer, (1, 2)).modules["inner"].runs == 1


def test_another_thread_may_run_the_module_meanwhile() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.5), nn.Flatten(), nn.Linear(32, 4)
    )
    net.eval()
    x = torch.rand(2, 3, 4, 4)
    with torch.no_grad():
        expected = net(x)
    state = {name: value.clone() for name, value in net.state_dict().items()}
    done, wrong, runs = Event(), [], 0

    def infer() -> None:
        nonlocal runs
        with torch.no_grad():
            while not done.is_set():
                wrong.extend([] if torch.equal(net(x), expected) else [runs])
                runs += 1

    thread = Thread(target=infer)
    thread.start()
    try:
        for _ in range(10):
            archcalc.analyze(net, (2, 3, 4, 4), training=True, backward=True)
            archcalc.memory(net, (2, 3, 4, 4))
    finally:
        done.set()
        thread.join()
    assert runs > 0
    assert wrong == []
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())


SAVES_OUTPUTS = [nn.ReLU(), nn.Sigmoid(), nn.Tanh(), nn.Softmax(-1), nn.GroupNorm(2, 8), nn.LogSoftmax(-1), nn.ELU()]


@pytest.mark.sweep
@pytest.mark.parametrize("function", [archcalc.analyze, archcalc.memory], ids=["analyze", "memory"])
def test_two_hundred_calls_leave_no_tensor_behind(function: Any) -> None:
    net = nn.Sequential(nn.Linear(8, 8), *SAVES_OUTPUTS)
    more = {"backward": True} if function is archcalc.analyze else {}

    def tensors() -> int:
        gc.collect()
        return sum(type(thing) is Tensor for thing in gc.get_objects())

    for _ in range(3):
        function(net, (2, 8), **more)
    before = tensors()
    for _ in range(200):
        function(net, (2, 8), **more)
    assert tensors() <= before


def test_a_model_that_reads_values_keeps_its_buffers_and_shares_its_weights() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        y: Tensor = self.norm(self.conv(x))
        return y * 2 if y.mean() > 0 else y

    net = Of(forward, conv=nn.Conv2d(3, 4, 3), norm=nn.BatchNorm2d(4))
    state = {name: value.clone() for name, value in net.state_dict().items()}
    report = archcalc.analyze(net, (2, 3, 8, 8), training=True, backward=True)
    assert report.total("macs") == 2 * 4 * 6 * 6 * 3 * 3 * 3
    assert report.total("backward_macs") == report.total("macs")  # the input needs no gradient
    assert report.total("saved_bytes") > 0
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())


def test_the_random_states_are_as_before_a_benchmark() -> None:
    class Draws(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) * (random.random() + float(np.random.rand()) + 1)

    net = Draws(2, 2)
    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)
    expected = [random.Random(1).random(), np.random.RandomState(1).rand(), torch.rand(1).item()]
    torch.manual_seed(1)
    archcalc.benchmark(net, inputs=(1, 2), seconds=0.01)
    assert [random.random(), np.random.rand(), torch.rand(1).item()] == expected
