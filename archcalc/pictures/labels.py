"""What a picture says of one call, in the words of papers: "3×3 conv, 128 /2", "fc 4096", "concat", "+"."""

from __future__ import annotations

from dataclasses import dataclass

from archcalc.formats.safe import one_line
from archcalc.formats.units import count, significant, step
from archcalc.values.report import Report, Row, Window
from archcalc.values.trace import Op, Shape, TensorSpec

ARITHMETIC = {"add": "+", "sub": "−", "mul": "×", "div": "÷"}
JOINS = {"cat": "concat", "concat": "concat", "concatenate": "concat", "stack": "stack"}
PRODUCTS = frozenset("linear bilinear matmul rmatmul bmm mm mv dot addmm addmv addbmm baddbmm einsum".split())
RECURRENT = {"lstm": "LSTM", "gru": "GRU", "rnn_tanh": "RNN", "rnn_relu": "RNN"}
ATTENTION = {"scaled_dot_product_attention": "attention", "multi_head_attention_forward": "multi-head attention"}
NORMS = {
    "batch_norm": ("batch norm", "bn"),
    "layer_norm": ("layer norm", "ln"),
    "group_norm": ("group norm", "gn"),
    "rms_norm": ("RMS norm", "rms norm"),
    "instance_norm": ("instance norm", "instance norm"),
    "local_response_norm": ("local response norm", "lrn"),
}
RESHAPES = frozenset(
    """view reshape flatten unflatten squeeze unsqueeze permute transpose t T mT swapaxes swapdims movedim moveaxis
    expand expand_as repeat tile view_as reshape_as contiguous clone detach to type_as float half bfloat16 double type
    getitem select narrow index_select chunk split split_with_sizes tensor_split unbind positive real pad pixel_shuffle
    pixel_unshuffle repeat_interleave roll flip""".split()
)
FOLLOWS = frozenset("norm activation reshape other".split())
"""The kinds of box that are drawn within the one that they follow, if nothing else reads what they read."""


@dataclass(frozen=True, slots=True)
class Label:
    """The kind of a box, its text, and the shorter text that it is where it is drawn within another box."""

    kind: str
    text: str
    short: str
    elementwise: bool = False


def shape_text(report: Report, shape: Shape) -> str:
    """A shape without the batch: 64×56×56."""
    inner = shape[1:] if report.batch_size is not None else shape
    return "×".join(map(str, inner)) or "scalar"


def label(row: Row, op: Op | None) -> Label:
    """What stands for a call; `op` is the call of the trace, which knows numbers and parameters among its operands."""
    if row.unknown:
        kind = one_line(row.kind)
        return Label("unknown", f"{kind} ?", f"{kind} ?")
    kind = row.kind
    if kind in ARITHMETIC:
        return _arithmetic(row, op)
    if kind in JOINS:
        return _same("join", JOINS[kind])
    if kind.startswith("conv") and row.window is not None:
        return _same("conv", _convolution(row, row.window))
    if "pool" in kind:
        return _same("pool", _pool(row))
    if kind in NORMS:
        return Label("norm", *NORMS[kind])
    if kind == "linear":
        return _same("linear", f"fc {row.output_shape[-1]}" if row.output_shape else "fc")
    if kind in PRODUCTS:
        return _same("linear", kind)
    if kind in ATTENTION:
        return _same("attention", ATTENTION[kind])
    if kind in RECURRENT:
        return _same("recurrent", f"{RECURRENT[kind]} {row.output_shape[-1] if row.output_shape else ''}".strip())
    if kind == "embedding":
        return _same("embedding", f"embedding {row.output_shape[-1] if row.output_shape else ''}".strip())
    if kind in ("interpolate", "upsample"):
        return _same("pool", _resized(row))
    words = "slice" if kind == "getitem" else one_line(kind).replace("_", " ")
    if row.free == "normalisation":
        return _same("norm", words)
    if row.free in ("activation", "dropout"):
        return _same("activation", words)
    return _same("reshape" if kind in RESHAPES else "conv" if kind.startswith("conv") else "other", words)


def _same(kind: str, text: str) -> Label:
    return Label(kind, text, text)


def _arithmetic(row: Row, op: Op | None) -> Label:
    """A sign alone joins two tensors; a number or a parameter is named behind it."""
    sign = ARITHMETIC[row.kind]
    if sum(source.origin in ("call", "input") for source in row.inputs_from) > 1:
        return Label("join", sign, sign, elementwise=True)
    operand = "" if op is None else _operand(op)
    text = f"{sign} {operand}" if operand else {"+": "add", "−": "subtract", "×": "scale", "÷": "divide"}[sign]
    return Label("other", text, text, elementwise=True)


def _operand(op: Op) -> str:
    for argument in op.args:
        if isinstance(argument, TensorSpec) and argument.name and argument.origin in ("parameter", "buffer"):
            return one_line(argument.name.rpartition(".")[2])
        if isinstance(argument, int | float) and not isinstance(argument, bool):
            return count(argument) if isinstance(argument, int) else significant(argument)
    return ""


def _window(sizes: Shape) -> str:
    return "×".join(map(str, sizes)) if len(sizes) > 1 else f"{sizes[0]}-wide"


def _stride(window: Window) -> str:
    if all(size == 1 for size in window.stride):
        return ""
    return f" /{step(window.stride).replace('x', '×')}"


def _convolution(row: Row, window: Window) -> str:
    channels = row.output_shape[-len(window.kernel) - 1] if row.output_shape else 0
    depthwise = window.groups > 1 and window.groups == _input_channels(row, window)
    name = "up-conv" if "transpose" in row.kind else "depthwise conv" if depthwise else "conv"
    text = f"{_window(window.kernel)} {name}, {channels}{_stride(window)}"
    if any(gap > 1 for gap in window.dilation):
        text += f", dilation {step(window.dilation).replace('x', '×')}"
    return text if depthwise or window.groups == 1 else f"{text}, {window.groups} groups"


def _input_channels(row: Row, window: Window) -> int:
    axes = len(window.kernel) + 1
    return row.input_shape[-axes] if row.input_shape and len(row.input_shape) >= axes else 0


def _pool(row: Row) -> str:
    name = "avg pool" if "avg" in row.kind else "max pool" if "max" in row.kind else row.kind.replace("_", " ")
    if row.window is not None:
        return f"{name} {_window(row.window.kernel)}{_stride(row.window)}"
    sizes = (row.output_shape or ())[-_axes(row.kind) :]
    if sizes and all(size == 1 for size in sizes):
        return f"global {name}"
    return f"adaptive {name} {_window(sizes)}" if sizes else name


def _axes(kind: str) -> int:
    return next((axes for axes in (1, 2, 3) if f"{axes}d" in kind), 2)


def _resized(row: Row) -> str:
    """The text "upsample ×2" where the last axis grows by a whole number."""
    before, after = row.input_shape or (0,), row.output_shape or (0,)
    if before[-1] and after[-1] > before[-1] and after[-1] % before[-1] == 0:
        return f"upsample ×{after[-1] // before[-1]}"
    return "resize"
