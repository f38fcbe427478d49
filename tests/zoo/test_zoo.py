"""Every registered network: it builds, costs what it should, takes its settings and learns."""

from __future__ import annotations

import subprocess
import sys
from importlib import resources
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from archcalc.values.errors import UsageError
from archcalc.values.listing import Architecture
from archcalc.zoo import registry
from archcalc.zoo.lenet import digit_codes
from tests.support.facts import MACS, OUTPUTS, PARAMS, WHOLE

VERY_DEEP = ["resnet1202", "preresnet1001"]
DEEP = [f"{kind}{depth}" for kind in ("resnet", "plain") for depth in (32, 44, 56, 110)]
DEEP += ["preresnet110", "preresnet164", *VERY_DEEP]  # hundreds of small steps, which crawl on a busy machine
CHEAP = {name for name in PARAMS if MACS[name] < 2_000_000_000 and PARAMS[name] < 61_000_000} - set(DEEP)


def on_meta(name: str, batch: int = 2, **settings: int) -> tuple[nn.Module, Tensor]:
    with torch.device("meta"):
        shape = registry.architecture(name).input_shape
        if "in_channels" in settings:
            shape = (settings["in_channels"], *shape[1:])
        return registry.build(name, **settings).eval(), torch.empty(batch, *shape)


def test_facts_and_registry_hold_the_same_names() -> None:
    assert set(registry.names()) == set(PARAMS) == set(MACS)


@pytest.mark.sweep
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.oracle] if name in VERY_DEEP else []) for name in registry.names()]
)
def test_params_output_and_macs(name: str) -> None:
    module, image = on_meta(name, batch=1)
    assert sum(parameter.numel() for parameter in module.parameters()) == PARAMS[name]
    with FlopCounterMode(display=False) as counter:
        output = module(image)
    assert output.shape == (1, *OUTPUTS.get(name, (1000,)))
    assert counter.get_total_flops() == 2 * MACS[name]


@pytest.mark.sweep
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.oracle] if name in VERY_DEEP else []) for name in WHOLE]
)
def test_whole_networks_take_other_classes_and_channels(name: str) -> None:
    classes = 10 if name == "lenet5" else 7
    module, images = on_meta(name, num_classes=classes, in_channels=5)
    assert module(images).shape == (2, classes)


def step_of(name: str) -> tuple[Tensor, dict[str, Tensor], dict[str, nn.Parameter]]:
    """A training step at full width on two images of the real size: the parameters before it, and after it."""
    torch.manual_seed(0)
    module = registry.build(name)
    before = {path: parameter.detach().clone() for path, parameter in module.named_parameters()}
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    outputs = module(torch.randn(2, *registry.architecture(name).input_shape))
    sign = -1 if name == "lenet5" else 1  # its outputs are distances: the smallest is the answer
    loss: Any = sum(
        nn.functional.cross_entropy(sign * output.flatten(1), torch.tensor([1, 2]))
        for output in (outputs if isinstance(outputs, tuple) else (outputs,))
    )
    loss.backward()
    optimizer.step()
    return loss, before, dict(module.named_parameters())


@pytest.mark.sweep
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.oracle] if name not in CHEAP else [])
        for name in registry.names()
        if PARAMS[name]
    ],
)
def test_a_training_step_changes_every_parameter(name: str) -> None:
    loss, before, after = step_of(name)
    assert loss.isfinite()
    for path, parameter in after.items():
        assert parameter.grad is not None, path
        assert parameter.grad.isfinite().all(), path
        assert parameter.isfinite().all(), path
        assert not torch.equal(parameter, before[path]), path


@pytest.mark.sweep
@pytest.mark.parametrize("name", ["lenet5", "lenet5-modern"])
def test_lenet_learns_to_read_its_own_digits(name: str) -> None:
    torch.manual_seed(0)
    module, labels = registry.build(name), torch.arange(10)
    bitmaps = digit_codes().reshape(10, 1, 12, 7)
    images = nn.functional.pad(nn.functional.interpolate(bitmaps, scale_factor=2), (9, 9, 4, 4), value=-1.0)
    optimizer = torch.optim.Adam(module.parameters(), lr=0.003)
    for _ in range(80):
        distances = module(images) if name == "lenet5" else -nn.functional.log_softmax(module(images), dim=1)
        optimizer.zero_grad()
        distances[labels, labels].mean().backward()  # LeCun 1998, equation 8; cross-entropy for the modern form
        optimizer.step()
    assert distances.argmin(dim=1).tolist() == labels.tolist()


def test_the_catalogue_needs_no_torch() -> None:
    code = "import sys; from archcalc.zoo import registry; print(len(registry.catalogue()), 'torch' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert said == [str(len(PARAMS)), "False"]


def test_every_name_is_registered_once() -> None:
    files = [file for file in resources.files("archcalc.zoo").iterdir() if file.name.endswith(".py")]
    decorators = sum(file.read_text(encoding="utf-8").count("\n@register(") for file in files)
    assert decorators == len(registry.catalogue())


@pytest.mark.parametrize("entry", registry.catalogue().values(), ids=registry.names())
def test_entries_are_complete(entry: Architecture) -> None:
    assert 1998 <= entry.year <= 2016
    assert str(entry.year) in entry.source or entry.year == 2013  # NIN: the paper of 2013, models of 2014
    assert entry.summary.endswith(".")
    assert entry.name == entry.name.lower().replace("_", "-")
    assert all(isinstance(size, int) and size > 0 for size in entry.input_shape)
    assert entry.variant_of is None or entry.variant_of in registry.names()
    for protocol, top1, top5 in entry.errors:
        assert " " in protocol
        assert any(isinstance(error, float) and 0 < error < 100 for error in (top1, top5))


def test_underscores_are_hyphens() -> None:
    assert registry.architecture("Inception_Naive") is registry.architecture("inception-naive")


def test_an_unknown_name_offers_the_closest() -> None:
    with pytest.raises(UsageError, match=r"unknown network 'resnet5'.*did you mean .*resnet50"):
        registry.build("resnet5")


def test_an_unknown_setting_offers_the_closest() -> None:
    with pytest.raises(UsageError, match=r"unknown setting of vgg16 'num_class'.*num_classes"):
        registry.build("vgg16", num_class=10)


def test_an_unknown_shortcut_names_the_three() -> None:
    with pytest.raises(UsageError, match=r"resnet34 cannot be built.*shortcut must be A, B or C, not D"):
        registry.build("resnet34", shortcut="D")


def test_lenet5_has_ten_bitmaps_only() -> None:
    with pytest.raises(UsageError, match="num_classes must be 10"):
        registry.build("lenet5", num_classes=11)
