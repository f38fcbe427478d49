"""Receptive fields through every kind of call; `axis` has the arithmetic, `positions` what only moves positions.

A network's first input is read as batch, channels, positions. The statistics that a normalisation takes over positions
are not followed. Through a call that is not known here the field is unknown from there on, never guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from archcalc.count.axis import UnknownError, enlarged, everywhere, met, slid, spread
from archcalc.count.rearrange import RULES, Axes, Tracked, aligned, from_back, given, of_first, rule
from archcalc.values.axis_field import Axis
from archcalc.values.report import Window
from archcalc.values.trace import Op, TensorSpec

Field = Axes | None
"""One Axis for each spatial axis of the input; None where it is not known any more, empty for a constant."""

_CONSTANT = frozenset(
    "zeros_like ones_like full_like empty_like rand_like randn_like new_zeros new_ones new_full new_empty".split()
)
_SHAPE_OF_SECOND = frozenset("expand_as view_as reshape_as type_as to".split())


def receptive_fields(ops: Sequence[Op], inputs: Sequence[TensorSpec], windows: Sequence[Window | None]) -> list[Field]:
    """The field of each call's first output; all None for an input that is no image, sound or volume.

    Where all axes are seen whole, `whole` says so; where only some are, those have the input's size and a jump of 0.
    """
    spatial = len(inputs[0].shape) - 2 if inputs else 0
    # three dimensions may also be words of so many features, or an image without its batch
    if spatial < 1 or (spatial == 1 and not any(window and len(window.kernel) == 1 for window in windows)):
        return [None] * len(ops)
    lengths = inputs[0].shape[2:]
    image = tuple(Axis(length=length, dim=at - spatial) for at, length in enumerate(lengths))
    found: list[Field] = []
    for op, window in zip(ops, windows, strict=True):
        before: list[tuple[TensorSpec, Field]] = []
        for spec in op.inputs:
            if spec.producer is not None:
                before.append((spec, found[spec.producer]))
            elif any(spec is one for one in inputs) and len(spec.shape) == spatial + 2:
                before.append((spec, image if spec.shape[2:] == lengths else None))
        found.append(_after(op, window, before))
    return [_told(field) for field in found]


def _told(field: Field) -> Field:
    if not field or len({axis.whole for axis in field}) == 1:
        return field
    return tuple(replace(axis, whole=False) for axis in field)


def _after(op: Op, window: Window | None, before: list[tuple[TensorSpec, Field]]) -> Field:
    if op.kind in _SHAPE_OF_SECOND:
        before = [(spec, field) for spec, field in before if spec is op.inputs[0]]
    tracked = [(spec, field) for spec, field in before if field != ()]
    if not tracked or op.kind in _CONSTANT:
        return ()  # made of parameters and constants: sees nothing, and stands in no one's way
    known = [(spec, field) for spec, field in tracked if field is not None]
    if len(known) < len(tracked) or (window is None and op.kind not in RULES):
        return None
    try:
        return _windowed(op, window, known) if window is not None else RULES[op.kind](op, known)
    except (UnknownError, LookupError, TypeError, ValueError):  # or written in a way that the rule does not read
        return None


def _windowed(op: Op, window: Window, tracked: Tracked) -> Axes:
    spec, field = of_first(op, tracked)
    if len(tracked) > 1:
        raise UnknownError  # a kernel that is made from the image
    axes = len(window.kernel)
    if len(spec.shape) != axes + 2:
        raise UnknownError
    return tuple(_slid(axis, op.kind, window) if -axes <= axis.dim < 0 else _across(axis, op, axes) for axis in field)


def _across(axis: Axis, op: Op, axes: int) -> Axis:
    """An axis that the window does not slide along: within the batch it stays, among the channels it is mixed."""
    if axis.dim == -axes - 1 and op.kind.startswith("conv"):
        raise UnknownError
    return axis


def _slid(axis: Axis, kind: str, window: Window) -> Axis:
    at = axis.dim
    kernel, stride, dilation = window.kernel[at], window.stride[at], window.dilation[at]
    if axis.merged:
        if kernel != 1:
            raise UnknownError
        return axis
    if window.padding == "same":
        padding = dilation * (kernel - 1) // 2
    else:
        padding = 0 if isinstance(window.padding, str) else window.padding[at]
    if kind.startswith("conv_transpose"):
        return spread(axis, kernel, stride, padding, dilation)
    return slid(axis, kernel, stride, padding, dilation)


rule(
    """add sub mul div pow maximum minimum where addcmul addcdiv lerp relu relu6 leaky_relu elu celu selu silu mish gelu
    prelu hardswish hardsigmoid hardtanh tanh sigmoid logsigmoid exp log sqrt rsqrt square abs neg sign reciprocal clamp
    clamp_min clamp_max softplus softsign sin cos floor ceil round erf gt lt ge le eq ne masked_fill bernoulli
    batch_norm layer_norm group_norm instance_norm local_response_norm rms_norm dropout dropout1d dropout2d dropout3d
    alpha_dropout feature_dropout feature_alpha_dropout contiguous clone detach to float half bfloat16 double type
    type_as positive real resolve_conj resolve_neg to_dense"""
)(aligned)


@rule("linear")
def _contracted(op: Op, tracked: Tracked) -> Axes:
    """A sum over the last dimension sees all positions that lie along it."""
    spec, field = of_first(op, tracked)
    return tuple(everywhere(axis, spec.shape[-1]) if axis.dim == -1 else axis for axis in field)


@rule("softmax log_softmax")
def _compared(op: Op, tracked: Tracked) -> Axes:
    spec, field = of_first(op, tracked)
    along = from_back(given(op, 1, "dim", "axis"), len(spec.shape))
    return tuple(everywhere(axis, spec.shape[along]) if axis.dim == along else axis for axis in field)


@rule("matmul bmm mm")
def _multiplied(op: Op, tracked: Tracked) -> Axes:
    """Rows of the first with columns of the second: what lies along those is mixed, the rest stays where it is."""
    rank = len(op.outputs[0].shape)
    if any(len(spec.shape) != rank for spec, _ in tracked) or any(len(spec.shape) < 2 for spec in op.inputs[:2]):
        raise UnknownError
    if len(tracked) == 1:
        spec, field = tracked[0]
        summed = -1 if spec is op.inputs[0] else -2
        return tuple(everywhere(axis, spec.shape[summed]) if axis.dim == summed else axis for axis in field)
    (one, rows), (two, columns) = tracked
    found = []
    for row, column in zip(rows, columns, strict=True):
        if row.whole or column.whole:
            found.append(row if row.whole else column)
        elif row.dim == column.dim and (not row.dim or (row.dim < -2 and one.shape[row.dim] == two.shape[row.dim])):
            found.append(met(row, column))
        elif row.dim in (-1, -2) and column.dim in (-1, -2):  # two positions, and all pairs of them there are
            found.append(everywhere(row, one.shape[row.dim] * two.shape[column.dim]))
        else:
            raise UnknownError
    return tuple(found)


@rule("scaled_dot_product_attention multi_head_attention_forward")
def _attended(op: Op, tracked: Tracked) -> Axes:
    """Every position of the keys and values, for each of the queries; a mask could forbid any of it."""
    if op.kind.startswith("scaled"):
        along = -2
        masks = given(op, 3, "attn_mask", default=None), given(op, 5, "is_causal", default=False) or None
    else:
        along = -2 if len(op.inputs[0].shape) == 2 else -3
        masks = given(op, 16, "attn_mask", default=None), given(op, 14, "key_padding_mask", default=None)
    if masks != (None, None):
        raise UnknownError
    fields = [field for _, field in tracked]
    positions = max(spec.shape[along] for spec, _ in tracked)
    found = []
    for axes in zip(*fields, strict=True):
        if any(axis.whole for axis in axes):
            found.append(next(axis for axis in axes if axis.whole))
        elif all(axis.dim == along for axis in axes):
            found.append(everywhere(axes[0], positions))
        elif len({(axis, spec.shape[axis.dim]) for axis, (spec, _) in zip(axes, tracked, strict=True)}) == 1:
            if axes[0].dim == -1:
                raise UnknownError
            found.append(axes[0])
        else:
            raise UnknownError
    return tuple(found)


@rule("lstm gru rnn_tanh rnn_relu")
def _recurred(op: Op, tracked: Tracked) -> Axes:
    """Both ways along the sequence everything is seen; one way it depends on the position."""
    spec, field = of_first(op, tracked)
    if len(op.args) != 9 or not isinstance(op.args[3], bool) or len(spec.shape) != 3:
        raise UnknownError
    both_ways, along = op.args[7], -2 if op.args[8] else -3
    if any(axis.dim == -1 or (axis.dim == along and not both_ways) for axis in field):
        raise UnknownError
    return tuple(everywhere(axis, spec.shape[along]) if axis.dim == along else axis for axis in field)


@rule("mean sum amax amin max min std var logsumexp")
def _reduced(op: Op, tracked: Tracked) -> Axes:
    if len(op.inputs) > 1:
        return aligned(op, tracked)  # the larger of two tensors
    spec, field = tracked[0]
    rank = len(spec.shape)
    dims = given(op, 1, "dim", "axis", default=None)
    listed = (dims,) if isinstance(dims, int) else dims or range(rank)
    gone = {from_back(dim, rank) for dim in listed}
    keep = len(op.outputs[0].shape) == rank
    found = []
    for axis in field:
        if axis.dim in gone:
            found.append(everywhere(axis, spec.shape[axis.dim]))
        else:
            behind = 0 if keep else sum(dim > axis.dim for dim in gone)
            found.append(replace(axis, dim=axis.dim + behind) if axis.dim else axis)
    return tuple(found)


@rule(" ".join(f"adaptive_{kind}_pool{axes}d" for kind in ("avg", "max") for axes in (1, 2, 3)))
def _adapted(op: Op, tracked: Tracked) -> Axes:
    spec, field = of_first(op, tracked)
    found = []
    for axis in field:
        size, out = (shape[axis.dim] if axis.dim else 1 for shape in (spec.shape, op.outputs[0].shape))
        if size == out:
            found.append(axis)
        elif out == 1:
            found.append(everywhere(axis, size))
        elif size % out or axis.merged:
            raise UnknownError  # windows of several sizes
        else:
            found.append(slid(axis, size // out, size // out, 0, 1))
    return tuple(found)


@rule("pad")
def _padded(op: Op, tracked: Tracked) -> Axes:
    _, field = of_first(op, tracked)
    pads = given(op, 1, "pad")
    if any(type(pad) is not int for pad in pads):
        raise UnknownError
    left = {-(1 + at // 2): pads[at] for at in range(0, len(pads), 2)}
    return tuple(slid(axis, 1, 1, left.get(axis.dim, 0), 1) if axis.dim else axis for axis in field)


@rule("interpolate upsample")
def _upsampled(op: Op, tracked: Tracked) -> Axes:
    """Nearest and linear upsampling by a whole factor."""
    spec, field = of_first(op, tracked)
    mode = given(op, 3, "mode", default="nearest")
    if mode not in ("nearest", "nearest-exact", "linear", "bilinear", "trilinear"):
        raise UnknownError
    if given(op, 4, "align_corners", default=None) or given(op, 6, "antialias", default=False):
        raise UnknownError
    asked = given(op, 2, "scale_factor", default=None)
    scales = asked if isinstance(asked, tuple) else (asked,) * len(field)
    found = []
    for axis in field:
        if not axis.dim:
            found.append(axis)
            continue
        factor, rest = divmod(op.outputs[0].shape[axis.dim], spec.shape[axis.dim])
        if rest or not factor or axis.merged or scales[axis.dim] not in (None, factor):
            raise UnknownError
        found.append(enlarged(axis, factor, mode.endswith("linear")))
    return tuple(found)


@rule("pixel_shuffle pixel_unshuffle")
def _shuffled(op: Op, tracked: Tracked) -> Axes:
    """Channels into positions, or positions into channels."""
    _, field = of_first(op, tracked)
    factor = given(op, 1, "upscale_factor", "downscale_factor")
    if any(axis.merged or axis.dim == -3 for axis in field):
        raise UnknownError
    if op.kind == "pixel_shuffle":
        return tuple(enlarged(axis, factor, False) if axis.dim else axis for axis in field)
    return tuple(slid(axis, factor, factor, 0, 1) if axis.dim else axis for axis in field)
