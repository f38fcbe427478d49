"""Claims that are tested by running real tensors through the network, or through one of its layers.

A property takes the names of a network and a place in it and returns whether something holds, or a number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from archcalc.claims.printed_number import Value
from archcalc.claims.starts import STARTS
from archcalc.sources.load import load
from archcalc.values.errors import unknown
from archcalc.zoo import registry
from archcalc.zoo.resnet_blocks import Residual

Property = Callable[[str, str], Value]

PROPERTIES: dict[str, Property] = {}
"""By name: of a network's name and a place in it, which a property may ignore."""


def holds(function: Property) -> Property:
    """Register a property under its function's name."""
    PROPERTIES[function.__name__] = function
    return function


def run(name: str, subject: str, place: str) -> Value:
    """The value of a property, with seeded random tensors; UsageError with the closest names if there is none."""
    if name not in PROPERTIES:
        raise unknown("property", name, PROPERTIES)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        return PROPERTIES[name](subject, place)


def layer(subject: str, place: str) -> nn.Module:
    """One layer of a network with real random weights; the rest of it is never allocated."""
    module = load(subject, {}).module.get_submodule(place).to_empty(device="cpu")
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.01)
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.reset_running_stats()
    return module.eval()


def _image(subject: str, batch: int = 1) -> Tensor:
    return torch.rand(batch, *registry.architecture(subject).input_shape)


@contextmanager
def _watching(layers: Iterable[nn.Module], see: Callable[..., None]) -> Iterator[None]:
    """Within it, `see(layer, inputs, output)` is called for each of the layers when it runs."""
    hooks = [layer.register_forward_hook(see) for layer in layers]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


@holds
def zero_weights_are_the_identity(subject: str, place: str) -> Value:
    """A residual block whose weights and biases are zero returns its input, for any input that is not negative."""
    block = registry.build(subject).eval()
    for parameter in block.parameters():
        parameter.zero_()
    x = _image(subject)
    same: bool = torch.equal(block(x), x)
    return same


@holds
def zero_weights_pass_any_sign(subject: str, place: str) -> Value:
    """A unit without an activation after its addition returns any input when its weights are zero."""
    unit = layer(subject, place)
    for parameter in unit.parameters():
        parameter.zero_()
    norm = unit.get_submodule("bn1")
    assert isinstance(norm, nn.BatchNorm2d)
    x = torch.randn(1, norm.num_features, 8, 8)
    return bool(torch.equal(unit(x), x))


@holds
def maps_read(subject: str, place: str) -> Value:
    """The input maps that each output map of LeNet-5's C3 depends on: "012 123 ...", found by changing each of them."""
    conv = registry.build(subject).eval().get_submodule(place)
    x = torch.rand(1, 6, 14, 14)
    reads = [""] * 16
    for changed in range(6):
        other = x.clone()
        other[0, changed] += 1
        for number in (conv(other) != conv(x)).any(dim=(0, 2, 3)).nonzero().flatten().tolist():
            reads[number] += str(changed)
    return " ".join(reads)


@holds
def dropout_acts_only_while_training(subject: str, place: str) -> Value:
    """Two runs agree in evaluation and differ in training; in evaluation the layer hands on what it gets."""
    drop = layer(subject, place)
    x = torch.rand(1, 4096)
    still = torch.equal(drop(x), x)
    drop.train()
    return still and not torch.equal(drop(x), drop(x))


@holds
def dropout_factor_at_test_time(subject: str, place: str) -> Value:
    """What dropout multiplies its input with in evaluation."""
    return Fraction(layer(subject, place)(torch.ones(1)).item())


@holds
def dropped_share(subject: str, place: str) -> Value:
    """The share of units that dropout leaves out while training, None where a run on ones does not bear it out.

    Of so many draws the share of zeros lies within five standard errors of it.
    """
    drop = layer(subject, place).train()
    assert isinstance(drop, nn.Dropout)
    draws = 100_000
    share = (drop(torch.ones(draws)) == 0).float().mean().item()
    error = 5 * (drop.p * (1 - drop.p) / draws) ** 0.5
    return Fraction(str(drop.p)) if abs(share - drop.p) < error else None


