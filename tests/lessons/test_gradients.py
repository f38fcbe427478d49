"""Gradients at the start: chains whose gradients are products worked out by hand, and what must stay as it was."""

from __future__ import annotations

import random
from collections.abc import Sequence
from math import prod, sqrt
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import archcalc
from archcalc.lessons.gradients import OF_THE_LOSS
from archcalc.lessons.start import initialise
from archcalc.values.errors import ArchcalcError
from archcalc.values.gradients import Gradients, Range, deviation


class Chain(nn.Module):
    """Scalars times one weight after the other, `residual` with the identity beside each."""

    def __init__(self, weights: Sequence[float], residual: bool = False) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        self.residual = residual
        for weight in weights:
            layer = nn.Linear(1, 1, bias=False)
            nn.init.constant_(layer.weight, weight)
            self.layers.append(layer)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            y: Tensor = layer(x)
            x = x + y if self.residual else y
        return x


def medians(gradients: Gradients) -> list[float | None]:
    return [None if layer.gradient is None else layer.gradient.median for layer in gradients.layers]


def dead() -> nn.Linear:
    """A layer of which a ReLU lets nothing pass."""
    layer = nn.Linear(2, 2)
    nn.init.zeros_(layer.weight)
    nn.init.constant_(layer.bias, -1.0)
    return layer


def notes(module: nn.Module, inputs: Any = (4, 2)) -> dict[str, str]:
    return {layer.path: layer.note for layer in archcalc.gradients(module, inputs, seeds=2).layers}


@pytest.mark.parametrize("residual", [False, True])
def test_the_gradient_of_a_chain_is_the_product_of_what_follows(residual: bool) -> None:
    weights = [5.0, 0.5, -0.25, 3.0]
    factors = [weight + residual for weight in weights]
    gradients = archcalc.gradients(Chain(weights, residual), (4, 1))
    assert medians(gradients) == pytest.approx([abs(prod(factors[number + 1 :])) for number in range(4)], rel=1e-5)
    assert gradients.last == "layers.3"
    assert [layer.depth for layer in gradients.layers] == [1, 2, 3, 4]


@pytest.mark.parametrize("weight", [0.5, 1.0, 2.0])
def test_the_growth_a_layer_of_equal_weights_is_the_weight(weight: float) -> None:
    growth = archcalc.gradients(Chain([weight] * 6), (4, 1), seeds=2).growth
    assert growth is not None
    assert (growth.low, growth.high) == pytest.approx((weight, weight), rel=1e-5)


def test_relu_lets_half_of_the_squared_gradient_pass() -> None:
    """He 2015b: normal weights of variance 2/n keep the gradient's expected square through n units and a ReLU."""
    torch.manual_seed(0)
    net = nn.Sequential(*(layer for _ in range(4) for layer in (nn.Linear(512, 512), nn.ReLU())), nn.Linear(512, 512))
    of_he, of_half = (
        archcalc.gradients(net, (16, 512), init=init, seeds=2) for init in ("he", f"gaussian:{sqrt(1 / 512):.6f}")
    )
    for gradients, kept in ((of_he, 1.0), (of_half, 2**-0.5)):
        expected = [kept ** (4 - number) for number in range(5)]
        assert medians(gradients) == pytest.approx(expected, rel=0.1)
        assert [layer.zeros and layer.zeros.median for layer in gradients.layers] == pytest.approx(
            [0.5] * 4 + [0], abs=0.05
        )


def test_an_activation_in_place_changes_nothing() -> None:
    def net(inplace: bool) -> nn.Module:
        torch.manual_seed(0)
        norm = nn.BatchNorm2d(4)
        return nn.Sequential(
            nn.Conv2d(3, 4, 3), norm, nn.ReLU(inplace), nn.Conv2d(4, 2, 3), nn.ReLU(inplace), nn.Flatten()
        )

    one, other = (archcalc.gradients(net(inplace), (4, 3, 8, 8)) for inplace in (False, True))
    assert one.layers == other.layers
    first = one.layers[0]
    assert first.zeros is not None
    assert 0 < first.zeros.low < 1


