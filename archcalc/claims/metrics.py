"""What can be claimed of a network or a layer: one function a metric, from a row or a report to a value."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from fractions import Fraction
from math import prod
from typing import Any

from archcalc.claims.printed_number import Value
from archcalc.count.fold import gathered
from archcalc.values.errors import unknown
from archcalc.values.report import Report, Row

Metric = Callable[[Report, Row, str], Value]

METRICS: dict[str, Metric] = {}
"""By name: of a report, the row at the claim's place (one row for all where there is none), and the claim's `of`."""


def metric(function: Metric) -> Metric:
    """Register a metric under its function's name."""
    METRICS[function.__name__] = function
    return function


def at(report: Report, place: str) -> Row:
    """The row of that path, one row for a module's calls, or one for the whole network where `place` is "".

    Raises UsageError with the closest paths where nothing ran there.
    """
    if not place:
        return gathered(report, "", list(report.rows))
    inside = rows_at(report, place)
    return inside[0] if len(inside) == 1 else gathered(report, place, inside)


def rows_at(report: Report, place: str) -> list[Row]:
    """The calls of that path or inside that module, or all of them for ""; UsageError where nothing ran."""
    if not place:
        return list(report.rows)
    inside = [row for row in report.rows if row.path == place or row.path.startswith(f"{place}.")]
    if not inside:
        raise unknown(f"place in {report.subject}", place, list(places(report)), "`archcalc table` shows all of them")
    return inside


def places(report: Report) -> dict[str, None]:
    """Every path that a row has or lies in, in forward order."""
    found: dict[str, None] = {}
    for row in report.rows:
        parts = row.path.split(".")
        found.update(dict.fromkeys(".".join(parts[:depth]) for depth in range(1, len(parts) + 1)))
    return found


@metric
def params(report: Report, row: Row, of: str) -> Value:
    """Elements of the parameters that run."""
    return row.params


@metric
def weights(report: Report, row: Row, of: str) -> Value:
    """Parameters without biases and normalisation."""
    return row.weights


@metric
def weights_each(report: Report, row: Row, of: str) -> Value:
    """Weights divided by `of`: what each of two towers holds."""
    return Fraction(row.weights, int(of))


@metric
def weights_together(report: Report, row: Row, of: str) -> Value:
    """Weights of this layer and of the one at `of`, where a table has one row for both."""
    return row.weights + at(report, of).weights


@metric
def macs_together(report: Report, row: Row, of: str) -> Value:
    """Multiply-adds of this layer and of the one at `of`."""
    both = (row.macs, at(report, of).macs)
    return None if None in both else sum(macs or 0 for macs in both)


@metric
def registered_params(report: Report, row: Row, of: str) -> Value:
    """Elements of all parameters of the network, those that do not run included."""
    return report.total("params") + sum(report.uncalled.values())


@metric
def macs(report: Report, row: Row, of: str) -> Value:
    """Multiply-adds of convolutions and matrix products; with `of`, only of calls of that kind."""
    if not of:
        return row.macs
    inside = [each for each in _within(report, row) if each.kind == of]
    return None if any(each.macs is None for each in inside) else sum(each.macs or 0 for each in inside)


@metric
def flops(report: Report, row: Row, of: str) -> Value:
    """Two a multiply-add."""
    return row.flops


@metric
def activations(report: Report, row: Row, of: str) -> Value:
    """Elements put out by what does multiply-adds: a paper's "neurons"."""
    return row.activations


@metric
def depth(report: Report, row: Row, of: str) -> Value:
    """Weight layers on the longest path, to this layer or through the network."""
    return row.depth if row.path else report.depth


@metric
def depth_with_pools(report: Report, row: Row, of: str) -> Value:
    """Depth of the whole network, and the pools that every path passes: those outside of any module."""
    return report.depth + sum(each.free == "pooling" and "." not in each.path for each in report.rows)


@metric
def connections(report: Report, row: Row, of: str) -> Value:
    """LeCun's count: a connection is one use of a weight or of a bias, or one input of a pooling or distance unit."""
    return sum(map(_connections, _within(report, row)))


def _connections(row: Row) -> int:
    outputs = sum(map(prod, row.output_shapes))
    if row.products:
        biases = outputs if any(len(each.shape) == 1 for each in row.parameters) else 0
        return (row.macs or 0) + biases
    if row.free == "pooling" and row.kernel is not None:
        return outputs * prod(row.kernel)
    # a bias that is added by itself; the distance of each input to each code
    return outputs if (row.kind == "add" and row.params) or row.kind == "sub" else 0


@metric
def input_shape(report: Report, row: Row, of: str) -> Value:
    """Shape of the first input without the batch."""
    shape = row.input_shape if row.path else report.input_shapes[0]
    return shape and shape[1:]


@metric
def output_shape(report: Report, row: Row, of: str) -> Value:
    """Shape of the first output without the batch."""
    shape = row.output_shape if row.path else report.output_shapes[0]
    return shape and shape[1:]


@metric
def input_channels(report: Report, row: Row, of: str) -> Value:
    """Channels of the first input: 1 of a grey picture."""
    shape = row.input_shape if row.path else report.input_shapes[0]
    return shape and shape[1]


