"""The arithmetic behind a row, with its numbers in: what a student would write on the board.

Every text is made from the values that were counted with, the row's window, products and parameters, so it cannot
say anything else than the count does. `tests/count/test_explain.py` evaluates what is printed here.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import prod

from archcalc.count.places import rows_at
from archcalc.formats.units import count, percent
from archcalc.values.columns import COLUMNS
from archcalc.values.explanation import Explanation, Step
from archcalc.values.report import Product, Report, Row, Window
from archcalc.values.trace import Parameter, Shape

LARGEST = 5
"""How many layers a whole network's explanation names."""


def explain(report: Report, place: str | None = None) -> Explanation:
    """The derivations for the calls at a place, or for the whole network where it is None.

    Raises UsageError, with the closest paths, where nothing ran at the place.
    """
    if place is None:
        return Explanation(report, None, (), tuple(of_network(report)))
    rows = rows_at(report, place)
    derived = rows if len(rows) == 1 else [row for row in rows if row.params or row.macs != 0 or row.window]
    steps = tuple(step for row in derived for step in of_row(report, row))
    return Explanation(report, place, tuple(rows), steps)


def of_row(report: Report, row: Row) -> list[Step]:
    """How the output size, the params and the multiply-adds of one row come about."""
    steps = [_step(row, "output_shape", text, size) for text, size in _sizes(row)]
    steps.append(_step(row, "params", _params(row), row.params))
    steps.append(_step(row, "macs", _macs(row, report.batch_size), row.macs))
    if row.backward_macs and row.macs and row.products:
        gradients, again = (row.backward_macs - row.recomputed_macs) // row.macs, row.recomputed_macs // row.macs
        times = f"{gradients} gradient{'s' * (gradients != 1)}"
        if again:
            times = f"({times} + {again} more forward)"
        text = f"{times} × {count(row.macs)} = {count(row.backward_macs)}"
        steps.append(_step(row, "backward_macs", text, row.backward_macs))
    return steps + [_step(row, "receptive_field", text, size) for text, size in _field(row)]


def _step(row: Row, key: str, derivation: str, value: int | None) -> Step:
    return Step(row.path, COLUMNS[key].title, derivation, value)


def of_network(report: Report) -> list[Step]:
    """Which layers hold the params, which do the multiply-adds, and of what kind they are."""
    steps = []
    for column in (COLUMNS["params"], COLUMNS["macs"]):
        whole = report.total(column.key)
        layers: dict[str, int] = {}
        kinds: dict[str, int] = {}
        for row in report.rows:
            layers[row.path] = column.value(row) or 0
            kinds[row.kind] = kinds.get(row.kind, 0) + layers[row.path]
        steps.append(Step("", column.title, _shares(layers, whole, "layers"), whole))
        steps.append(Step("", f"{column.title} by kind", _shares(kinds, whole, "kinds"), whole))
    return steps


def _shares(values: dict[str, int], whole: int, noun: str) -> str:
    """The largest parts of a sum, and the sum of the rest."""
    parts = sorted(((value, name) for name, value in values.items() if value), reverse=True)
    if not parts:
        return "0"
    terms = [f"{name} {count(value)} ({percent(value, whole)})" for value, name in parts[:LARGEST]]
    if rest := parts[LARGEST:]:
        terms.append(f"{len(rest)} other {noun} {count(sum(value for value, _ in rest))}")
    return " + ".join(terms) + f" = {count(whole)}"


# ---- output size


def _sizes(row: Row) -> Iterable[tuple[str, int]]:
    """⌊(227 + 2·0 − 11)/4⌋ + 1 = 55, once for both axes where they are the same."""
    if row.window is None or row.input_shape is None or row.output_shape is None or row.kind.startswith("conv_trans"):
        return
    window, axes = row.window, len(row.window.kernel)
    sizes: dict[str, int] = {}
    for axis in range(axes):
        size, out = row.input_shape[axis - axes], row.output_shape[axis - axes]
        sizes[_slide(size, out, window, axis)] = out
    yield from sizes.items()