def test_the_statistics_are_those_of_the_activation() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = nn.Linear(2, 2), nn.Linear(2, 2)
            nn.init.zeros_(self.first.weight)
            self.first.bias = nn.Parameter(torch.tensor([3.0, -1.0]))

        def forward(self, x: Tensor) -> Tensor:
            x = self.first(x)
            y: Tensor = self.last(x.relu() + x.tanh())  # another that reads the layer changes nothing
            return y

    first = archcalc.gradients(Net(), (4, 2)).layers[0]
    assert (first.mean, first.spread, first.zeros) == (Range(1.5, 1.5, 1.5), Range(1.5, 1.5, 1.5), Range(0.5, 0.5, 0.5))


def test_layers_without_a_gradient_are_named_with_the_reason() -> None:
    assert notes(nn.Sequential(dead(), nn.ReLU(), nn.Linear(2, 2))) == {"0": "none: all its units are dead", "2": ""}

    norm = nn.BatchNorm1d(2)
    nn.init.zeros_(norm.weight)
    scaled = nn.Sequential(nn.Linear(2, 2), norm, nn.ReLU(), nn.Linear(2, 2))
    assert notes(scaled) == {"0": "none: the scale of the normalisation after it starts at zero", "3": ""}

    class Sideways(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.unused, self.hidden, self.last = nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 2)

        def forward(self, x: Tensor) -> Tensor:
            self.unused(x)
            with torch.no_grad():
                hidden = self.hidden(x)
            return self.last(x + hidden)

    assert notes(Sideways()) == {
        "unused": "none: no loss depends on it",
        "hidden": "not known: it ran where gradients are not followed",
        "last": "",
    }
    hidden = archcalc.gradients(Sideways(), (4, 2)).layers[1]
    assert hidden.gradient is None  # unknown, and not zero
    unknown = "not known: it is no finite number"
    assert notes(Chain([1.0, 0.0, float("inf")]), (4, 1)) == {"layers.0": unknown, "layers.1": unknown, "layers.2": ""}


def test_a_module_that_runs_twice_is_two_layers() -> None:
    tied = Chain([3.0])
    layers = archcalc.gradients(nn.Sequential(tied, tied), (4, 1)).layers
    assert [(layer.path, layer.call, layer.depth) for layer in layers] == [("0.layers.0", 0, 1), ("0.layers.0", 1, 2)]
    assert [layer.gradient and layer.gradient.median for layer in layers] == pytest.approx([3, 1], rel=1e-5)


def test_frozen_weights_get_no_gradient_and_pass_it_on() -> None:
    net = Chain([2.0, 3.0])
    net.layers[0].requires_grad_(False)
    first, last = archcalc.gradients(net, (4, 1)).layers
    assert first.gradient is not None
    assert first.gradient.median == pytest.approx(3, rel=1e-5)
    assert first.weight_gradient is None
    assert last.weight_gradient is not None


def test_weight_gradients_are_those_of_torch() -> None:
    net = Chain([2.0, 3.0])
    layers = archcalc.gradients(net, (1, 1), seeds=1).layers
    first, last = (layer.weight_gradient.median for layer in layers if layer.weight_gradient)
    assert last / first == pytest.approx(2 / 3, rel=1e-5)  # loss = d·w2·w1·x: its slopes are d·w1·x and d·w2·x
    x, d = (torch.randn(1, 1, generator=torch.Generator().manual_seed(seed)).item() for seed in (0, OF_THE_LOSS))
    assert last == pytest.approx(abs(d * 2 * x), rel=1e-5)


def test_a_module_and_the_random_states_come_back_as_they_were() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Dropout(0.5), nn.ReLU(), nn.Linear(2, 2)).eval()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    kinds = [type(module) for module in net.modules()]
    torch.manual_seed(5)
    random.seed(5)
    states = torch.get_rng_state(), random.getstate()
    archcalc.gradients(net, (4, 2), init="he", steps=2, activation="tanh", without_norm=True)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert random.getstate() == states[1]
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert [type(module) for module in net.modules()] == kinds
    assert not any(module.training for module in net.modules())
    assert all(parameter.grad is None and not parameter._backward_hooks for parameter in net.parameters())


def test_the_steps_are_those_of_momentum() -> None:
    """loss = d·w·x with random x and d: g = d·x, so that w moves by 0.01 g1 and then by 0.01 (0.9 g1 + g2)."""
    net = Chain([1.0, 2.0])
    net.layers[0].requires_grad_(False)
    after = archcalc.gradients(net, (1, 1), seeds=1, steps=2).layers[0].gradient_after
    generator = torch.Generator().manual_seed(0)
    _, x1, d1, x2, d2 = (torch.randn(1, 1, generator=generator).item() for _ in range(5))
    g1, g2 = d1 * x1, d2 * x2
    assert after is not None
    assert after.median == pytest.approx(2 - 0.01 * g1 - 0.01 * (0.9 * g1 + g2), rel=1e-5)