@holds
def dropout_keeps_the_expectation(subject: str, place: str) -> Value:
    """Halving at test time and doubling while training expect the same, up to the factor 2 between the two forms.

    Over many runs on ones the training form averages to its evaluation form, 1, and the paper's to its 0.5, within
    five standard errors: a kept unit is 2 (or 1), a dropped one 0, so one draw deviates by 1 (or 0.5).
    """
    drop = layer(subject, place).train()
    draws = 100_000
    scaled_in_training = drop(torch.ones(draws))
    scaled_at_test = (scaled_in_training > 0).float()
    error = 5 / draws**0.5
    means = scaled_in_training.mean().item(), scaled_at_test.mean().item()
    return bool(abs(means[0] - 1) < error and abs(means[1] - 0.5) < error / 2)


@holds
def normalisation_is_the_papers(subject: str, place: str) -> Value:
    """b_i = a_i / (2 + 1e-4 Σ a_j²)^0.75 with the sum over the five channels around i, Krizhevsky 2012, section 3.3."""
    norm = layer(subject, place)
    a = 30 * torch.rand(1, 96, 2, 2)
    around = F.pad(a.square(), (0, 0, 0, 0, 2, 2)).unfold(1, 5, 1).sum(dim=-1)
    return torch.allclose(norm(a), a / (2 + 1e-4 * around) ** 0.75)


@holds
def normalisation_damps_the_neighbours(subject: str, place: str) -> Value:
    """Beside a strong activation the same value comes out smaller than beside weak ones; far away it does not."""
    norm = layer(subject, place)
    calm = torch.ones(1, 96, 1, 1)
    strong = calm.clone()
    strong[0, 48] = 1000.0
    ratio = (norm(strong) / norm(calm)).flatten()
    near = [46, 47, 49, 50]
    far = [*range(46), *range(51, 96)]
    return bool((ratio[near] < 0.99).all()) and torch.allclose(ratio[far], torch.ones(len(far)))


@holds
def pointwise_convolution_is_linear(subject: str, place: str) -> Value:
    """A 1×1 convolution gives what one linear layer gives at each position."""
    conv = layer(subject, place)
    assert isinstance(conv, nn.Conv2d)
    x = torch.rand(2, conv.in_channels, 6, 6)
    at_each_position = F.linear(x.permute(0, 2, 3, 1), conv.weight.flatten(1), conv.bias).permute(0, 3, 1, 2)
    return conv.kernel_size == (1, 1) and torch.allclose(conv(x), at_each_position, atol=1e-5)


@holds
def linear_is_a_convolution(subject: str, place: str) -> Value:
    """A fully connected layer on C×H×W gives what a convolution with as large a kernel gives."""
    fc = layer(subject, place)
    assert isinstance(fc, nn.Linear)
    x = torch.rand(2, 256, 6, 6)
    as_filters = F.conv2d(x, fc.weight.view(-1, 256, 6, 6), fc.bias)
    return tuple(as_filters.shape[2:]) == (1, 1) and torch.allclose(fc(x.flatten(1)), as_filters.flatten(1), atol=1e-4)


@holds
def nothing_is_negative_after_a_relu(subject: str, place: str) -> Value:
    """Every ReLU of the network puts out values of at least 0, for an image of either sign."""
    net = registry.build(subject).eval()
    least: list[float] = []
    with _watching(_of(nn.ReLU)(net), lambda module, args, out: least.append(out.min().item())):
        net(_image(subject) - 0.5)
    return bool(least) and min(least) >= 0


