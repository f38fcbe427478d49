"""Analyses beside other threads, and within contexts of the caller's: nothing wrong, nothing harmed, all restored."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from threading import Event, Thread
from typing import Any

import pytest
import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from archcalc import analyze, memory

MACS = 4 * 8 * 8 * (3 * 3 * 3) + 4 * 10
"""Of one image of 3×8×8 in the network below."""


def network() -> nn.Sequential:
    """A convolution with batch norm, averaged and classified."""
    norm = nn.BatchNorm2d(4)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), norm, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 10)
    )


def test_inference_and_training_in_other_threads_go_on_undisturbed() -> None:
    shared, trained, image = network().eval(), network().train(), torch.rand(1, 3, 8, 8)
    wanted, statistics = shared(image), shared[1].get_buffer("running_mean").clone()
    stop, wrong = Event(), []

    def infer() -> None:
        while not stop.is_set():
            if not torch.equal(shared(image), wanted):
                wrong.append("an output")

    def train() -> None:
        optimizer = torch.optim.SGD(trained.parameters(), 0.01)
        while not stop.is_set():
            optimizer.zero_grad()
            trained(image).sum().backward()
            if any(parameter.grad is None for parameter in trained.parameters()):
                wrong.append("a gradient")
            optimizer.step()

    threads = [Thread(target=work) for work in (infer, infer, train)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(5):
            assert analyze(shared, (1, 3, 8, 8), training=True).total("macs") == MACS
            assert memory(shared, (1, 3, 8, 8)).weights == 4 * sum(value.numel() for value in shared.parameters())
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not wrong
    assert torch.equal(shared[1].get_buffer("running_mean"), statistics)
    assert not shared.training


def test_a_pool_of_threads_analyses_one_module_at_once() -> None:
    shared = network()
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: analyze(shared, (1, 3, 8, 8)).total("macs"), range(16))) == [MACS] * 16


def test_within_asyncio() -> None:
    async def both() -> list[int | None]:
        work = [asyncio.to_thread(lambda: analyze(network(), (1, 3, 8, 8)).total("macs")) for _ in range(2)]
        return [analyze(network(), (1, 3, 8, 8)).total("macs"), *await asyncio.gather(*work)]

    assert asyncio.run(both()) == [MACS] * 3


class Plain(TorchFunctionMode):
    """A mode of the caller's that lets every call through."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return func(*args, **(kwargs or {}))


CONTEXTS: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "device": lambda: torch.device("meta"),
    "function mode": Plain,
}


@pytest.mark.parametrize("name", CONTEXTS)
@pytest.mark.parametrize("backward", [False, True])
def test_within_a_context_of_the_callers(name: str, backward: bool) -> None:
    module = network()
    with CONTEXTS[name]():
        before = torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.is_autocast_enabled("cpu")
        assert analyze(module, (1, 3, 8, 8), backward=backward).total("macs") == MACS
        assert before == (torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.is_autocast_enabled("cpu"))


def test_within_another_default_dtype() -> None:
    torch.set_default_dtype(torch.float64)
    try:
        report = analyze(network(), (1, 3, 8, 8))
        assert (report.total("macs"), torch.get_default_dtype()) == (MACS, torch.float64)
    finally:
        torch.set_default_dtype(torch.float32)
