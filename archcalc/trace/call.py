"""One call of the model's: what is called with what, and what that gives."""

from __future__ import annotations

from dataclasses import dataclass
from types import FrameType
from typing import Any, NamedTuple

import torch
from torch import Tensor

from archcalc.trace.calls import CallKind
from archcalc.trace.derivatives import has_tangents
from archcalc.trace.tensors import TrackedTensor
from archcalc.values.trace import AtenOp


@dataclass(slots=True)
class Call:
    """One call of the model's, described.

    `specs` and `named_specs` are its arguments with a TensorSpec for each tensor, `operands` the tensors among them, in
    order, and `targets` those that it writes to. `key` is what equal calls share; None for a call that has to run.
    """

    func: Any
    kind: CallKind
    args: Any
    kwargs: Any
    specs: Any
    named_specs: Any
    operands: list[TrackedTensor]
    depends_on_input: bool
    targets: list[Tensor]
    key: tuple[Any, ...] | None


Recorded = tuple[Any, Any, list[TrackedTensor]]
"""Arguments, by position and by name, with a TensorSpec for each tensor, and these tensors in order."""


class Outcome(NamedTuple):
    """What a call gave: its result, the tensors in it and that it wrote to, and the torch ops that ran beneath it."""

    result: Any
    outputs: list[Tensor]
    aten_ops: tuple[AtenOp, ...]


def recorded_name(call: Call) -> str:
    """The kind of a call; another one where a formula for dense operands and no derivatives would count it wrongly."""
    if call.key is None and any([operand.sparse for operand in call.operands]):
        return f"sparse.{call.kind.name}"
    return f"dual.{call.kind.name}" if has_tangents(call.operands) else call.kind.name


def initialises(func: Any, kind: CallKind, caller: FrameType) -> bool:
    """Whether a call is one of torch.nn.init, or made by one; `caller` is the frame that called torch."""
    if kind.in_place:
        return caller.f_globals.get("__name__") == "torch.nn.init"
    return getattr(func, "__module__", "") == "torch.nn.init"


def without_device(args: Any, kwargs: Any) -> tuple[Any, Any]:
    """The arguments of `to` but for the device: every tensor stays where it stands for the real one."""
    kept = [args[0], *(arg for arg in args[1:] if isinstance(arg, (torch.dtype, Tensor)))]
    named = {name: kwargs[name] for name in ("dtype", "memory_format", "other") if kwargs.get(name) is not None}
    return kept, named
