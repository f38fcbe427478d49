"""Receptive fields through every call of a trace; `ops` defines what each kind of call does to them.

The network's first input is read as batch, channels, positions. Statistics that a normalisation takes over positions
are ignored. After a call without a definition the field is unknown, never guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from archcalc.count.cost import parsed
from archcalc.ops import Definition
from archcalc.ops.axis import UnknownError
from archcalc.ops.field import Axes, SeenInput
from archcalc.values.axis_field import AxisField
from archcalc.values.trace import Op, TensorSpec, Trace

Field = Axes | None
"""One AxisField for each spatial axis of the input; None where it is not known any more, empty for a constant."""


def receptive_fields(trace: Trace, calls: Sequence[Definition] | None = None) -> list[Field]:
    """The field of each call's first output; all None for an input that is no image, sound or volume.

    `whole` is set where all axes are seen whole; where only some are, those have the input's size and a jump of 0.
    `calls` are the parsed definitions of the trace's ops, if the caller has them already.
    """
    calls = [parsed(op) for op in trace.ops] if calls is None else calls
    spatial = len(trace.inputs[0].shape) - 2 if trace.inputs else 0
    # three dimensions may also be words of so many features, or an image without its batch
    if spatial < 1 or (spatial == 1 and not any(_slides_along_one_axis(call) for call in calls)):
        return [None] * len(trace.ops)
    lengths = trace.inputs[0].shape[2:]
    image = tuple(AxisField(length=length, dim=index - spatial) for index, length in enumerate(lengths))
    fields: list[Field] = []
    for op, call in zip(trace.ops, calls, strict=True):
        before: list[tuple[int, TensorSpec, Field]] = []
        for position, spec in enumerate(op.inputs):
            if spec.producer is not None:
                before.append((position, spec, fields[spec.producer]))
            elif spec.origin == "input" and len(spec.shape) == spatial + 2:
                before.append((position, spec, image if spec.shape[2:] == lengths else None))
        fields.append(_output_field(op, call, before))
    return [_whole_only_if_all(field) for field in fields]


def _slides_along_one_axis(call: Definition) -> bool:
    window = call.window()
    return window is not None and len(window.kernel) == 1


def _whole_only_if_all(field: Field) -> Field:
    """The field as rows show it: an axis counts as seen whole only if all are."""
    if not field or len({axis.whole for axis in field}) == 1:
        return field
    return tuple(replace(axis, whole=False) for axis in field)


def _output_field(op: Op, call: Definition, before: list[tuple[int, TensorSpec, Field]]) -> Field:
    """The field of a call's output, given those of its inputs that come from the network's input or from calls."""
    if call.only_shape_of_others:
        before = before[:1] if before and before[0][0] == 0 else []
    tracked = [(position, spec, field) for position, spec, field in before if field != ()]
    if not tracked or call.makes_constant:
        return ()  # constants have an empty field and drop out of unions
    known = [SeenInput(position, spec, field) for position, spec, field in tracked if field is not None]
    if len(known) < len(tracked):
        return None
    try:
        return call.field(op, known)
    except (UnknownError, LookupError, TypeError, ValueError):  # arguments in a form that the definition cannot read
        return None
