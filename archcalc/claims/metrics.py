"""What can be claimed of a network or a layer: one function a metric, from a row or a report to a value."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from fractions import Fraction
from functools import partial
from math import prod
from typing import Any

from archcalc.claims.printed_number import Value
from archcalc.count.places import paths, row_at, rows_at
from archcalc.values.columns import COLUMNS, Column, add
from archcalc.values.report import Report, Row
from archcalc.values.trace import Shape

Metric = Callable[[Report, Row, str], Value]

METRICS: dict[str, Metric] = {}
"""By name. Arguments: the report, the row at the claim's place (all calls as one row if it has none), the claim's `of`.

The columns of the table are metrics as well, see `metric_of`.
"""

_CLAIMABLE = ("count", "shape", "step", "text", "window")
"""The units of columns whose values a document can print."""


def metric(function: Metric) -> Metric:
    """Register a metric under its function's name."""
    METRICS[function.__name__] = function
    return function


def metric_of(name: str) -> Metric | None:
    """The metric of that name: a function of METRICS, or a column of the table; None where there is neither."""
    if name in METRICS or name not in COLUMNS or COLUMNS[name].unit not in _CLAIMABLE:
        return METRICS.get(name)
    return partial(_of_column, COLUMNS[name])


def metric_names() -> list[str]:
    """Every name that `metric_of` knows."""
    return [*METRICS, *(key for key in COLUMNS if key not in METRICS and COLUMNS[key].unit in _CLAIMABLE)]


def _of_column(column: Column, report: Report, row: Row, of: str) -> Value:
    """The value of a row, or of the whole network; a shape without the batch."""
    value: Value = column.value(row) if row.path or column.network is None else column.network(report)
    return value[1:] if column.unit == "shape" and isinstance(value, tuple) else value


@metric
def weights_each(report: Report, row: Row, of: str) -> Value:
    """Weights divided by `of`: what each of two towers holds."""
    return Fraction(row.weights, int(of))


@metric
def weights_together(report: Report, row: Row, of: str) -> Value:
    """Weights of this layer and of the one at `of`, where a table has one row for both."""
    return row.weights + row_at(report, of).weights


@metric
def macs_together(report: Report, row: Row, of: str) -> Value:
    """Multiply-adds of this layer and of the one at `of`."""
    both: Value = add((row.macs, row_at(report, of).macs))
    return both


@metric
def registered_params(report: Report, row: Row, of: str) -> Value:
    """Elements of all parameters of the network, those that do not run included."""
    return report.total("params") + sum(report.uncalled.values())


@metric
def macs(report: Report, row: Row, of: str) -> Value:
    """Multiply-adds of convolutions and matrix products; with `of`, only of calls of that kind."""
    macs: Value = row.macs if not of else add(call.macs for call in _within(report, row) if call.kind == of)
    return macs


@metric
def depth_with_pools(report: Report, row: Row, of: str) -> Value:
    """Depth of the whole network, and the pools that every path passes: those outside of any module."""
    return report.depth + sum(call.free == "pooling" and "." not in call.path for call in report.rows)


@metric
def connections(report: Report, row: Row, of: str) -> Value:
    """LeCun's count: a connection is one use of a weight or of a bias, or one input of a pooling or distance unit."""
    return sum(map(_connections, _within(report, row)))


def _connections(row: Row) -> int:
    outputs = sum(map(prod, row.output_shapes))
    if row.products:
        biases = outputs if any(len(parameter.shape) == 1 for parameter in row.parameters) else 0
        return (row.macs or 0) + biases
    if row.free == "pooling" and row.kernel is not None:
        return outputs * prod(row.kernel)
    # a bias that is added by itself; the distance of each input to each code
    return outputs if (row.kind == "add" and row.params) or row.kind == "sub" else 0


@metric
def input_channels(report: Report, row: Row, of: str) -> Value:
    """Channels of the first input: 1 of a grey picture."""
    shape = _input_shape(report, row)
    return shape and shape[1]


@metric
def input_elements(report: Report, row: Row, of: str) -> Value:
    """Elements of the first input of one sample."""
    shape = _input_shape(report, row)
    return shape and prod(shape[1:])


def _input_shape(report: Report, row: Row) -> Shape | None:
    return row.input_shape if row.path else report.input_shapes[0]


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
def overlaps(report: Report, row: Row, of: str) -> Value:
    """Whether a window reaches into the next: a kernel larger than the stride."""
    return row.kernel and any(kernel > step for kernel, step in zip(row.kernel, row.stride or (), strict=True))


@metric
def filters(report: Report, row: Row, of: str) -> Value:
    """Filters as papers write them: "96 of 11x11x3", the channels last."""
    weight = next((parameter.shape for parameter in row.parameters if len(parameter.shape) > 2), None)
    if weight is None:
        return None
    return f"{weight[0]} of " + "x".join(map(str, (*weight[2:], weight[1])))


@metric
def as_filters(report: Report, row: Row, of: str) -> Value:
    """A fully connected layer as filters over the maps that were flattened for it: "4096 of 6x6x256"."""
    before = report.rows[: next((index for index, call in enumerate(report.rows) if call.path == row.path), 0)]
    flattened = next((call.input_shape for call in reversed(before) if call.kind == "flatten"), None)
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
    parts = [path.split(".") for path in paths(report)]
    return sum(len(path) == len(pattern) and all(map(fnmatchcase, path, pattern)) for path in parts)


@metric
def has_kernel(report: Report, row: Row, of: str) -> Value:
    """Whether any convolution has the kernel size `of`."""
    return of in _distinct("kernel", report, row).split()


@metric
def calls(report: Report, row: Row, of: str) -> Value:
    """How many calls there are; with `of`, only of kinds that match it, such as "relu*"."""
    return sum(fnmatchcase(call.kind, of or "*") for call in _within(report, row))


@metric
def weights_per_channel_pair(report: Report, row: Row, of: str) -> Value:
    """Weights for each pair of an input and an output channel: the sum of the kernels' areas."""
    return sum(prod(call.kernel) for call in _within(report, row) if call.products and call.kernel)


def _distinct(attribute: str, report: Report, row: Row, of: str = "") -> str:
    """Every value of kernel, stride or padding among the convolutions, smallest first: "1x1 3x3"."""
    sizes: set[Any] = {getattr(call, attribute) for call in _within(report, row) if call.products and call.window}
    return " ".join("x".join(map(str, size)) for size in sorted(sizes, key=lambda size: (prod(size), size)))


METRICS |= {f"{attribute}s": partial(_distinct, attribute) for attribute in ("kernel", "stride", "padding")}


def _within(report: Report, row: Row) -> list[Row]:
    """The single calls that a row stands for."""
    return rows_at(report, row.path)
