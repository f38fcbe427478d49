"""Pooling over windows, and to a given output size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from archcalc.ops.axis import UnknownError, reduced, through_window
from archcalc.ops.convolution import Windowed
from archcalc.ops.definition import Definition, define
from archcalc.ops.field import Axes, SeenInput, of_first
from archcalc.ops.layout import Layout
from archcalc.ops.shapes import axes_of, per_axis, window_positions
from archcalc.values.report import Window
from archcalc.values.trace import Op, Shape, TensorSpec


@dataclass(slots=True, eq=False)
class Pooling(Windowed):
    """Arguments and shape rule that average and max pooling share."""

    input: TensorSpec
    kernel_size: Any
    stride: Any = None
    padding: Any = 0

    zero_cost = "pooling"

    def _pooled(self, dilation: Any, ceil_mode: bool) -> Shape | None:
        axes, shape = axes_of(self.kind), self.input.shape
        kernel, pads, gaps = (per_axis(value, axes) for value in (self.kernel_size, self.padding, dilation))
        steps = kernel if self.stride in (None, ()) else per_axis(self.stride, axes)
        if len(shape) != axes + 2 or not (kernel and steps and pads and gaps):
            return None
        if any(2 * p > k for p, k in zip(pads, kernel, strict=True)):
            return None
        out = window_positions(shape[2:], kernel, steps, pads, gaps, ceil_mode)
        return out and shape[:2] + out

    def _window(self, dilation: Any, ceil_mode: bool) -> Window:
        axes = axes_of(self.kind)
        kernel = per_axis(self.kernel_size, axes) or ()
        steps = kernel if self.stride in (None, ()) else per_axis(self.stride, axes) or ()
        pads, gaps = per_axis(self.padding, axes) or (), per_axis(dilation, axes) or ()
        return Window(kernel, steps, pads, gaps, ceil=ceil_mode)


@define("avg_pool1d avg_pool3d")
@dataclass(slots=True, eq=False)
class AveragePooling(Pooling):
    """The mean over each window."""

    ceil_mode: bool = False
    count_include_pad: bool = True
    divisor_override: int | None = None

    def shape(self) -> Shape | None:
        """None in three dimensions, where torch rejects inputs smaller than the kernel, padded or not."""
        return None if self.kind == "avg_pool3d" else self._pooled(1, self.ceil_mode)

    def window(self) -> Window:
        return self._window(1, self.ceil_mode)


@define("max_pool1d max_pool3d max_pool1d_with_indices max_pool2d_with_indices max_pool3d_with_indices")
@dataclass(slots=True, eq=False)
class MaxPooling(Pooling):
    """The largest value of each window, and where it lies if that is asked for."""

    dilation: Any = 1
    ceil_mode: bool = False
    return_indices: bool = False

    def shape(self) -> Shape | None:
        """The shape of the values; None if indices are returned too."""
        if self.return_indices or self.kind.endswith("indices"):
            return None
        return self._pooled(self.dilation, self.ceil_mode)

    def window(self) -> Window:
        return self._window(self.dilation, self.ceil_mode)


@define("avg_pool2d")
class ImageAveragePooling(AveragePooling):
    """Average pooling of images, which may have their channels last."""

    __slots__ = ()
    layout = Layout.CHANNELS_LAST


@define("max_pool2d")
class ImageMaxPooling(MaxPooling):
    """Max pooling of images, which may have their channels last."""

    __slots__ = ()
    layout = Layout.CHANNELS_LAST


@define("adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d")
@dataclass(slots=True, eq=False)
class AdaptivePooling(Definition):
    """Pooling to an output size."""

    input: TensorSpec
    output_size: Any
    return_indices: bool = False

    def field(self, op: Op, seen: list[SeenInput]) -> Axes:
        """Windows of one size where the output size divides the input size; everything for one output position."""
        first, out = of_first(seen), op.outputs[0].shape
        field = []
        for axis in first.field:
            size, positions = (shape[axis.dim] if axis.dim else 1 for shape in (first.spec.shape, out))
            if size == positions:
                field.append(axis)
            elif positions == 1:
                field.append(reduced(axis, size))
            elif size % positions or axis.merged:
                raise UnknownError  # windows of several sizes
            else:
                field.append(through_window(axis, size // positions, size // positions, 0, 1))
        return tuple(field)


@define("adaptive_avg_pool1d adaptive_avg_pool3d")
class AdaptiveAveragePooling(AdaptivePooling):
    """The mean over windows that divide the input among so many outputs."""

    __slots__ = ()
    zero_cost = "pooling"

    def shape(self) -> Shape | None:
        """B×C×…, with the size asked for."""
        axes = axes_of(self.kind)
        out = per_axis(self.output_size, axes)
        return self.input.shape[:2] + out if out and min(out) > 0 and len(self.input.shape) == axes + 2 else None


@define("adaptive_avg_pool2d")
class ImageAdaptiveAveragePooling(AdaptiveAveragePooling):
    """Adaptive pooling of images, which may have their channels last."""

    __slots__ = ()
    layout = Layout.CHANNELS_LAST