def _shapes(subject: str, choose: Callable[[nn.Module], Iterable[nn.Module]]) -> list[tuple[Any, Any, Any]]:
    """Every chosen layer that ran, with its input and output shape."""
    net = load(subject, {}).module.to("meta").eval()
    shapes: list[tuple[Any, Any, Any]] = []
    with _watching(choose(net), lambda module, args, out: shapes.append((module, args[0].shape, out.shape))):
        net(torch.empty(1, *registry.architecture(subject).input_shape, device="meta"))
    return shapes


def _of(*kinds: type[nn.Module]) -> Callable[[nn.Module], Iterable[nn.Module]]:
    return lambda net: (child for child in net.modules() if isinstance(child, kinds))


@holds
def size_changes_only_at_pools(subject: str, place: str) -> Value:
    """H and W stay the same in every convolution and halve in every pool."""
    layers = _shapes(subject, _of(nn.Conv2d, nn.MaxPool2d))
    return bool(layers) and all(
        [size // (2 if isinstance(module, nn.MaxPool2d) else 1) for size in taken[2:]] == list(given[2:])
        for module, taken, given in layers
    )


@holds
def size_never_grows_and_channels_never_shrink(subject: str, place: str) -> Value:
    """From layer to layer H and W never grow, and C never shrinks."""
    shapes = [given for _, _, given in _shapes(subject, nn.Module.children) if len(given) == 4]
    return bool(shapes) and all(
        after[1] >= before[1] and after[2] <= before[2] and after[3] <= before[3] for before, after in pairwise(shapes)
    )


@holds
def shortcuts_project_where_the_shape_changes(subject: str, place: str) -> Value:
    """A block's input is added as it is where it has the output's shape, and through a 1×1 projection elsewhere."""
    blocks = _shapes(subject, _of(Residual))
    return bool(blocks) and all((taken == given) is (block.projection is None) for block, taken, given in blocks)


def _separable_conv1(measure: str, subject: str, place: str) -> Value:
    """A 7×7/2 of eight filters a colour and a 1×1 to 64 maps, in the place of the dense 7×7/2; None if it does not fit.

    The reading of GoogLeNet's first row that fits its print: Chollet 2017, section 2, says that Inception's first
    layer was such a one.
    """
    from archcalc.analysis import analysis_of

    convs = (nn.Conv2d(3, 24, 7, stride=2, padding=3, groups=3, bias=False), nn.Conv2d(24, 64, 1, bias=False))
    image = _image(subject)
    if nn.Sequential(*convs)(image).shape != layer(subject, "conv1")(image).shape:
        return None
    return analysis_of(nn.Sequential(*convs), tuple(image.shape)).report.total(measure)


def top_k(probabilities: list[float], k: int) -> set[int]:
    """The classes, from 1, of the k largest probabilities."""
    return {index + 1 for index in torch.tensor(probabilities).topk(k).indices.tolist()}


def top_k_error(probabilities: list[list[float]], targets: list[int], k: int) -> Fraction:
    """The share of samples whose true class, from 1, is not among the k most probable."""
    wrong = sum(target not in top_k(row, k) for row, target in zip(probabilities, targets, strict=True))
    return Fraction(wrong, len(targets))


_FIVE = [0.1, 0.6, 0.05, 0.05, 0.2]


def _top_classes(k: int, subject: str, place: str) -> Value:
    return " ".join(map(str, sorted(top_k(_FIVE, k))))


def _top_five_error(subject: str, place: str) -> Value:
    return top_k_error([_FIVE] * 5, [1, 2, 3, 4, 5], 5)


PROPERTIES["top_1_of_the_five_classes"] = partial(_top_classes, 1)
PROPERTIES["top_2_of_the_five_classes"] = partial(_top_classes, 2)
PROPERTIES["top_5_error_of_five_classes"] = _top_five_error
PROPERTIES["weights_of_a_separable_conv1"] = partial(_separable_conv1, "params")
PROPERTIES["macs_of_a_separable_conv1"] = partial(_separable_conv1, "macs")
PROPERTIES.update(STARTS)
