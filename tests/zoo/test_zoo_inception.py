"""Inception-v3 and Inception-v4 from inside, against the papers' figures; and the split kernels."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from archcalc.zoo import inception
from tests.support.facts import MACS, V4
from tests.zoo.test_zoo_structure import on_meta, output_shapes, params

# Szegedy 2015, Table 1, as released: what leaves every module.
V3_SHAPES = {
    "stem": (192, 35, 35),
    "Mixed_5b": (256, 35, 35),
    "Mixed_5c": (288, 35, 35),
    "Mixed_5d": (288, 35, 35),
    **{f"Mixed_6{letter}": (768, 17, 17) for letter in "abcde"},
    "Mixed_7a": (1280, 8, 8),
    "Mixed_7b": (2048, 8, 8),
    "Mixed_7c": (2048, 8, 8),
    "average_pool": (2048, 1, 1),
}
# Szegedy 2016, Figures 3 and 9.
V4_SHAPES = {
    "stem": (384, 35, 35),
    **{f"inception_a_{number}": (384, 35, 35) for number in (1, 2, 3, 4)},
    "reduction_a": (1024, 17, 17),
    **{f"inception_b_{number}": (1024, 17, 17) for number in (1, 2, 3, 4, 5, 6, 7)},
    "reduction_b": (1536, 8, 8),
    **{f"inception_c_{number}": (1536, 8, 8) for number in (1, 2, 3)},
    "average_pool": (1536, 1, 1),
}


def convs(module: nn.Module) -> list[nn.Conv2d]:
    return [layer for layer in module.modules() if isinstance(layer, nn.Conv2d)]


@pytest.mark.parametrize(("name", "expected"), [("inception-v3", V3_SHAPES), ("inception-v4", V4_SHAPES)])
def test_modules_and_what_leaves_them(name: str, expected: dict[str, tuple[int, int, int]]) -> None:
    shapes = output_shapes(name)
    assert {path: shapes[path] for path in expected} == expected
    modules = [path for path, _ in on_meta(name).named_children()]
    assert [path for path in modules if path != "auxiliary_head"] == [*expected, "dropout", "flatten", "fc"]


@pytest.mark.parametrize("name", ["inception-v3", "inception-v4"])
def test_every_convolution_is_normalised_and_rectified(name: str) -> None:
    for row in on_meta(name).modules():
        layers = list(row.children())
        for index, layer in enumerate(layers):
            if isinstance(layer, nn.Conv2d):
                assert layer.bias is None
                assert layers[index + 1].num_features == layer.out_channels
                assert isinstance(layers[index + 2], nn.ReLU)


def test_v4_has_small_and_split_kernels_only() -> None:
    kernels = {conv.kernel_size for conv in convs(on_meta("inception-v4"))}
    assert kernels == {(1, 1), (3, 3), (1, 7), (7, 1), (1, 3), (3, 1)}


def test_v4_convolutions_are_those_of_the_figures() -> None:
    found = [
        (conv.kernel_size[0] * conv.kernel_size[1], conv.in_channels, conv.out_channels)
        for conv in convs(on_meta("inception-v4"))
    ]
    assert sorted(found) == sorted(row[1:] for row in V4)


@pytest.mark.parametrize(
    ("label", "kernels"),
    [
        ("Mixed_5b", {(1, 1), (5, 5), (3, 3)}),
        ("Mixed_6a", {(1, 1), (3, 3)}),
        ("Mixed_6b", {(1, 1), (1, 7), (7, 1)}),
        ("Mixed_7a", {(1, 1), (1, 7), (7, 1), (3, 3)}),
        ("Mixed_7b", {(1, 1), (1, 3), (3, 1), (3, 3)}),
    ],
)
def test_v3_kernels_by_kind_of_module(label: str, kernels: set[tuple[int, int]]) -> None:
    assert {conv.kernel_size for conv in convs(on_meta("inception-v3").get_submodule(label))} == kernels


def test_v3_splits_into_seven_channel_widths() -> None:
    net = on_meta("inception-v3")
    widths = [net.get_submodule(f"Mixed_6{letter}.branch2.1x1").out_channels for letter in "bcde"]
    assert widths == [128, 160, 160, 192]


def test_v3_keeps_both_halves_of_its_last_split() -> None:
    shapes = output_shapes("inception-v3")
    for branch in ("branch2", "branch3"):
        assert shapes[f"Mixed_7c.{branch}.concat.branch1"] == shapes[f"Mixed_7c.{branch}.concat.branch2"] == (384, 8, 8)
        assert shapes[f"Mixed_7c.{branch}"] == (768, 8, 8)


def test_v3_runs_its_head_in_training_only() -> None:
    net, images = on_meta("inception-v3", num_classes=5), torch.empty(2, 3, 299, 299, device="meta")
    main, head = net.train()(images)
    assert main.shape == head.shape == (2, 5)
    assert net.eval()(images).shape == (2, 5)
    head_params = (768 + 2) * 128 + (25 * 128 + 2) * 768 + (768 + 1) * 1000
    assert params(on_meta("inception-v3"), "auxiliary_head") == head_params == 27161264 - 23834568


def test_a_figure_that_cannot_be_read_says_so() -> None:
    with pytest.raises(ValueError, match="'3x3 of 64' is no step"):
        inception._row("1x1 32 > 3x3 of 64", 8)


def test_split_kernels_save_a_third_and_five_sevenths() -> None:
    assert MACS["conv1x3-3x1"] * 3 == MACS["conv3x3"] * 2
    assert MACS["conv1x7-7x1"] * 49 == MACS["conv7x7"] * 14


@pytest.mark.parametrize(("name", "field"), [("conv3x3", 3), ("conv1x3-3x1", 3), ("conv1x7-7x1", 7), ("conv7x7", 7)])
def test_split_kernels_see_what_the_square_one_sees(name: str, field: int) -> None:
    net = on_meta(name, channels=1).to_empty(device="cpu")
    for conv in convs(net):
        nn.init.ones_(conv.weight)
    image = torch.zeros(1, 1, 15, 15)
    image[0, 0, 7, 7] = 1.0
    reached = net(image)[0, 0] > 0
    expected = torch.zeros(15, 15, dtype=torch.bool)
    margin = field // 2
    expected[7 - margin : 8 + margin, 7 - margin : 8 + margin] = True
    assert torch.equal(reached, expected)
