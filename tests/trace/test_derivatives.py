"""Derivatives that a forward takes itself: every product of them is counted, or the count is a marked lower bound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.autograd.forward_ad as forward_ad
from torch import Tensor, nn
from torch.func import functional_call, grad, hessian, jacfwd, jacrev, jvp, vjp
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

import archcalc
from tests.trace.test_trace import Of


class Counted(TorchDispatchMode):
    """Multiply-adds of what really runs, by torch's registry."""

    macs = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        formula = flop_registry.get(func._overloadpacket)
        self.macs += formula(*args, **(kwargs or {}), out_val=result) // 2 if formula else 0
        return result


def loss(self: Any, x: Tensor) -> Tensor:
    y: Tensor = self.a(x).tanh().square().sum()
    return y


def pulled_back(self: Any, x: Tensor) -> Tensor:
    y, back, *_ = vjp(self.a, x)
    gradient: Tensor = back(y)[0]
    return gradient


def dual(self: Any, x: Tensor) -> Any:
    with forward_ad.dual_level():
        return forward_ad.unpack_dual(self.a(forward_ad.make_dual(x, torch.ones_like(x)))).tangent


def gradient_step(self: Any, x: Tensor) -> Any:
    own = dict(self.a.named_parameters())
    gradients = grad(lambda weights: functional_call(self.a, weights, (x,)).sum())(own)
    return functional_call(self.a, {name: own[name] - gradients[name] for name in own}, (x,))


def penalty(self: Any, x: Tensor) -> Tensor:
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(loss(self, x), x, create_graph=True)
        return gradient.norm()


def jacobian(self: Any, x: Tensor) -> Any:
    with torch.enable_grad():
        return torch.autograd.functional.jacobian(self.a, x)


FORWARDS: list[Callable[[Any, Tensor], Any]] = [
    lambda self, x: jvp(self.a, (x,), (torch.ones_like(x),))[1],
    pulled_back,
    lambda self, x: grad(lambda x: loss(self, x))(x),
    lambda self, x: jacrev(self.a)(x),
    lambda self, x: jacfwd(self.a)(x),
    lambda self, x: hessian(lambda x: loss(self, x))(x),
    lambda self, x: torch.vmap(grad(lambda x: loss(self, x)))(x),
    gradient_step,
    dual,
    penalty,
    jacobian,
]


@pytest.mark.parametrize("forward", FORWARDS)
def test_products_of_derivatives_are_counted(forward: Callable[..., Any]) -> None:
    net, x = Of(forward, a=nn.Linear(4, 4)), torch.rand(2, 4)
    with torch.no_grad(), Counted() as counted:
        net(x)
    report = archcalc.analyze(net, x)
    assert (report.macs, report.complete) == (counted.macs, True)
    assert counted.macs >= 2 * (2 * 4 * 4)  # the layer, and a derivative


@pytest.mark.parametrize(
    ("forward", "macs"),
    [
        (lambda self, x: torch.vmap(self.a)(x), 6 * 4 * 4),
        # and both factors' gradients of three products
        (lambda self, x: torch.vmap(lambda y: y @ y.mT)(self.a(x)), 6 * 4 * 4 + 2 * 3 * 2 * 2 * 4),
    ],
)
def test_gradients_under_vmap_are_counted(forward: Callable[..., Any], macs: int) -> None:
    report = archcalc.analyze(Of(forward, a=nn.Linear(4, 4)), (3, 2, 4), training=True, backward=True)
    assert report.total("backward_macs") == macs


def test_a_subclass_of_tensors_has_gradients() -> None:
    class Own(torch.Tensor):
        pass

    net = Of(lambda self, x: self.a(self.a(x.as_subclass(Own))), a=nn.Linear(4, 4))
    # the weight's of both runs, and the input's of the second
    assert archcalc.analyze(net, (2, 4), training=True, backward=True).total("backward_macs") == 3 * 2 * 4 * 4


def test_what_torch_func_keeps_is_said_to_be_unseen() -> None:
    net = Of(lambda self, x: self.a(grad(lambda x: loss(self, x))(x)), a=nn.Linear(4, 4))
    report = archcalc.analyze(net, (2, 4), training=True, backward=True)
    assert report.macs == 3 * (2 * 4 * 4)
    assert any("saved bytes are a lower bound" in note for note in report.notes)
    hooks = torch._C._autograd._top_saved_tensors_default_hooks(False)
    assert hooks is None


def test_the_backward_pass_of_what_carries_a_derivative_is_a_bound() -> None:
    report = archcalc.analyze(Of(dual, a=nn.Linear(4, 4)), (2, 4), training=True, backward=True)
    assert any("linear costs in the backward pass is not known" in note for note in report.notes)
