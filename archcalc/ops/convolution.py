"""Convolutions and transposed convolutions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from archcalc.ops.axis import UnknownError, through_transposed_window, through_window
from archcalc.ops.definition import LOWER, Definition, define
from archcalc.ops.field import Axes, SeenInput, of_first
from archcalc.ops.layout import Layout
from archcalc.ops.shapes import axes_of, per_axis, window_positions
from archcalc.values.axis_field import AxisField
from archcalc.values.report import Product, Window
from archcalc.values.trace import Op, Shape, TensorSpec


class Windowed(Definition):
    """A kind whose window slides over the positions of its first input."""

    __slots__ = ()
    mixes_channels: ClassVar[bool] = False

    def field(self, op: Op, seen: list[SeenInput]) -> Axes:
        """Each axis that the window slides along sees what the window reaches."""
        window, first = self.window(), of_first(seen)
        if window is None or len(seen) > 1:
            raise UnknownError  # the weights are computed from the image
        axes = len(window.kernel)
        if len(first.spec.shape) != axes + 2:
            raise UnknownError
        return tuple(
            self._slid(axis, window) if -axes <= axis.dim < 0 else self._unslid(axis, axes) for axis in first.field
        )

    def _unslid(self, axis: AxisField, axes: int) -> AxisField:
        """An axis that the window does not slide along: unchanged in the batch, lost if the channels are mixed."""
        if self.mixes_channels and axis.dim == -axes - 1:
            raise UnknownError
        return axis

    def _slid(self, axis: AxisField, window: Window) -> AxisField:
        dim = axis.dim
        kernel, stride, dilation = window.kernel[dim], window.stride[dim], window.dilation[dim]
        if axis.merged:
            if kernel != 1:
                raise UnknownError
            return axis
        if window.padding == "same":
            padding = dilation * (kernel - 1) // 2
        else:
            padding = 0 if isinstance(window.padding, str) else window.padding[dim]
        return self.through(axis, kernel, stride, padding, dilation)

    def through(self, axis: AxisField, kernel: int, stride: int, padding: int, dilation: int) -> AxisField:
        return through_window(axis, kernel, stride, padding, dilation)


@define("conv1d conv3d")
@dataclass(slots=True, eq=False)
class Convolution(Windowed):
    """Every output element is a sum over one window of the channels in its group."""

    input: TensorSpec
    weight: TensorSpec
    bias: TensorSpec | None = None
    stride: Any = 1
    padding: Any = 0
    dilation: Any = 1
    groups: int = 1

    autocast = LOWER
    mixes_channels = True

    def shape(self) -> Shape | None:
        """B×C×… to B×K×…."""
        axes = axes_of(self.kind)
        steps, pads, gaps = (per_axis(value, axes) for value in (self.stride, self.padding, self.dilation))
        into, weight, bias = self.input.shape, self.weight.shape, self.bias
        if len(into) != axes + 2 or len(weight) != axes + 2 or not (steps and pads and gaps):
            return None
        if self.groups < 1 or into[1] != weight[1] * self.groups or weight[0] % self.groups:
            return None
        if bias is not None and bias.shape != weight[:1]:
            return None
        out = window_positions(into[2:], weight[2:], steps, pads, gaps)
        return out and (into[0], weight[0], *out)

    def window(self) -> Window:
        return _window(self)

    def products(self, out: TensorSpec) -> tuple[Product, ...]:
        """Outputs × (channels of a group × kernel)."""
        return (Product(out.shape, self.weight.shape[1:]),)


@define("conv2d")
class ImageConvolution(Convolution):
    """A convolution of images, which may have their channels last."""

    __slots__ = ()
    layout = Layout.CHANNELS_LAST


@define("conv_transpose1d conv_transpose2d conv_transpose3d")
@dataclass(slots=True, eq=False)
class TransposedConvolution(Windowed):
    """Every input element is spread over one window of the output channels in its group."""

    input: TensorSpec
    weight: TensorSpec
    bias: TensorSpec | None = None
    stride: Any = 1
    padding: Any = 0
    output_padding: Any = 0
    groups: int = 1
    dilation: Any = 1

    autocast = LOWER
    mixes_channels = True
    enlarges = True

    def window(self) -> Window:
        return _window(self)

    def products(self, out: TensorSpec) -> tuple[Product, ...]:
        """Inputs × (output channels of a group × kernel)."""
        return (Product(self.input.shape, self.weight.shape[1:], "inputs"),)

    def through(self, axis: AxisField, kernel: int, stride: int, padding: int, dilation: int) -> AxisField:
        return through_transposed_window(axis, kernel, stride, padding, dilation)


def _window(call: Convolution | TransposedConvolution) -> Window:
    axes = axes_of(call.kind)
    pads = call.padding if isinstance(call.padding, str) else per_axis(call.padding, axes)
    steps, gaps = per_axis(call.stride, axes), per_axis(call.dilation, axes)
    return Window(call.weight.shape[2:], steps or (), pads or (), gaps or (), call.groups)
