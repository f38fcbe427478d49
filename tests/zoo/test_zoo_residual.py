"""Shortcut options, the nets on CIFAR-10 and pre-activation, from inside."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

import archcalc
from archcalc.zoo import registry
from archcalc.zoo.preresnet import PreResidual
from archcalc.zoo.resnet_blocks import Residual, ZeroPadding, basic, shortcut_row
from tests.support.facts import CIFAR, MACS, PARAMS, PROJECTION_MACS, PROJECTION_PARAMS, bottlenecks, conv
from tests.zoo.test_zoo_structure import on_meta, output_shapes

# Option C adds a projection to every block of resnet34 whose shape stays: three at 64 channels, three, five and two.
SAME_SHAPE = {64: (3, 56), 128: (3, 28), 256: (5, 14), 512: (2, 7)}


def silenced(module: nn.Module) -> nn.Module:
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.zeros_(layer.weight)
    return module


@pytest.mark.parametrize(
    ("option", "params", "macs"),
    [
        ("A", PARAMS["resnet34"] - PROJECTION_PARAMS, MACS["resnet34"] - PROJECTION_MACS),
        ("B", PARAMS["resnet34"], MACS["resnet34"]),
        (
            "C",
            PARAMS["resnet34"] + sum(blocks * (c * c + 2 * c) for c, (blocks, _) in SAME_SHAPE.items()),
            MACS["resnet34"] + sum(blocks * conv(size, 1, c, c) for c, (blocks, size) in SAME_SHAPE.items()),
        ),
    ],
)
def test_resnet34_with_each_shortcut(option: str, params: int, macs: int) -> None:
    report = archcalc.analyze("resnet34", shortcut=option)
    assert (report.total("params"), report.total("macs"), report.depth) == (params, macs, 34)


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "resnet50-v1.5"])
@pytest.mark.parametrize("option", ["A", "C"])
def test_other_resnets_take_a_shortcut_too(name: str, option: str) -> None:
    net = on_meta(name, shortcut=option).eval()
    blocks = [block for block in net.modules() if isinstance(block, Residual)]
    assert net(torch.empty(2, 3, 224, 224, device="meta")).shape == (2, 1000)
    assert all((block.projection is not None) is (option == "C") for block in blocks)


@pytest.mark.parametrize("option", ["", "a", "D", "AB", None, 1])
def test_an_unknown_shortcut_is_an_error(option: Any) -> None:
    with pytest.raises(ValueError, match="shortcut must be A, B or C"):
        shortcut_row(option, 8, 8, 1)


@pytest.mark.parametrize("size", [6, 7])
def test_option_a_subsamples_and_pads_with_zeros(size: int) -> None:
    features = torch.rand(2, 8, size, size)
    block = silenced(basic(8, 16, 2, option="A"))
    expected = torch.zeros(2, 16, (size + 1) // 2, (size + 1) // 2)
    expected[:, :8] = features[:, :, ::2, ::2]
    torch.testing.assert_close(block(features), expected)


def test_option_a_is_the_identity_where_the_shape_stays() -> None:
    block = silenced(basic(8, 8, 1, option="A"))
    features = torch.rand(2, 8, 6, 6)
    torch.testing.assert_close(block(features), features)
    assert not [layer for layer in block.modules() if isinstance(layer, ZeroPadding)]


@pytest.mark.parametrize("depth", [20, 32, 44, 56, 110])
def test_cifar_resnets_weigh_what_their_plain_counterparts_weigh(depth: int) -> None:
    plain, residual = on_meta(f"plain{depth}"), on_meta(f"resnet{depth}")
    shapes = {path: tensor.shape for path, tensor in residual.state_dict().items()}
    assert {path: tensor.shape for path, tensor in plain.state_dict().items()} == shapes


@pytest.mark.parametrize("name", [*CIFAR, "preresnet110", "preresnet164", "preresnet1001"])
def test_names_count_the_weight_layers_on_cifar(name: str) -> None:
    layers = dict(on_meta(name).named_modules())
    weighted = [path for path, layer in layers.items() if isinstance(layer, nn.Conv2d | nn.Linear)]
    depth = int("".join(filter(str.isdigit, name)))
    assert len([path for path in weighted if "projection" not in path]) == depth


@pytest.mark.parametrize(
    ("name", "channels"),
    [
        ("resnet20", (16, 32, 64)),
        ("plain20", (16, 32, 64)),
        ("preresnet110", (16, 32, 64)),
        ("preresnet164", (64, 128, 256)),
    ],
)
def test_cifar_stages(name: str, channels: tuple[int, ...]) -> None:
    shapes = output_shapes(name)
    assert shapes["conv1"] == (16, 32, 32)
    stages = [shapes[f"conv{stage}_x"] for stage in (2, 3, 4)]
    assert stages == [(filters, size, size) for filters, size in zip(channels, (32, 16, 8), strict=True)]
    assert shapes["average_pool"] == (channels[2], 1, 1)


@pytest.mark.parametrize("depth", [20, 32, 44, 56, 110])
def test_cifar_resnets_have_three_stages_of_n_blocks(depth: int) -> None:
    net = on_meta(f"resnet{depth}")
    assert [len(list(net.get_submodule(f"conv{stage}_x").children())) for stage in (2, 3, 4)] == [(depth - 2) // 6] * 3


@pytest.mark.parametrize(
    ("depth", "print_"), [(20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85), (110, 1.7), (1202, 19.4)]
)
def test_cifar_params_round_to_table_6(depth: int, print_: float) -> None:
    assert round(PARAMS[f"resnet{depth}"] / 1e6, 1 if print_ > 1 else 2) == print_


def test_preresnet1001_is_printed_without_its_batch_normalisation() -> None:
    normalisation = 2 * 256 + sum(2 * (inputs + narrow + narrow) for _, inputs, narrow in bottlenecks(111))
    params = (PARAMS["preresnet1001"], PARAMS["preresnet1001"] - normalisation)
    assert [round(each / 1e6, 1) for each in params] == [10.3, 10.2]  # He 2016, Table 4: 10.2M


@pytest.mark.parametrize("name", ["preresnet110", "preresnet164"])
def test_activation_comes_before_every_convolution(name: str) -> None:
    for path, unit in on_meta(name).named_modules():
        if isinstance(unit, PreResidual):
            kinds = [type(layer) for label, layer in unit.named_children() if label[-1].isdigit()]
            assert kinds == [nn.BatchNorm2d, nn.ReLU, nn.Conv2d] * (len(kinds) // 3), path
    labels = [path for path, _ in on_meta(name).named_children()]
    assert labels == "conv1 conv2_x conv3_x conv4_x bn_last relu_last average_pool flatten fc".split()


@pytest.mark.parametrize("name", ["preresnet110", "preresnet164"])
def test_the_identity_path_is_clean(name: str) -> None:
    """With F silent, a whole stage hands on what leaves its first unit, negative values included."""
    for stage in registry.build(name).children():
        if isinstance(stage, nn.Sequential):
            rest: Any = silenced(stage[1:])
            features = torch.randn(2, rest[0].bn1.num_features, 8, 8)
            assert torch.equal(rest(features), features)


def test_the_first_shortcut_and_projections_share_the_activation() -> None:
    for name, shared in (("preresnet110", ["conv2_1"]), ("preresnet164", ["conv2_1", "conv3_1", "conv4_1"])):
        units = [(path, unit) for path, unit in on_meta(name).named_modules() if isinstance(unit, PreResidual)]
        assert [path.rpartition(".")[2] for path, unit in units if unit.shared] == shared


def test_a_shared_activation_is_what_the_shortcut_reads() -> None:
    unit = silenced(registry.build("preresnet110").get_submodule("conv2_x.conv2_1")).eval()
    features = torch.randn(2, 16, 8, 8)
    torch.testing.assert_close(unit(features), features.div((1 + 1e-5) ** 0.5).relu())


def test_preresnet110_pads_what_is_not_activated() -> None:
    unit = silenced(registry.build("preresnet110").get_submodule("conv3_x.conv3_1"))
    features = torch.randn(2, 16, 8, 8)
    expected = torch.cat([features[:, :, ::2, ::2], torch.zeros(2, 16, 4, 4)], dim=1)
    assert torch.equal(unit(features), expected)
