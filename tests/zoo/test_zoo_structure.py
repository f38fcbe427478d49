"""The networks' insides against the papers' tables, as facts.md restates them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import nn

from archcalc.zoo import registry
from archcalc.zoo.building_blocks import response_norm
from archcalc.zoo.lenet import digit_codes
from tests.support.facts import ALEXNET_LAYERS, LENET5_LAYERS, LENET5_MODERN_LAYERS


def on_meta(name: str, **settings: Any) -> nn.Module:
    with torch.device("meta"):
        return registry.build(name, **settings)


def output_shapes(name: str) -> dict[str, tuple[int, ...]]:
    """The output of every module by its path, C×H×W."""
    shapes: dict[str, tuple[int, ...]] = {}
    module = on_meta(name).eval()
    for path, layer in module.named_modules():
        layer.register_forward_hook(lambda _, __, output, path=path: shapes.update({path: tuple(output.shape[1:])}))
    module(torch.empty(1, *registry.architecture(name).input_shape, device="meta"))
    return shapes


def params(module: nn.Module, path: str) -> int:
    return sum(parameter.numel() for parameter in module.get_submodule(path).parameters())


def kinds(module: nn.Module) -> set[type[nn.Module]]:
    return {type(layer) for layer in module.modules()}


@pytest.mark.parametrize(
    ("name", "layers"),
    [("lenet5", LENET5_LAYERS), ("lenet5-modern", LENET5_MODERN_LAYERS), ("alexnet", ALEXNET_LAYERS)],
)
def test_params_layer_by_layer(name: str, layers: dict[str, int]) -> None:
    module = on_meta(name)
    assert {path: params(module, path) for path in layers} == layers


def test_lenet5_shapes() -> None:
    shapes = output_shapes("lenet5")
    assert [shapes[path] for path in "C1 S2 C3 S4 C5 F6 output".split()] == [
        (6, 28, 28),
        (6, 14, 14),
        (16, 10, 10),
        (16, 5, 5),
        (120, 1, 1),
        (84,),
        (10,),
    ]


def test_c3_reads_the_maps_of_table_1() -> None:
    print_ = "012 123 234 345 045 015 0123 1234 2345 0345 0145 0125 0134 1245 0235 012345"
    c3 = registry.build("lenet5").get_submodule("C3")
    silent = torch.zeros(1, 6, 5, 5)
    read = [""] * 16
    for source in range(6):
        loud = silent.clone()
        loud[0, source] = 1.0
        for target in (c3(loud) != c3(silent)).flatten().nonzero():
            read[target] += str(source)
    assert " ".join(read) == print_


def test_c3_has_four_groups() -> None:
    c3 = registry.build("lenet5").get_submodule("C3")
    groups = [params(c3, path) for path, layer in c3.named_children() if isinstance(layer, nn.Conv2d)]
    assert groups == [456, 606, 303, 151]


def test_lenet5_squashes_and_averages() -> None:
    found = kinds(on_meta("lenet5"))
    assert not found & {nn.ReLU, nn.MaxPool2d, nn.Softmax}
    assert {nn.AvgPool2d, nn.Sigmoid} <= found


def test_scaled_tanh_keeps_one() -> None:
    squash = registry.build("lenet5").get_submodule("tanh6")
    torch.testing.assert_close(
        squash(torch.tensor([-1.0, 0.0, 1.0])), torch.tensor([-1.0, 0.0, 1.0]), atol=1e-4, rtol=0
    )


def test_subsampling_averages_scales_shifts_and_squashes() -> None:
    s2 = registry.build("lenet5").get_submodule("S2")
    with torch.no_grad():
        s2.get_parameter("coefficient").fill_(3.0)
        s2.get_parameter("bias").fill_(-1.0)
    image = torch.arange(4.0).reshape(1, 1, 2, 2).expand(1, 6, 2, 2)
    expected = torch.sigmoid(torch.tensor((0 + 1 + 2 + 3) / 4 * 3.0 - 1.0))
    torch.testing.assert_close(s2(image), expected.expand(1, 6, 1, 1))


def test_the_output_is_the_distance_to_the_codes() -> None:
    codes, output = digit_codes(), registry.build("lenet5").get_submodule("output")
    assert codes.shape == (10, 7 * 12)
    assert set(codes.flatten().tolist()) == {-1.0, 1.0}
    differing = (codes[:, None] != codes[None]).sum(dim=2)  # 10×10
    assert (differing.fill_diagonal_(84) > 0).all()
    distances = output(codes)
    assert distances.diagonal().tolist() == [0.0] * 10
    assert distances[0, 1] == 4 * (codes[0] != codes[1]).sum()  # (1 - (-1))² for each differing pixel


def test_alexnet_shapes() -> None:
    shapes = output_shapes("alexnet")
    expected = {
        "conv1": (96, 55, 55),
        "norm1": (96, 55, 55),
        "pool1": (96, 27, 27),
        "conv2": (256, 27, 27),
        "norm2": (256, 27, 27),
        "pool2": (256, 13, 13),
        "conv3": (384, 13, 13),
        "conv4": (384, 13, 13),
        "conv5": (256, 13, 13),
        "pool5": (256, 6, 6),
        "fc6": (4096,),
        "fc7": (4096,),
        "fc8": (1000,),
    }
    assert {path: shapes[path] for path in expected} == expected


def test_alexnet_order() -> None:
    paths = [path for path, _ in on_meta("alexnet").named_children()]
    assert (
        paths
        == (
            "conv1 relu1 norm1 pool1 conv2 relu2 norm2 pool2 conv3 relu3 conv4 relu4 conv5 relu5 pool5 "
            "flatten fc6 relu6 dropout6 fc7 relu7 dropout7 fc8"
        ).split()
    )


def test_response_norm_is_the_papers_formula() -> None:
    k, n, alpha, beta = 2, 5, 1e-4, 0.75  # Krizhevsky 2012, section 3.3
    a = [30.0, -50.0, 70.0, 10.0, 0.0, -90.0, 20.0]
    expected = []
    for i, activity in enumerate(a):
        window = a[max(0, i - n // 2) : min(len(a) - 1, i + n // 2) + 1]
        expected.append(activity / (k + alpha * sum(other**2 for other in window)) ** beta)
    result = response_norm()(torch.tensor(a).reshape(1, -1, 1, 1))
    torch.testing.assert_close(result.flatten(), torch.tensor(expected))


def test_vgg16_shapes() -> None:
    shapes = output_shapes("vgg16")
    expected: dict[str, tuple[int, ...]] = {}
    stages = {1: (64, 2), 2: (128, 2), 3: (256, 3), 4: (512, 3), 5: (512, 3)}
    for stage, (filters, depth) in stages.items():
        size = 224 // 2 ** (stage - 1)
        expected |= {f"conv{stage}_{index}": (filters, size, size) for index in range(1, depth + 1)}
        expected[f"pool{stage}"] = (filters, size // 2, size // 2)
    expected |= {"flatten": (7 * 7 * 512,), "fc6": (4096,), "fc7": (4096,), "fc8": (1000,)}
    labels = ("conv", "pool", "flatten", "fc")
    assert {path: shape for path, shape in shapes.items() if path.startswith(labels)} == expected


def test_vgg16_has_one_kind_of_convolution() -> None:
    convs = [layer for layer in on_meta("vgg16").modules() if isinstance(layer, nn.Conv2d)]
    assert {(conv.kernel_size, conv.stride, conv.padding) for conv in convs} == {((3, 3), (1, 1), (1, 1))}


def test_vgg11_lrn_normalises_after_the_first_relu() -> None:
    paths = [path for path, _ in on_meta("vgg11-lrn").named_children()]
    assert paths[:4] == ["conv1_1", "relu1_1", "norm1_1", "pool1"]


@pytest.mark.parametrize(
    ("name", "depth"),
    [("alexnet", 8), ("vgg11", 11), ("vgg13", 13), ("vgg16-1x1", 16), ("vgg16", 16), ("vgg19", 19)]
    + [(f"{kind}{depth}", depth) for kind, depth in (("plain", 18), ("plain", 34), ("resnet", 18), ("resnet", 34))]
    + [(f"resnet{depth}{form}", depth) for depth in (50, 101, 152) for form in ("", "-v1.5")],
)
def test_names_count_the_weight_layers(name: str, depth: int) -> None:
    layers = dict(on_meta(name).named_modules())
    weighted = [path for path, layer in layers.items() if isinstance(layer, nn.Conv2d | nn.Linear)]
    assert len([path for path in weighted if "projection" not in path]) == depth


def test_nin_shapes() -> None:
    shapes = output_shapes("nin")
    paths = "conv1 pool1 conv2 pool2 conv3 pool3 cccp8".split()
    assert [shapes[path] for path in paths] == [
        (96, 54, 54),
        (96, 27, 27),
        (256, 27, 27),
        (256, 13, 13),
        (384, 13, 13),
        (384, 6, 6),
        (1000, 6, 6),
    ]


def test_nin_ends_in_the_average_of_its_class_maps() -> None:
    net: Any = registry.build("nin-cifar10").eval()
    assert not any(isinstance(layer, nn.Linear) for layer in net.modules())
    images = torch.randn(2, 3, 32, 32)
    maps = net[:-2](images)
    assert maps.shape == (2, 10, 8, 8)
    torch.testing.assert_close(net(images), maps.mean(dim=(2, 3)))


# Szegedy 2014, Table 1: output, filters in the table's order, and as printed params in K and operations in M.
INCEPTION_TABLE = {
    "3a": ((256, 28, 28), (64, 96, 128, 16, 32, 32), 159, 128),
    "3b": ((480, 28, 28), (128, 128, 192, 32, 96, 64), 380, 304),
    "4a": ((512, 14, 14), (192, 96, 208, 16, 48, 64), 364, 73),
    "4b": ((512, 14, 14), (160, 112, 224, 24, 64, 64), 437, 88),
    "4c": ((512, 14, 14), (128, 128, 256, 24, 64, 64), 463, 100),
    "4d": ((528, 14, 14), (112, 144, 288, 32, 64, 64), 580, 119),
    "4e": ((832, 14, 14), (256, 160, 320, 32, 128, 128), 840, 170),
    "5a": ((832, 7, 7), (256, 160, 320, 32, 128, 128), 1072, 54),
    "5b": ((1024, 7, 7), (384, 192, 384, 48, 128, 128), 1388, 71),
}


@pytest.mark.parametrize("label", INCEPTION_TABLE)
def test_inception_modules_are_the_rows_of_the_table(label: str) -> None:
    shape, filters, kilo, mega = INCEPTION_TABLE[label]
    module = on_meta("googlenet").get_submodule(f"inception_{label}")
    assert output_shapes("googlenet")[f"inception_{label}"] == shape
    convs = {path: layer for path, layer in module.named_children() if isinstance(layer, nn.Conv2d)}
    assert list(convs) == "1x1 3x3_reduce 3x3 5x5_reduce 5x5 pool_proj".split()
    assert tuple(conv.out_channels for conv in convs.values()) == filters
    weights = sum(conv.weight.numel() for conv in convs.values())
    # The printed K are 1024, and up to 2% off; 4c's and 5a's are misprints, and so are 5a's operations.
    assert (abs(weights / 1024 / kilo - 1) < 0.02) is (label not in ("4c", "5a"))
    assert (abs(weights * shape[1] * shape[2] / 1e6 - mega) < 1) is (label != "5a")


def test_googlenet_stem_and_heads() -> None:
    shapes = output_shapes("googlenet")
    stem = "conv1 pool1 conv2_reduce conv2 pool2 pool3 pool4 average_pool".split()
    assert [shapes[path] for path in stem] == [
        (64, 112, 112),
        (64, 56, 56),
        (64, 56, 56),
        (192, 56, 56),
        (192, 28, 28),
        (480, 14, 14),
        (832, 7, 7),
        (1024, 1, 1),
    ]
    net = on_meta("googlenet")
    assert (params(net, "head_4a"), params(net, "head_4d")) == (3188840, 3190888)


def test_googlenet_runs_its_heads_in_training_only() -> None:
    net, images = on_meta("googlenet", num_classes=5), torch.empty(2, 3, 224, 224, device="meta")
    main, head_4a, head_4d = net.train()(images)
    assert main.shape == head_4a.shape == head_4d.shape == (2, 5)
    assert net.eval()(images).shape == (2, 5)


@pytest.mark.parametrize(
    ("name", "channels"),
    [
        ("resnet18", (64, 128, 256, 512)),
        ("resnet50", (256, 512, 1024, 2048)),
        ("resnet50-v1.5", (256, 512, 1024, 2048)),
    ],
)
def test_resnet_stages(name: str, channels: tuple[int, ...]) -> None:
    shapes = output_shapes(name)
    assert (shapes["conv1"], shapes["pool1"]) == ((64, 112, 112), (64, 56, 56))
    for stage, size, filters in zip((2, 3, 4, 5), (56, 28, 14, 7), channels, strict=True):
        assert shapes[f"conv{stage}_x"] == (filters, size, size)


def test_where_the_stride_is() -> None:
    for name, strides in (("resnet50", (2, 1)), ("resnet50-v1.5", (1, 2))):
        block: Any = on_meta(name).get_submodule("conv3_x.conv3_1")
        assert tuple(block.get_submodule(path).stride[0] for path in ("conv1", "conv2")) == strides
        assert block.get_submodule("projection.conv").stride == (2, 2)


@pytest.mark.parametrize("depth", [18, 34])
def test_plain_is_resnet_without_shortcuts(depth: int) -> None:
    plain, residual = on_meta(f"plain{depth}"), on_meta(f"resnet{depth}")
    shapes = {path: tensor.shape for path, tensor in residual.state_dict().items() if "projection" not in path}
    assert {path: tensor.shape for path, tensor in plain.state_dict().items()} == shapes


@pytest.mark.parametrize("name", ["residual-block", "residual-bottleneck"])
def test_a_residual_block_of_zeros_is_the_identity(name: str) -> None:
    block, shape = registry.build(name), registry.architecture(name).input_shape
    for layer in block.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.zeros_(layer.weight)
    features = torch.rand(2, *shape)
    torch.testing.assert_close(block(features), features)


def test_two_3x3_at_256_channels_against_the_bottleneck() -> None:
    convs = {
        name: sum(layer.weight.numel() for layer in block.modules() if isinstance(layer, nn.Conv2d))
        for name, block in (
            ("two 3×3", on_meta("residual-block", channels=256)),
            ("bottleneck", on_meta("residual-bottleneck")),
        )
    }
    assert convs == {"two 3×3": 2 * 9 * 256 * 256, "bottleneck": 69632}


@pytest.mark.parametrize("name", ["lenet5", "lenet5-modern", "alexnet", "vgg19", "nin", "nin-cifar10"])
def test_a_chain_never_grows_its_image(name: str) -> None:
    sizes = [shape[1] for path, shape in output_shapes(name).items() if "." not in path and len(shape) == 3]
    assert all(after <= before for before, after in pairwise(sizes))


@pytest.mark.parametrize("name", ["lenet5", "lenet5-modern"])
def test_lenet_never_loses_channels(name: str) -> None:
    counts = [shape[0] for path, shape in output_shapes(name).items() if path and "." not in path and len(shape) == 3]
    assert all(after >= before for before, after in pairwise(counts))