@metric
def input_elements(report: Report, row: Row, of: str) -> Value:
    """Elements of the first input of one sample."""
    shape = row.input_shape if row.path else report.input_shapes[0]
    return shape and prod(shape[1:])


@metric
def keeps_shape(report: Report, row: Row, of: str) -> Value:
    """Whether what comes out has the shape of what went in."""
    return row.input_shape is not None and row.input_shape == row.output_shape


@metric
def output_elements(report: Report, row: Row, of: str) -> Value:
    """Elements of the first output of one sample."""
    return row.output_shape and prod(row.output_shape[1:])


@metric
def units(report: Report, row: Row, of: str) -> Value:
    """Outputs of a fully connected layer, or channels of a convolution."""
    return row.output_shape and row.output_shape[1]


@metric
def kernel(report: Report, row: Row, of: str) -> Value:
    """Kernel size."""
    return row.kernel


@metric
def stride(report: Report, row: Row, of: str) -> Value:
    """Stride, one number an axis."""
    return row.stride


@metric
def padding(report: Report, row: Row, of: str) -> Value:
    """Padding, one number an axis."""
    return row.padding


@metric
def overlaps(report: Report, row: Row, of: str) -> Value:
    """Whether a window reaches into the next: a kernel larger than the stride."""
    return row.kernel and any(kernel > step for kernel, step in zip(row.kernel, row.stride or (), strict=True))


@metric
def groups(report: Report, row: Row, of: str) -> Value:
    """Groups of channels that do not see each other."""
    return row.groups


@metric
def kind(report: Report, row: Row, of: str) -> Value:
    """What is called, or the class of a module."""
    return row.kind


@metric
def filters(report: Report, row: Row, of: str) -> Value:
    """Filters as papers write them: "96 of 11x11x3", the channels last."""
    weight = next((each.shape for each in row.parameters if len(each.shape) > 2), None)
    if weight is None:
        return None
    return f"{weight[0]} of " + "x".join(map(str, (*weight[2:], weight[1])))


@metric
def as_filters(report: Report, row: Row, of: str) -> Value:
    """A fully connected layer as filters over the maps that were flattened for it: "4096 of 6x6x256"."""
    before = report.rows[: next((at for at, each in enumerate(report.rows) if each.path == row.path), 0)]
    flattened = next((each.input_shape for each in reversed(before) if each.kind == "flatten"), None)
    if row.kind != "linear" or row.input_shape is None or row.output_shape is None or flattened is None:
        return None
    channels, *size = flattened[1:]
    if channels * prod(size) != row.input_shape[1]:
        return None
    return f"{row.output_shape[1]} of " + "x".join(map(str, (*size, channels)))


@metric
def modules(report: Report, row: Row, of: str) -> Value:
    """How many paths match `of`, such as "inception_*" or "conv2_x.*"; a star stays within its part of the path."""
    pattern = of.split(".")
    parts = [path.split(".") for path in places(report)]
    return sum(len(path) == len(pattern) and all(map(fnmatchcase, path, pattern)) for path in parts)


@metric
def kernels(report: Report, row: Row, of: str) -> Value:
    """Every kernel size of the convolutions, smallest first: "1x1 3x3"."""
    return _each(report, row, "kernel")


@metric
def strides(report: Report, row: Row, of: str) -> Value:
    """Every stride of the convolutions, smallest first."""
    return _each(report, row, "stride")


@metric
def receptive_field(report: Report, row: Row, of: str) -> Value:
    """Input pixels that a unit sees, an axis each, or "all"; of the last layer where there is no place."""
    return row.receptive_field


@metric
def backward_macs(report: Report, row: Row, of: str) -> Value:
    """Multiply-adds of the backward pass."""
    return row.backward_macs


@metric
def saved_bytes(report: Report, row: Row, of: str) -> Value:
    """Bytes kept for the backward pass."""
    return row.saved_bytes


@metric
def paddings(report: Report, row: Row, of: str) -> Value:
    """Every padding of the convolutions, smallest first."""
    return _each(report, row, "padding")


@metric
def has_kernel(report: Report, row: Row, of: str) -> Value:
    """Whether any convolution has the kernel size `of`."""
    return of in str(_each(report, row, "kernel")).split()


@metric
def calls(report: Report, row: Row, of: str) -> Value:
    """How many calls there are; with `of`, only of kinds that match it, such as "relu*"."""
    return sum(fnmatchcase(each.kind, of or "*") for each in _within(report, row))


@metric
def weights_per_channel_pair(report: Report, row: Row, of: str) -> Value:
    """Weights for each pair of an input and an output channel: the sum of the kernels' areas."""
    return sum(prod(each.kernel) for each in _within(report, row) if each.products and each.kernel)


def _each(report: Report, row: Row, attribute: str) -> str:
    found: set[Any] = {getattr(each, attribute) for each in _within(report, row) if each.products and each.window}
    return " ".join("x".join(map(str, size)) for size in sorted(found, key=lambda size: (prod(size), size)))


def _within(report: Report, row: Row) -> list[Row]:
    """The single calls that a row stands for."""
    return rows_at(report, row.path)
