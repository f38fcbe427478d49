"""A forward that sets `.data`, `.grad` or `requires_grad`: what follows is counted so, and the module keeps its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import archcalc
from tests.trace.test_trace import Of

FC = 2 * 4 * 4  # two rows of 4 through a 4×4 matrix


def widened(self: Any, x: Tensor) -> Tensor:
    self.a.weight.data, self.a.bias.data = torch.ones(8, 4), torch.ones(8)
    assert self.a.weight.shape == (8, 4)
    result: Tensor = self.a(x)
    return result


def other_rows(self: Any, x: Tensor) -> Tensor:
    y = torch.ones(2, 4)
    y.data = torch.ones(5, 4)
    result: Tensor = self.a(y)
    return result


def from_the_input(self: Any, x: Tensor) -> Tensor:
    y = torch.ones(1)
    y.data = self.a(x).data
    return y @ y.mT


def kept_graph(self: Any, x: Tensor) -> Tensor:
    y = self.a(x)
    y.data = torch.ones(2, 4)
    result: Tensor = self.a(y)
    return result


def frozen(self: Any, x: Tensor) -> Tensor:
    self.a.weight.requires_grad_(False)
    self.a.bias.requires_grad = False
    assert not self.a.weight.requires_grad
    result: Tensor = self.b(self.a(x))
    return result


def taken_over(self: Any, x: Tensor) -> Tensor:
    y = torch.empty(0)
    y.set_(self.a(x).detach())
    result: Tensor = self.a(y)
    return result


@pytest.mark.parametrize(
    ("forward", "macs", "backward_macs"),
    [
        (widened, 2 * FC, 2 * FC),  # the weight's gradient
        (other_rows, 5 * 4 * 4, 5 * 4 * 4),
        (from_the_input, FC + 2 * 2 * 4, 0),
        (kept_graph, 2 * FC, 3 * FC),  # the gradient goes on to what made the tensor
        (frozen, 2 * FC, FC),  # the second weight's alone
        (taken_over, 2 * FC, FC),
    ],
)
def test_what_is_set_is_what_runs(forward: Callable[..., Any], macs: int, backward_macs: int) -> None:
    layer = nn.Linear(4, 4)
    net = Of(forward, a=layer, b=nn.Linear(4, 4))
    report = archcalc.analyze(net, (2, 4), training=True, backward=True)
    assert (report.macs, report.total("backward_macs")) == (macs, backward_macs)
    assert archcalc.analyze(net, (2, 4)).macs == macs
    assert layer.weight.shape == (4, 4)
    assert layer.weight.requires_grad
    assert layer.bias.requires_grad


def learns(self: Any, x: Tensor) -> Any:
    with torch.enable_grad():
        optimiser = torch.optim.SGD(self.a.parameters(), 0.1)
        self.a(x).square().sum().backward()
        optimiser.step()
        optimiser.zero_grad()
    return self.a(x)


def reads_and_learns(self: Any, x: Tensor) -> Any:
    return learns(self, x) if self.a(x).sum().item() > -1000 else x


def reads_and_writes(self: Any, x: Tensor) -> Any:
    if self.a(x).sum().item() > -1000:
        with torch.no_grad():
            self.a.weight.mul_(0.5)
        self.a.bias.data.zero_()
    return self.a(x)


@pytest.mark.parametrize(
    ("forward", "macs", "backward_macs"),
    [
        (learns, 3 * FC, FC),  # forward, the weight's gradient, forward again; the last has a gradient outside
        (reads_and_learns, 4 * FC, FC),
        (reads_and_writes, 2 * FC, FC),
    ],
)
def test_a_forward_that_learns_leaves_the_weights(forward: Callable[..., Any], macs: int, backward_macs: int) -> None:
    net = Of(forward, a=nn.Linear(4, 4))
    before = [parameter.clone() for parameter in net.parameters()]
    report = archcalc.analyze(net, (2, 4), training=True, backward=True)
    assert (report.macs, report.total("backward_macs")) == (macs, backward_macs)
    assert archcalc.analyze(net, (2, 4)).macs == macs
    assert all(parameter.grad is None for parameter in net.parameters())
    assert all(map(torch.equal, net.parameters(), before))


def test_hooks_and_gradients_of_a_forward_are_its_own() -> None:
    def forward(self: Any, x: Tensor) -> Any:
        self.a.weight.register_hook(lambda gradient: gradient)
        self.a.weight.register_post_accumulate_grad_hook(lambda parameter: None)
        del self.a.weight.grad
        self.a.bias.grad = torch.ones(4)
        self.a.weight[0].data.zero_()
        return self.a(x) if self.a(x).sum().item() > -1000 else x

    layer = nn.Linear(4, 4)
    net = Of(forward, a=layer)
    layer.weight.grad = torch.ones(4, 4)
    before = layer.weight.detach().clone()
    archcalc.analyze(net, (2, 4))
    assert layer.weight._backward_hooks is None
    assert layer.bias.grad is None
    assert layer.weight.grad.sum().item() == 16
    assert torch.equal(layer.weight, before)


def test_buffers_keep_their_data_and_their_mode() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        self.n.data = torch.ones(4)
        self.m.requires_grad_()
        return self.a(x) + self.n + self.m

    net: Any = Of(forward, a=nn.Linear(4, 4))
    net.register_buffer("n", torch.zeros(4))
    net.register_buffer("m", torch.zeros(4))
    archcalc.analyze(net, (2, 4))
    assert (net.n.tolist(), net.m.requires_grad) == ([0, 0, 0, 0], False)