def _slide(size: int, out: int, window: Window, axis: int) -> str:
    if isinstance(window.padding, str):
        return f'padding "{window.padding}" gives {out}'
    kernel, stride, pad, gap = window.kernel[axis], window.stride[axis], window.padding[axis], window.dilation[axis]
    reach = f"{gap}·({kernel} − 1) − 1" if gap > 1 else str(kernel)
    room = size + 2 * pad - gap * (kernel - 1) - 1
    opened, closed = ("⌈", "⌉") if window.ceil and room % stride and out == -(-room // stride) + 1 else ("⌊", "⌋")
    return f"{opened}({size} + 2·{pad} − {reach})/{stride}{closed} + 1 = {out}"


def _field(row: Row) -> Iterable[tuple[str, int]]:
    """163 + (3 − 1)·16 = 195: what the input's units see, and the window's reach in steps of their distance."""
    window, field, jumps = row.window, row.receptive_field, row.jump
    if window is None or not isinstance(field, tuple) or jumps is None or row.kind.startswith("conv_trans"):
        return
    sizes: dict[str, int] = {}
    for kernel, stride, gap, size, jump in zip(
        window.kernel, window.stride, window.dilation, field, jumps, strict=True
    ):
        step = jump / stride
        reach = gap * (kernel - 1) * step
        if step == int(step) and reach == int(reach):
            dilated = f"·{gap}" if gap > 1 else ""
            sizes[f"{size - int(reach)} + ({kernel} − 1){dilated}·{int(step)} = {size}"] = size
    yield from sizes.items()


# ---- parameters


def _params(row: Row) -> str:
    if not row.parameters:
        return "0" if not row.products or row.kind.endswith("mm") else "0: its weights are counted where they run first"
    weight = row.parameters[0].shape
    biases = [parameter.shape for parameter in row.parameters[1:]]
    if row.products and row.products[0].noun == "outputs" and len(weight) > 1 and biases in ([], [weight[:1]]):
        noun = "filters" if row.window else "units"
        weights = f"{_size(_channels_last(weight[1:]))} weights"
        if biases:
            return f"{weight[0]} {noun} × ({weights} + 1 bias) = {count(row.params)}"
        return f"{weight[0]} {noun} × {weights} = {count(row.params)}"
    parts = [f"{_size(parameter.shape)} {_last_name(parameter)}" for parameter in row.parameters]
    return " + ".join(parts) + (f" = {count(row.params)}" if len(parts) > 1 or len(weight) > 1 else "")


def _last_name(parameter: Parameter) -> str:
    return parameter.name.rpartition(".")[2]


# ---- multiply-adds


def _macs(row: Row, batch_size: int | None) -> str:
    if row.unknown:
        return f"unknown: no formula for {', '.join(row.unknown)}"
    if row.products:
        return " + ".join(_product(product, row, batch_size) for product in row.products) + f" = {count(row.macs or 0)}"
    if row.macs:
        return f"{count(row.macs)}, counted from the torch ops beneath the call"
    return f"0: {row.free}" if row.free else "0"


def _product(product: Product, row: Row, batch_size: int | None) -> str:
    """27×27×256 outputs × 5×5×48, with the batch in front where it is more than 1."""
    units, summed = product.units, product.each
    front = ""
    if batch_size is not None and len(units) > 1:
        front, units = (f"{batch_size} samples × " if batch_size > 1 else ""), units[1:]
    if row.window is not None:
        units, summed = _channels_last(units), _channels_last(summed)
    return f"{front}{_size(units)} {product.noun}" + (f" × {_size(summed)}" if product.each else "")


def _channels_last(shape: Shape) -> Shape:
    """C×H×W as H×W×C, the order in which papers write filters."""
    return (*shape[1:], shape[0])


def _size(shape: Shape) -> str:
    return "×".join(map(str, shape)) if prod(shape) and shape else "1"