def test_a_seed_gives_the_same_numbers_and_they_are_read_back_equal() -> None:
    one, other = (archcalc.gradients("lenet5-modern", seeds=2, steps=1, data=data) for data in ("digits", "digits"))
    assert one == other
    assert Gradients.from_json(one.to_json()) == one
    assert one.layers[0].gradient_after not in (None, one.layers[0].gradient)
    assert "the classes of digits" in one.loss
    fewer = archcalc.gradients("lenet5-modern", seeds=1, steps=1, data="digits").layers[0].gradient
    assert one.layers[0].gradient is not None
    assert fewer is not None
    assert fewer.median in (one.layers[0].gradient.low, one.layers[0].gradient.high)


def test_heads_add_to_the_gradient_unless_only_the_first_output_has_a_loss() -> None:
    class Headed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.trunk, self.head, self.top = nn.Linear(4, 4), nn.Linear(4, 3), nn.Linear(4, 3)

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            trunk = self.trunk(x)
            return self.top(trunk), self.head(trunk)

    both, alone = (archcalc.gradients(Headed(), (4, 4), first_output=alone) for alone in (False, True))
    assert both.loss.endswith("0.3 each, of 1 further head")
    assert [layer.note for layer in both.layers] == ["", "", ""]
    assert [layer.note for layer in alone.layers] == ["", "", "none: no loss depends on it"]


@pytest.mark.parametrize(
    ("init", "spread", "most"),
    [("gaussian:0.02", 0.02, 1.0), ("xavier", sqrt(2 / 600), sqrt(6 / 600)), ("he", sqrt(2 / 400), 1.0)],
)
def test_initialisations_have_the_deviation_of_their_papers(init: str, spread: float, most: float) -> None:
    layer = nn.Linear(400, 200)
    torch.manual_seed(0)
    with torch.no_grad():
        initialise(layer, init)
    assert layer.weight.std().item() == pytest.approx(spread, rel=5 / sqrt(2 * 400 * 200))
    assert layer.weight.abs().max().item() <= most
    assert not layer.bias.any()


def test_a_deviation_is_a_number_above_zero() -> None:
    assert deviation("gaussian:0.01") == deviation("gaussian:1e-2") == 0.01
    assert [deviation(text) for text in ("gaussian:0", "gaussian:", "gaussian:-1", "gaussian:nan", "he")] == [None] * 5


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"init": "hee"}, "unknown initialisation 'hee': did you mean he"),
        ({"activation": "selu"}, "unknown activation"),
        ({"activation": "tanh"}, "none that it could replace"),
        ({"without_norm": True}, "none that it could replace"),
        ({"seeds": 0}, "seeds must be a whole number of at least 1, not 0"),
        ({"steps": -1}, "steps must be"),
        ({"data": "digits"}, "reads one batch of images"),
        ({"init": "gaussian:0.0000000001"}, "unknown initialisation"),
    ],
)
def test_a_request_that_makes_no_sense_is_an_error(how: dict[str, Any], message: str) -> None:
    with pytest.raises(archcalc.UsageError, match=message):
        archcalc.gradients(Chain([1.0, 1.0]), (4, 1), **how)


def test_a_network_that_cannot_be_looked_at_is_an_error() -> None:
    class Raises(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            if not x.is_meta and x.grad_fn is not None:
                raise ValueError("no luck")
            return super().forward(x)

    class Cut(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x).detach()

    with torch.device("meta"):
        without_data = nn.Linear(2, 2)
    wrong: list[tuple[nn.Module, str]] = [
        (nn.ReLU(), "no call that multiplies its input by weights"),
        (without_data, "weights without data"),
        (Raises(2, 2), "fails on real tensors: ValueError: no luck"),
        (Cut(2, 2), "nothing that a gradient can start from"),
        (nn.Sequential(dead(), nn.ReLU()), "no gradient that is a finite number above 0 reaches 0, the last layer"),
    ]
    for module, message in wrong:
        with pytest.raises(ArchcalcError, match=message):
            archcalc.gradients(module, (4, 2))
