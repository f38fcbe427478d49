"""The residual block (He 2015, Figures 2 and 5) in its forms, and single blocks to compare.

A block is its residual function F, a row of labelled layers, and a shortcut around it, a row too. Section 3.3 has
three options for the shortcut: A pads with zeros where the shape changes, B projects there, C projects everywhere.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional as F

from archcalc.zoo.building_blocks import Layers, relu, sequence, through
from archcalc.zoo.registry import register

Block = Callable[[int, int, int], nn.Module]  # input channels, output channels, stride


class Residual(nn.Module):
    """y = relu(F(x) + W_s x), He 2015, equation 2; the identity is an empty row."""

    def __init__(self, layers: Layers, shortcut: Layers) -> None:
        super().__init__()
        self.labels, self.shortcut_labels = tuple(layers), tuple(shortcut)
        for label, layer in (layers | shortcut).items():
            self.add_module(label, layer)
        self.projection = shortcut.get("projection")  # None where the shortcut has no parameters
        self.relu = relu()

    def forward(self, x: Tensor) -> Tensor:  # B×C×H×W
        residual = through(self, self.labels, x)  # B×C'×H'×W'
        y: Tensor = self.relu(residual + through(self, self.shortcut_labels, x))
        return y


class ZeroPadding(nn.Module):
    """Option A: the identity on every stride-th position, and zeros in the channels that F adds; no parameters."""

    def __init__(self, added_channels: int, stride: int) -> None:
        super().__init__()
        self.added_channels, self.stride = added_channels, stride

    def forward(self, x: Tensor) -> Tensor:  # B×C×H×W
        kept = x[:, :, :: self.stride, :: self.stride]
        return F.pad(kept, (0, 0, 0, 0, 0, self.added_channels))  # B×(C + added)×H'×W'


def shortcut_row(option: str, in_channels: int, channels: int, stride: int) -> Layers:
    """What a block's shortcut consists of, nothing for the identity.

    Raises ValueError for any option but A, B and C.
    """
    if option not in ("A", "B", "C"):
        raise ValueError(f"shortcut must be A, B or C, not {option}")
    changes = stride != 1 or in_channels != channels
    if option == "A" and changes:
        return {"zero_padding": ZeroPadding(channels - in_channels, stride)}
    if option == "C" or changes:
        conv = nn.Conv2d(in_channels, channels, 1, stride, bias=False)
        return {"projection": sequence({"conv": conv, "bn": nn.BatchNorm2d(channels)})}
    return {}


def conv_bn(number: int, in_channels: int, filters: int, kernel: int, stride: int = 1) -> Layers:
    """A "same" convolution and its batch normalisation, whose shift makes a bias pointless."""
    conv = nn.Conv2d(in_channels, filters, kernel, stride, padding=kernel // 2, bias=False)
    return {f"conv{number}": conv, f"bn{number}": nn.BatchNorm2d(filters)}


def conv_bn_relu(number: int, in_channels: int, filters: int, kernel: int, stride: int = 1) -> Layers:
    """The same, and the ReLU after it."""
    return conv_bn(number, in_channels, filters, kernel, stride) | {f"relu{number}": relu()}


def _basic_layers(in_channels: int, channels: int, stride: int) -> Layers:
    """Figure 5, left: two 3×3 convolutions."""
    return conv_bn_relu(1, in_channels, channels, 3, stride) | conv_bn(2, channels, channels, 3)


def _bottleneck_layers(in_channels: int, channels: int, strides: tuple[int, int]) -> Layers:
    """Figure 5, right: a 1×1 to a quarter of the channels, a 3×3 there, a 1×1 back."""
    return (
        conv_bn_relu(1, in_channels, channels // 4, 1, strides[0])
        | conv_bn_relu(2, channels // 4, channels // 4, 3, strides[1])
        | conv_bn(3, channels // 4, channels, 1)
    )


def plain(in_channels: int, channels: int, stride: int) -> nn.Module:
    """Two 3×3 convolutions and no shortcut."""
    return sequence(_basic_layers(in_channels, channels, stride) | {"relu": relu()})


def basic(in_channels: int, channels: int, stride: int, option: str = "B") -> nn.Module:
    """Two 3×3 convolutions and a shortcut."""
    return Residual(_basic_layers(in_channels, channels, stride), shortcut_row(option, in_channels, channels, stride))


def bottleneck(in_channels: int, channels: int, stride: int, option: str = "B") -> nn.Module:
    """The paper's: the first 1×1 takes the stride."""
    layers = _bottleneck_layers(in_channels, channels, (stride, 1))
    return Residual(layers, shortcut_row(option, in_channels, channels, stride))


def bottleneck_v15(in_channels: int, channels: int, stride: int, option: str = "B") -> nn.Module:
    """The frameworks': the 3×3 takes the stride, so that no position is skipped unseen."""
    layers = _bottleneck_layers(in_channels, channels, (1, stride))
    return Residual(layers, shortcut_row(option, in_channels, channels, stride))


def stage(
    number: int, block: Block, depth: int, in_channels: int, channels: int, stride: int, first: Block | None = None
) -> nn.Sequential:
    """Blocks conv<number>_1 ... conv<number>_<depth>; the first changes the shape, and may be of its own kind."""
    blocks = {f"conv{number}_1": (first or block)(in_channels, channels, stride)}
    for index in range(2, depth + 1):
        blocks[f"conv{number}_{index}"] = block(channels, channels, 1)
    return sequence(blocks)


@register("residual-block", year=2015, source="He 2015, Figure 5, left", input_shape=(64, 56, 56))
def residual_block(channels: int = 64) -> nn.Module:
    """Two 3×3 convolutions and an identity shortcut, on 56×56."""
    return basic(channels, channels, stride=1)


@register(
    "plain-block",
    year=2015,
    source="He 2015, Figure 3, middle",
    input_shape=(64, 56, 56),
    variant_of="residual-block",
)
def plain_block(channels: int = 64) -> nn.Module:
    """The same two convolutions without the shortcut."""
    return plain(channels, channels, stride=1)


@register("residual-bottleneck", year=2015, source="He 2015, Figure 5, right", input_shape=(256, 56, 56))
def residual_bottleneck(channels: int = 256) -> nn.Module:
    """1×1 to a quarter of the channels, 3×3, 1×1 back, and an identity shortcut, on 56×56."""
    return bottleneck(channels, channels, stride=1)


@register(
    "residual-projection",
    year=2015,
    source="He 2015, section 3.3, option B",
    input_shape=(64, 56, 56),
    variant_of="residual-block",
)
def residual_projection(channels: int = 64) -> nn.Module:
    """Halves 56×56 and doubles the channels, so that the shortcut needs a 1×1 projection of stride 2."""
    return basic(channels, 2 * channels, stride=2)
